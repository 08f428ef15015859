import { createHash, X509Certificate, type KeyObject } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, importJWK, type JSONWebKeySet } from 'jose'

/** Public keys that tokens may be signed with. */
export interface TrustedKeys {
  /** By the `kid` of a token. */
  byId(id: string): KeyObject | CryptoKey | undefined
  /** When there is only one: for tokens that do not say. */
  readonly only: KeyObject | CryptoKey | undefined
  /** The key of the first certificate of an `x5c` header, when its chain leads to a trusted one. */
  byChain(chain: readonly string[], now?: Date): KeyObject | undefined
}

/** Leaf, a few intermediates, root. More would only be work for us. */
const MAX_CHAIN = 8

/**
 * Keys of a bundle of certificates (PEM) and of a JWKS document. Keys of certificates are known by two names: Docker's own fingerprint, which most token
 * servers use, and the thumbprint of RFC 7638. Throws for what cannot be read.
 */
export async function loadTrustedKeys(sources: { certificates?: string; jwks?: string }): Promise<TrustedKeys> {
  const byId = new Map<string, KeyObject | CryptoKey>()
  const keys: (KeyObject | CryptoKey)[] = []
  const roots = splitPem(sources.certificates ?? '').map((pem) => new X509Certificate(pem))
  for (const { publicKey } of roots) {
    keys.push(publicKey)
    byId.set(dockerFingerprint(publicKey), publicKey)
    byId.set(await calculateJwkThumbprint(await exportJWK(publicKey)), publicKey)
  }
  if (sources.jwks !== undefined) {
    for (const jwk of (JSON.parse(sources.jwks) as JSONWebKeySet).keys) {
      // A symmetric key here would let anybody who can read the file make tokens.
      if (jwk.kty === 'oct') throw new Error('the JWKS document holds a symmetric key')
      const { d: _private, ...publicPart } = jwk
      const key = (await importJWK(publicPart, jwk.alg ?? defaultAlgorithm(jwk.kty, jwk.crv))) as CryptoKey
      keys.push(key)
      if (jwk.kid !== undefined) byId.set(jwk.kid, key)
    }
  }
  return {
    byId: (id) => byId.get(id),
    only: keys.length === 1 ? keys[0] : undefined,
    byChain: (chain, now = new Date()) => verifyChain(chain, roots, now),
  }
}

function defaultAlgorithm(kty: string | undefined, curve: string | undefined): string {
  if (kty === 'RSA') return 'RS256'
  if (kty === 'OKP') return 'EdDSA'
  return curve === 'P-384' ? 'ES384' : curve === 'P-521' ? 'ES512' : 'ES256'
}

function splitPem(bundle: string): string[] {
  return bundle.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []
}

/** `ABCD:EFGH:…`, 12 groups: base32 of the first 30 bytes of SHA-256 over the public key. Source: docker/libtrust, "Key ID". */
export function dockerFingerprint(key: KeyObject): string {
  const digest = createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()
    .subarray(0, 30)
  const bits = Array.from(digest, (byte) => byte.toString(2).padStart(8, '0')).join('')
  const letters = (bits.match(/.{5}/g) ?? []).map((five) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.charAt(parseInt(five, 2))).join('')
  return (letters.match(/.{4}/g) ?? []).join(':')
}

/**
 * Walks from the first certificate up, over certificates of the chain that may issue others, to one of `roots`. The first may be a root itself:
 * operators put the token server's own certificate there.
 */
function verifyChain(chain: readonly string[], roots: readonly X509Certificate[], now: Date): KeyObject | undefined {
  let certificates: X509Certificate[]
  try {
    certificates = chain.slice(0, MAX_CHAIN).map((der) => new X509Certificate(Buffer.from(der, 'base64')))
  } catch {
    return undefined
  }
  const [leaf, ...intermediates] = certificates
  let current = leaf
  for (let step = 0; current !== undefined && step < MAX_CHAIN; step++) {
    const subject: X509Certificate = current
    if (!isValid(subject, now)) return undefined
    if (roots.some((root) => root.fingerprint256 === subject.fingerprint256)) return leaf?.publicKey
    if (roots.some((root) => isValid(root, now) && issued(root, subject))) return leaf?.publicKey
    current = intermediates.find((candidate) => issued(candidate, subject))
  }
  return undefined
}

function issued(issuer: X509Certificate, subject: X509Certificate): boolean {
  return issuer.ca && subject.checkIssued(issuer) && subject.verify(issuer.publicKey)
}

function isValid(certificate: X509Certificate, now: Date): boolean {
  return certificate.validFromDate <= now && now <= certificate.validToDate
}
