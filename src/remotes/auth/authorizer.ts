import { RegistryError } from '../session/registry-error.ts'
import type { HttpTransport } from '../transport/http-transport.ts'
import { requestLabel } from '../transport/network-error.ts'
import { isOnLoopback } from '../transport/no-proxy.ts'
import type { Credentials, RegistryHost } from '../types.ts'
import { parseChallenges } from './challenges.ts'
import type { Challenge } from './challenges.ts'
import type { TokenCache } from './token-cache.ts'
import { basicAuthorization, fetchToken } from './token-server.ts'
import type { Token, TokenRequest } from './token-server.ts'

export interface AuthorizerDeps {
  transport: HttpTransport
  tokens: TokenCache
  host: RegistryHost
  credentials: Credentials
  /** Asked for a refresh token at each token request, for login. */
  offline?: { received: (refreshToken: string) => void }
}

/** Tokens of one session that may still be refused; it needs two or three at a time. */
const MAX_REMEMBERED = 100

/** What one registry host wants to see in `Authorization`, learnt from its challenges. */
export interface Authorizer {
  /**
   * Takes in the `WWW-Authenticate` header of a 401. `refused`: the header value that was sent and not accepted. Returns whether another
   * attempt makes sense.
   */
  learn(header: string | undefined, refused?: string): boolean
  /**
   * The header's value for a request with these scopes; undefined as long as nothing was asked for. Throws RegistryError (`no basic auth
   * credentials`, and what the token server says) with the request's label in front.
   */
  authorize(request: { method: string; url: string }, scopes: readonly string[]): Promise<string | undefined>
}

/**
 * The credentials go where the registry's own challenge points, as with Docker: who runs the registry has them anyway, or could ask for
 * them. Three limits keep them from others: a challenge counts only when it comes from the registry's origin (not from where it redirects
 * to), a registry that is reached over TLS cannot have them sent in plain, and mirrors of Docker Hub (`host.credentials` false) get none.
 * A token server on this machine counts only for a registry of this machine.
 */
export function createAuthorizer({ transport, tokens, host, credentials: given, offline }: AuthorizerDeps): Authorizer {
  const credentials: Credentials = host.credentials ? given : {}
  let challenges: Challenge[] = []
  const requests = new Map<string, TokenRequest>()

  function tokenRequest(challenge: Challenge, purpose: { method: string; url: string }, scopes: readonly string[]): TokenRequest {
    const { realm = '', service = '', scope = '' } = challenge.parameters
    const refuse = (reason: string): RegistryError => new RegistryError(`${requestLabel(purpose)}: ${reason}`, { status: 401 })
    if (realm === '') throw refuse('no realm specified for token auth challenge')
    const url = URL.parse(realm)
    if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:'))
      throw refuse(`invalid token auth challenge realm: ${realm}`)
    const exposed = url.protocol === 'http:' && purpose.url.startsWith('https:') && !host.plainFallback
    if (exposed && (credentials.password || credentials.identityToken))
      throw refuse(`the token server ${url.origin} of a registry over TLS is not reached over TLS: credentials are not sent`)
    // What answers there would come to the registry as a token: services of this machine, or its cloud's metadata.
    const registry = new URL(purpose.url)
    const outside = url.hostname !== registry.hostname && !isOnLoopback(registry)
    const wanted = new Set([...scopes, ...scope.split(' ').filter((entry) => entry !== '')])
    const request = { realm: url, service, scopes: [...wanted].sort(), credentials, offline: offline !== undefined }
    return { ...request, tls: host.tls, outside, purpose }
  }

  async function fetch(request: TokenRequest): Promise<Token> {
    const token = await fetchToken(transport, request)
    if (token.refreshToken !== '') offline?.received(token.refreshToken)
    return token
  }

  return {
    learn(header, refused) {
      const asked = parseChallenges(header)
      // A 401 that asks for nothing takes nothing back.
      if (asked.length > 0) challenges = asked
      const request = refused === undefined ? undefined : requests.get(refused)
      if (refused === undefined) return asked.length > 0
      if (request === undefined) return false
      tokens.forget(request)
      requests.delete(refused)
      return true
    },

    async authorize(purpose, scopes) {
      if (credentials.registryToken) return `Bearer ${credentials.registryToken}`
      const bearer = challenges.find(({ scheme }) => scheme === 'bearer')
      if (bearer !== undefined) {
        const request = tokenRequest(bearer, purpose, scopes)
        const value = `Bearer ${await tokens.get(request, () => fetch(request))}`
        requests.set(value, request)
        if (requests.size > MAX_REMEMBERED) requests.delete(requests.keys().next().value ?? '')
        return value
      }
      if (!challenges.some(({ scheme }) => scheme === 'basic')) return undefined
      const { username = '', password = '' } = credentials
      if (username === '' || password === '')
        throw new RegistryError(`${requestLabel(purpose)}: no basic auth credentials`, { status: 401 })
      return basicAuthorization(username, password)
    },
  }
}
