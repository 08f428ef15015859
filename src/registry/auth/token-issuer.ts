import { createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, jwtVerify, SignJWT } from 'jose'
import type { ResourceActions } from './scope.ts'
import type { TrustedKeys } from './trusted-keys.ts'

/** Names the purpose of a refresh token, so that it cannot be used where an access token is wanted. */
const REFRESH_TYPE = 'refresh+jwt'

export interface IssuedToken {
  token: string
  issuedAt: Date
  /** Seconds. */
  expiresIn: number
}

/** Makes the tokens of the built-in token server. */
export interface TokenIssuer {
  /** Access token. `subject` undefined: for nobody in particular. */
  issue(subject: string | undefined, service: string, access: readonly ResourceActions[]): Promise<IssuedToken>
  /** Refresh token: Docker keeps it in place of the password. `fingerprint` of the password makes it void when that changes. */
  issueRefresh(subject: string, service: string, fingerprint: string): Promise<string>
  /** What a refresh token was made for, or undefined when it is none of ours or too old. */
  readRefresh(token: string, service: string): Promise<{ subject: string; fingerprint: string } | undefined>
  /** For verifying what was issued here. */
  readonly keys: TrustedKeys
}

export interface TokenIssuerOptions {
  issuer: string
  key: KeyObject
  /** Milliseconds for which an access token is good; those of refresh tokens. */
  expiration: number
  refreshExpiration: number
  now?: () => Date
}

/** A new private key for ES256, as PEM. */
export function generateTokenKey(): string {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' })
}

/** Reads a private key in PEM. Throws Error when there is no algorithm for its kind. */
export function readTokenKey(pem: string | Buffer): KeyObject {
  const key = createPrivateKey(pem)
  algorithmOf(key)
  return key
}

export async function createTokenIssuer(options: TokenIssuerOptions): Promise<TokenIssuer> {
  const { issuer, key, now = () => new Date() } = options
  const algorithm = algorithmOf(key)
  const publicKey = createPublicKey(key)
  const kid = await calculateJwkThumbprint(await exportJWK(publicKey))

  function sign(claims: Record<string, unknown>, type: string, service: string, lifetime: number): Promise<string> {
    const seconds = Math.floor(now().getTime() / 1000)
    return new SignJWT({ ...claims, jti: randomUUID() })
      .setProtectedHeader({ alg: algorithm, typ: type, kid })
      .setIssuer(issuer)
      .setAudience(type === REFRESH_TYPE ? `${service}/refresh` : service)
      .setIssuedAt(seconds)
      .setNotBefore(seconds)
      .setExpirationTime(seconds + lifetime)
      .sign(key)
  }

  return {
    async issue(subject, service, access) {
      const issuedAt = now()
      const expiresIn = Math.floor(options.expiration / 1000)
      const token = await sign({ ...(subject !== undefined && { sub: subject }), access }, 'JWT', service, expiresIn)
      return { token, issuedAt, expiresIn }
    },
    issueRefresh: (subject, service, fingerprint) =>
      sign({ sub: subject, pwd: fingerprint }, REFRESH_TYPE, service, Math.floor(options.refreshExpiration / 1000)),
    async readRefresh(token, service) {
      try {
        const { payload } = await jwtVerify(token, publicKey, {
          issuer,
          audience: `${service}/refresh`,
          algorithms: [algorithm],
          typ: REFRESH_TYPE,
          requiredClaims: ['exp', 'sub', 'pwd'],
          currentDate: now(),
        })
        const { sub, pwd } = payload
        return typeof sub === 'string' && typeof pwd === 'string' ? { subject: sub, fingerprint: pwd } : undefined
      } catch {
        return undefined
      }
    },
    keys: { byId: (id) => (id === kid ? publicKey : undefined), only: publicKey, byChain: () => undefined },
  }
}

function algorithmOf(key: KeyObject): string {
  const { namedCurve } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'rsa') return 'RS256'
  if (key.asymmetricKeyType === 'ed25519') return 'EdDSA'
  if (key.asymmetricKeyType === 'ec' && namedCurve === 'prime256v1') return 'ES256'
  if (key.asymmetricKeyType === 'ec' && namedCurve === 'secp384r1') return 'ES384'
  throw new Error(`a key of type ${key.asymmetricKeyType} cannot sign tokens: wanted is RSA, EC (P-256, P-384) or Ed25519`)
}
