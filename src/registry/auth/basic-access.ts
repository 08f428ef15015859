import type { AccessController, AccessDecision } from '../types.ts'
import { basicCredentials } from './basic-credentials.ts'
import { quoted } from './quoted.ts'
import { TooManyAttemptsError, type AccessList, type UserDirectory } from './types.ts'

/**
 * Name and password with every request. A client without credentials is let through to what anonymous users may do, but `/v2/` itself always asks for
 * them: Docker looks there to learn how to log in, and would never send a password to a server that did not ask.
 */
export function createBasicAccess(deps: { realm: string; users: UserDirectory; rights: AccessList }): AccessController {
  const challenge: AccessDecision = { kind: 'challenge', headers: { 'WWW-Authenticate': `Basic realm=${quoted(deps.realm)}` } }
  return {
    async authorise(request, access) {
      let user: string | undefined
      if (request.headers.authorization !== undefined) {
        const given = basicCredentials(request)
        if (given === undefined) return challenge
        try {
          if (!(await deps.users.verify(given.name, given.password))) return challenge
        } catch (error) {
          if (error instanceof TooManyAttemptsError) return { kind: 'throttled', retryAfter: error.retryAfter }
          throw error
        }
        user = given.name
      } else if (access.length === 0) return challenge
      if (access.every((right) => deps.rights.permits(user, right))) return { kind: 'allowed', ...(user !== undefined && { actor: user }) }
      return user === undefined ? challenge : { kind: 'denied' }
    },
  }
}
