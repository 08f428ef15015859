import { isRepositoryName } from '../repositories/names.ts'
import type { Access } from '../types.ts'

/** What a token gives: actions by resource, as in its `access` claim. */
export interface ResourceActions {
  type: string
  name: string
  actions: string[]
}

/** A client may ask for several repositories (cross-repository mounts), not for a list of them all. */
const MAX_SCOPES = 100

/** `repository:a/b:pull,push`, one text per resource and in the order they were first named. Source: distribution docs/spec/auth/scope.md. */
export function formatScope(access: readonly Access[]): string {
  const actions = new Map<string, Set<string>>()
  for (const right of access) {
    const resource = `${right.type}:${right.name}`
    const known = actions.get(resource)
    if (known === undefined) actions.set(resource, new Set([right.action]))
    else known.add(right.action)
  }
  return [...actions].map(([resource, names]) => `${resource}:${[...names].join(',')}`).join(' ')
}

/**
 * Scopes of a token request, each text with one or more of them between blanks. What is not understood is left out, as the specification wants: the
 * token then gives less than was asked for. `repository(class):name:actions` is read without its class.
 */
export function parseScopes(texts: readonly string[]): ResourceActions[] {
  return texts
    .flatMap((text) => text.split(' '))
    .filter((text) => text !== '')
    .slice(0, MAX_SCOPES)
    .flatMap((text) => {
      // The name may hold colons itself: a registry's host and port.
      const [, type, name, actions] = /^([a-z0-9]+)(?:\([a-z0-9]+\))?:(.+):([a-z,*]*)$/.exec(text) ?? []
      if (type === undefined || name === undefined || actions === undefined) return []
      return [{ type, name, actions: actions.split(',').filter((action) => action !== '') }]
    })
}

/**
 * The rights that one resource of a scope stands for; unknown kinds and actions are none. `*` of a repository is all there is. What can be no
 * repository's name is none, too: anybody may send any text here, and the globs of an access list take very long for a long one.
 */
export function rightsOf({ type, name, actions }: ResourceActions): Access[] {
  if (type === 'registry' && name === 'catalog') return actions.includes('*') ? [{ type, name, action: '*' }] : []
  if (type !== 'repository' || !isRepositoryName(name)) return []
  return (['pull', 'push', 'delete'] as const)
    .filter((action) => actions.includes(action) || actions.includes('*'))
    .map((action) => ({ type, name, action }))
}

/** Whether a token with these claims gives a right. */
export function grants(claims: readonly ResourceActions[], wanted: Access): boolean {
  return claims.some(
    ({ type, name, actions }) => type === wanted.type && name === wanted.name && (actions.includes(wanted.action) || actions.includes('*')),
  )
}
