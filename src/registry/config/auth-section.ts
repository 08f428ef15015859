import type { AccessRule } from '../auth/types.ts'
import { duration, flag, listOf, mapOf, oneOf, refine, required, section, text, type Shape } from './shape.ts'

/** Tokens of another server. */
export interface ForeignTokens {
  realm: string
  service: string
  issuer: string
  /** Paths; at least one of them. */
  rootCertBundle: string | undefined
  jwks: string | undefined
  algorithms: readonly string[] | undefined
  /** The realm is this path on the host the client came to. */
  redirectPath: string | undefined
}

/** The token server inside this one. */
export interface TokenServerConfig {
  /** Undefined: `/auth/token` on the host the client came to. */
  realm: string | undefined
  service: string
  issuer: string
  /** Path of the private key (PEM), made when it does not exist. Undefined: in the storage's root directory. */
  key: string | undefined
  /** Milliseconds for which tokens are good. */
  expiration: number
  refreshExpiration: number
}

export type AuthConfig =
  | { kind: 'none' }
  | { kind: 'basic'; realm: string; htpasswd: string }
  | { kind: 'token'; tokens: ForeignTokens }
  | { kind: 'tokenserver'; htpasswd: string; server: TokenServerConfig }

export interface AccessConfig {
  groups: ReadonlyMap<string, ReadonlySet<string>>
  rules: readonly AccessRule[]
}

const DAY = 24 * 3600e3

const token = refine(
  section({
    realm: text,
    service: text,
    issuer: text,
    rootcertbundle: text,
    jwks: text,
    signingalgorithms: listOf(text),
    autoredirect: flag,
    autoredirectpath: text,
  }),
  (given, path): ForeignTokens => {
    if (given.rootcertbundle === undefined && given.jwks === undefined) throw new Error(`${path}: rootcertbundle or jwks is required`)
    return {
      realm: given.autoredirect === true ? '' : required(given.realm, path, 'realm'),
      service: required(given.service, path, 'service'),
      issuer: required(given.issuer, path, 'issuer'),
      rootCertBundle: given.rootcertbundle,
      jwks: given.jwks,
      algorithms: given.signingalgorithms,
      redirectPath: given.autoredirect === true ? (given.autoredirectpath ?? '/auth/token/') : undefined,
    }
  },
)

const tokenServer = refine(
  section({ realm: text, service: text, issuer: text, key: text, expiration: duration, refreshexpiration: duration }),
  (given, path): TokenServerConfig => {
    const expiration = given.expiration ?? 5 * 60e3
    // Docker takes tokens of less than a minute for ones of a minute.
    if (expiration < 60e3) throw new Error(`${path}.expiration: must be 60s or more`)
    return {
      realm: given.realm,
      service: given.service ?? 'gantry-registry',
      issuer: given.issuer ?? 'gantry-registry',
      key: given.key,
      expiration,
      refreshExpiration: given.refreshexpiration ?? 90 * DAY,
    }
  },
)

/** `auth`. */
export const authSection: Shape<AuthConfig> = refine(
  section(
    { htpasswd: section({ realm: text, path: text }), token, tokenserver: tokenServer, none: section({}) },
    { silly: 'it would let everybody in' },
  ),
  (given, path): AuthConfig => {
    const { htpasswd, token: tokens, tokenserver: server } = given
    if (tokens !== undefined && (htpasswd !== undefined || server !== undefined)) {
      throw new Error(`${path}: token excludes htpasswd and tokenserver`)
    }
    if (tokens !== undefined) return { kind: 'token', tokens }
    const file = htpasswd === undefined ? undefined : required(htpasswd.path, `${path}.htpasswd`, 'path')
    if (server !== undefined) return { kind: 'tokenserver', htpasswd: required(file, `${path}.htpasswd`, 'path'), server }
    if (htpasswd === undefined || file === undefined) return { kind: 'none' }
    return { kind: 'basic', realm: htpasswd.realm ?? 'Registry Realm', htpasswd: file }
  },
)

const rule = refine(
  section({
    user: text,
    group: text,
    anonymous: flag,
    repository: text,
    actions: listOf(oneOf('pull', 'push', 'delete', '*')),
  }),
  (given, path): AccessRule => {
    const subjects: AccessRule['subject'][] = []
    if (given.user !== undefined) subjects.push({ kind: 'user', name: given.user })
    if (given.group !== undefined) subjects.push({ kind: 'group', name: given.group })
    if (given.anonymous === true) subjects.push({ kind: 'anonymous' })
    const [subject] = subjects
    if (subject === undefined || subjects.length > 1) throw new Error(`${path}: one of user, group and anonymous is required`)
    return { subject, repository: required(given.repository, path, 'repository'), actions: required(given.actions, path, 'actions') }
  },
)

/** `access`. */
export const accessSection: Shape<AccessConfig> = refine(
  section({ groups: mapOf(listOf(text)), rules: listOf(rule) }),
  (given, path): AccessConfig => {
    const groups = new Map(Object.entries(given.groups ?? {}).map(([name, members]) => [name, new Set(members)] as const))
    const rules = given.rules ?? []
    // A misspelt group would silently give nothing.
    const unknown = rules.find(({ subject }) => subject.kind === 'group' && !groups.has(subject.name))
    if (unknown?.subject.kind === 'group') throw new Error(`${path}.rules: unknown group ${JSON.stringify(unknown.subject.name)}`)
    return { groups, rules }
  },
)
