import { errors, jwtVerify, type JWTHeaderParameters } from 'jose'
import type { ResourceActions } from './scope.ts'
import type { TrustedKeys } from './trusted-keys.ts'

/** What a token says, once it is believed. */
export interface TokenClaims {
  /** Name of the user; undefined for a token that was given to nobody in particular. */
  subject: string | undefined
  access: ResourceActions[]
}

export interface TokenVerifier {
  /** Undefined for every token that is not to be believed. */
  verify(token: string): Promise<TokenClaims | undefined>
}

export interface TokenVerifierDeps {
  issuer: string
  /** What tokens must be meant for (`aud`). */
  service: string
  keys: TrustedKeys
  /** Only these; default: {@link SIGNATURE_ALGORITHMS}. */
  algorithms?: readonly string[]
  now?: () => Date
}

/** Asymmetric ones only: with HS256 a public key could be passed off as the secret. */
const SIGNATURE_ALGORITHMS: readonly string[] = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
]

/** Seconds by which clocks may differ. Source: distribution registry/auth/token, Leeway. */
const LEEWAY = 60
/** A token with rights to a hundred repositories has some 10 kB. */
const MAX_TOKEN = 64 << 10

/** Verifies signed tokens. Source: distribution docs/spec/auth/jwt.md. */
export function createTokenVerifier(deps: TokenVerifierDeps): TokenVerifier {
  const { issuer, service, keys, now } = deps
  const algorithms = [...(deps.algorithms ?? SIGNATURE_ALGORITHMS)]

  function keyFor(header: JWTHeaderParameters): NonNullable<TrustedKeys['only']> {
    const key =
      // The header is the client's: of any type until looked at.
      Array.isArray(header.x5c)
        ? keys.byChain(header.x5c.map(String), now?.())
        : header.kid !== undefined
          ? keys.byId(header.kid)
          : keys.only
    if (key === undefined) throw new errors.JWSInvalid('no trusted key for this token')
    return key
  }

  return {
    async verify(token) {
      if (token.length > MAX_TOKEN) return undefined
      try {
        const { payload } = await jwtVerify(token, keyFor, {
          issuer,
          audience: service,
          algorithms,
          clockTolerance: LEEWAY,
          requiredClaims: ['exp'],
          ...(now && { currentDate: now() }),
        })
        return { subject: payload.sub === '' ? undefined : payload.sub, access: decodeAccess(payload['access']) }
      } catch (error) {
        // Whatever is wrong with it, the client gets the same answer: the difference would only help those who guess.
        if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined
        throw error
      }
    },
  }
}

function decodeAccess(claim: unknown): ResourceActions[] {
  if (!Array.isArray(claim)) return []
  return claim.filter(isResourceActions).map(({ type, name, actions }) => ({ type, name, actions }))
}

function isResourceActions(value: unknown): value is ResourceActions {
  if (typeof value !== 'object' || value === null) return false
  const { type, name, actions } = value as Record<string, unknown>
  return (
    typeof type === 'string' && typeof name === 'string' && Array.isArray(actions) && actions.every((action) => typeof action === 'string')
  )
}
