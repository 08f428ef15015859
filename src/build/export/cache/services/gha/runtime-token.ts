import { invalidArgument } from '#errors'
import { parseJson } from '#lib'

/** Part of a repository's cache, that of a branch or pull request. */
export interface CacheScope {
  /** `refs/heads/main`. */
  scope: string
  isWritable: boolean
}

/** Bits of `Permission`. */
const WRITE = 2
const LIMITS = { maxBytes: 64 << 10, maxDepth: 8 }

/**
 * What a job's token says of itself; the service checks it. `now`: milliseconds since the epoch. Throws INVALID_ARGUMENT with BuildKit's texts. Source:
 * tonistiigi/go-actions-cache.
 */
export function scopesOfToken(token: string, now: number): CacheScope[] {
  const claims = claimsOf(token)
  const { ac, exp, nbf } = claims
  if (ac === undefined) throw invalidArgument('invalid token without access controls')
  if (typeof ac !== 'string') throw invalidArgument(`invalid token with access controls type ${typeof ac}`)
  if (typeof exp !== 'number' || typeof nbf !== 'number') throw invalidArgument('invalid token without expiration time')
  if (now > exp * 1000) throw invalidArgument(`cache token expired at ${new Date(exp * 1000).toISOString()}`)
  if (now < nbf * 1000) throw invalidArgument(`invalid token with future issue time ${new Date(nbf * 1000).toISOString()}`)
  const scopes = parsed(ac, 'failed to parse token access controls')
  if (!Array.isArray(scopes)) throw invalidArgument('failed to parse token access controls')
  return (scopes as ({ Scope?: unknown; Permission?: unknown } | null)[]).map((entry) => ({
    scope: typeof entry?.Scope === 'string' ? entry.Scope : '',
    isWritable: typeof entry?.Permission === 'number' && (entry.Permission & WRITE) !== 0,
  }))
}

function claimsOf(token: string): Record<string, unknown> {
  const parts = token.split('.')
  const [, payload = ''] = parts
  const claims = parts.length === 3 ? parsed(Buffer.from(payload, 'base64url').toString(), 'token is malformed') : undefined
  if (typeof claims !== 'object' || claims === null) throw invalidArgument('token is malformed')
  return claims as Record<string, unknown>
}

function parsed(text: string, problem: string): unknown {
  try {
    return parseJson(text, LIMITS)
  } catch (error) {
    throw invalidArgument(problem, error)
  }
}
