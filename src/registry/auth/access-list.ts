import type { Access } from '../types.ts'
import { repositoryGlob } from './repository-glob.ts'
import type { AccessList, AccessRule } from './types.ts'

/** Without an access list: whoever has logged in may do everything, as with docker-registry. */
export const EVERYTHING_FOR_USERS: AccessList = { permits: (user) => user !== undefined }

/** What some rule gives is allowed. The listing of all repositories is for those who may pull every one of them. */
export function createAccessList(rules: readonly AccessRule[], groups: ReadonlyMap<string, ReadonlySet<string>>): AccessList {
  const compiled = rules.map((rule) => ({ ...rule, matches: repositoryGlob(rule.repository) }))

  function appliesTo({ subject }: AccessRule, user: string | undefined): boolean {
    if (subject.kind === 'anonymous') return true
    if (user === undefined) return false
    return subject.kind === 'group' ? groups.get(subject.name)?.has(user) === true : subject.name === '*' || subject.name === user
  }

  return {
    permits(user: string | undefined, access: Access): boolean {
      const wanted = access.type === 'registry' ? 'pull' : access.action
      return compiled.some(
        (rule) =>
          (rule.actions.includes('*') || rule.actions.includes(wanted)) &&
          (access.type === 'registry' ? rule.repository === '**' : rule.matches(access.name)) &&
          appliesTo(rule, user),
      )
    },
  }
}
