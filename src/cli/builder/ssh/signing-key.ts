import { createPublicKey, sign, type KeyObject, type webcrypto } from 'node:crypto'
import { ECDSA_CURVES } from './ecdsa-curves.ts'
import { mpint, string } from './wire.ts'

/** What an agent does with a private key. */
export interface SigningKey {
  /** The public key, by which servers and agents name it. Source: RFC 4253, section 6.6. */
  readonly blob: Buffer
  /** Signature in SSH's form. `flags`: which hash, of RSA. */
  sign(data: Buffer, flags: number): Buffer
}

/** Source: RFC 8332; draft-miller-ssh-agent, section 4.5.1. */
const SSH_AGENT_RSA_SHA2_256 = 2
const SSH_AGENT_RSA_SHA2_512 = 4

/** Throws Error for kinds of keys that SSH, or this program, does not know. */
export function signingKey(key: KeyObject): SigningKey {
  if (key.asymmetricKeyType === 'ed25519') return ed25519Key(key)
  if (key.asymmetricKeyType === 'rsa') return rsaKey(key)
  if (key.asymmetricKeyType === 'ec') return ecdsaKey(key)
  throw new Error(`unsupported key type ${key.asymmetricKeyType ?? 'of no name'}`)
}

/** Source: RFC 8709. */
function ed25519Key(key: KeyObject): SigningKey {
  const name = string('ssh-ed25519')
  return {
    blob: Buffer.concat([name, string(member(publicKey(key), 'x'))]),
    sign: (data) => Buffer.concat([name, string(sign(null, data, key))]),
  }
}

function rsaKey(key: KeyObject): SigningKey {
  const jwk = publicKey(key)
  return {
    blob: Buffer.concat([string('ssh-rsa'), mpint(member(jwk, 'e')), mpint(member(jwk, 'n'))]),
    sign(data, flags) {
      const [name, hash] = rsaAlgorithm(flags)
      return Buffer.concat([string(name), string(sign(hash, data, key))])
    },
  }
}

function rsaAlgorithm(flags: number): [name: string, hash: string] {
  if ((flags & SSH_AGENT_RSA_SHA2_512) !== 0) return ['rsa-sha2-512', 'sha512']
  if ((flags & SSH_AGENT_RSA_SHA2_256) !== 0) return ['rsa-sha2-256', 'sha256']
  return ['ssh-rsa', 'sha1']
}

/** Source: RFC 5656, sections 3.1.1 and 3.1.2. */
function ecdsaKey(key: KeyObject): SigningKey {
  const jwk = publicKey(key)
  const curve = ECDSA_CURVES.find((known) => known.jwk === jwk.crv)
  if (curve === undefined) throw new Error(`unsupported elliptic curve ${jwk.crv}`)
  const name = string(`ecdsa-sha2-${curve.name}`)
  const point = Buffer.concat([Buffer.of(4), member(jwk, 'x'), member(jwk, 'y')])
  return {
    blob: Buffer.concat([name, string(curve.name), string(point)]),
    sign(data) {
      const numbers = sign(curve.hash, data, { key, dsaEncoding: 'ieee-p1363' })
      const [r, s] = [numbers.subarray(0, curve.bytes), numbers.subarray(curve.bytes)]
      return Buffer.concat([name, string(Buffer.concat([mpint(r), mpint(s)]))])
    },
  }
}

function publicKey(key: KeyObject): webcrypto.JsonWebKey {
  return createPublicKey(key).export({ format: 'jwk' })
}

function member(jwk: webcrypto.JsonWebKey, name: 'e' | 'n' | 'x' | 'y'): Buffer {
  return Buffer.from(jwk[name] ?? '', 'base64url')
}
