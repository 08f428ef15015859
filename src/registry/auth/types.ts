/** Contracts of the registry's authentication; its seam to the server is `AccessController`. */

import type { Access } from '../types.ts'

/** `*`: every action, the listing of all repositories included when the rule is for all of them. */
export type RuleAction = 'pull' | 'push' | 'delete' | '*'

/** One line of the access list. Rules only give; what no rule gives is not allowed. */
export interface AccessRule {
  /** `{ user: '*' }`: whoever has logged in. Rules for the anonymous user hold for everybody. */
  subject: { kind: 'user'; name: string } | { kind: 'group'; name: string } | { kind: 'anonymous' }
  /** Glob over whole names: `*` within a segment, `**` across segments. */
  repository: string
  actions: readonly RuleAction[]
}

/** Who may do what. */
export interface AccessList {
  /** `user` undefined: nobody has logged in. */
  permits(user: string | undefined, access: Access): boolean
}

/** Names and passwords. */
export interface UserDirectory {
  /** Takes the same time for unknown names. Throws {@link TooManyAttemptsError} when more checks wait than can be done soon. */
  verify(name: string, password: string): Promise<boolean>
  /** Changes with the user's password; undefined for unknown users. Not a secret, but made from one: to be compared only. */
  fingerprint(name: string): Promise<string | undefined>
}

/** More passwords are being checked than one machine can do in time; seconds after which to try again. */
export class TooManyAttemptsError extends Error {
  readonly retryAfter: number

  constructor(retryAfter: number) {
    super('too many logins at the same time')
    this.name = 'TooManyAttemptsError'
    this.retryAfter = retryAfter
  }
}
