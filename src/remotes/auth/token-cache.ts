import { createHash } from 'node:crypto'
import type { Token, TokenRequest } from './token-server.ts'

/** Tokens until they expire, by everything that went into them. Requests for the same one share one answer. */
export interface TokenCache {
  get(request: TokenRequest, fetch: () => Promise<Token>): Promise<string>
  /** The token was refused: the next `get` asks anew. */
  forget(request: TokenRequest): void
}

/** Far more than a daemon talks to at a time; the oldest go first. */
const MAX_TOKENS = 1000
/** A token that ends while its request is on the way is of no use. */
const MARGIN_MS = 5_000

export function createTokenCache(): TokenCache {
  const tokens = new Map<string, Promise<Token>>()

  return {
    async get(request, fetch) {
      const key = keyOf(request)
      const known = tokens.get(key)
      if (known !== undefined) {
        const { token, expires } = await known
        if (expires - MARGIN_MS > Date.now()) return token
      }
      // Somebody else may have found it expired, too, and be ahead of us.
      const current = tokens.get(key)
      if (current !== undefined && current !== known) return (await current).token
      const fetched = fetch()
      tokens.delete(key)
      tokens.set(key, fetched)
      fetched.catch(() => {
        if (tokens.get(key) === fetched) tokens.delete(key)
      })
      if (tokens.size > MAX_TOKENS) tokens.delete(tokens.keys().next().value ?? '')
      return (await fetched).token
    },
    forget: (request) => void tokens.delete(keyOf(request)),
  }
}

/** Passwords are part of the key, as a hash: who gives another one must not get the token of the right one. */
function keyOf({ realm, service, scopes, credentials, offline }: TokenRequest): string {
  const { username = '', password = '', identityToken = '' } = credentials
  return createHash('sha256')
    .update(JSON.stringify([realm.href, service, scopes, username, password, identityToken, offline]))
    .digest('hex')
}
