/** Curves of ECDSA: SSH's name, JWK's name, length of a coordinate in bytes, hash of what is signed. Source: RFC 5656, sections 6.2.1 and 10.1. */
export const ECDSA_CURVES: readonly { name: string; jwk: string; bytes: number; hash: string }[] = [
  { name: 'nistp256', jwk: 'P-256', bytes: 32, hash: 'sha256' },
  { name: 'nistp384', jwk: 'P-384', bytes: 48, hash: 'sha384' },
  { name: 'nistp521', jwk: 'P-521', bytes: 66, hash: 'sha512' },
]
