import type { IncomingMessage } from 'node:http'
import type { Access, AccessController, AccessDecision } from '../types.ts'
import { quoted } from './quoted.ts'
import { formatScope, grants } from './scope.ts'
import type { TokenVerifier } from './token-verifier.ts'

export interface TokenAccessDeps {
  /** Where tokens are given out; may depend on how the client reaches this server. */
  realm: (request: IncomingMessage) => string
  service: string
  tokens: TokenVerifier
}

/** Bearer tokens of a token server, this one's own or another. Source: distribution docs/spec/auth/token.md. */
export function createTokenAccess({ realm, service, tokens }: TokenAccessDeps): AccessController {
  function challenge(request: IncomingMessage, access: readonly Access[], error?: string): AccessDecision {
    const scope = formatScope(access)
    const parameters = [
      `realm=${quoted(realm(request))}`,
      `service=${quoted(service)}`,
      ...(scope === '' ? [] : [`scope=${quoted(scope)}`]),
      ...(error === undefined ? [] : [`error=${quoted(error)}`]),
    ]
    return {
      kind: 'challenge',
      headers: { 'WWW-Authenticate': `Bearer ${parameters.join(',')}` },
    }
  }

  return {
    async authorise(request, access) {
      const token = /^bearer +([\w.~+/=-]+) *$/i.exec(request.headers.authorization ?? '')?.[1]
      if (token === undefined) return challenge(request, access)
      const claims = await tokens.verify(token)
      if (claims === undefined) return challenge(request, access, 'invalid_token')
      // Not 403: Docker asks for a wider token when it is challenged, and only then.
      if (!access.every((right) => grants(claims.access, right))) return challenge(request, access, 'insufficient_scope')
      return { kind: 'allowed', ...(claims.subject !== undefined && { actor: claims.subject }) }
    },
  }
}
