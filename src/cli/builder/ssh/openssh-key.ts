import type { webcrypto } from 'node:crypto'
import { encryptedKeyError } from './encrypted-key-error.ts'
import { ECDSA_CURVES } from './ecdsa-curves.ts'
import { WireReader } from './wire.ts'

const MAGIC = 'openssh-key-v1\0'

/** The content of `OPENSSH PRIVATE KEY`: one key that is not encrypted. Throws Error. Source: openssh PROTOCOL.key. */
export function openSshKey(bytes: Buffer): { jwk: webcrypto.JsonWebKey; comment: string } {
  try {
    return readKey(bytes)
  } catch (error) {
    throw error instanceof RangeError ? new Error('the key is cut off', { cause: error }) : error
  }
}

function readKey(bytes: Buffer): { jwk: webcrypto.JsonWebKey; comment: string } {
  const file = new WireReader(bytes)
  if (file.bytes(MAGIC.length).toString('latin1') !== MAGIC) throw new Error('invalid openssh private key format')
  const [cipher, derivation] = [file.text(), file.text()]
  file.string()
  if (cipher !== 'none' || derivation !== 'none') throw encryptedKeyError()
  if (file.uint32() !== 1) throw new Error('a file with several keys')
  file.string()
  const secret = new WireReader(file.string())
  // Twice the same number: a wrong passphrase would show in it.
  if (secret.uint32() !== secret.uint32()) throw new Error('malformed key')
  const jwk = readFields(secret.text(), secret)
  return { jwk, comment: secret.text() }
}

function readFields(type: string, secret: WireReader): webcrypto.JsonWebKey {
  if (type === 'ssh-ed25519') {
    const x = secret.string()
    // Seed, and the public key once more.
    const d = secret.string().subarray(0, 32)
    return { kty: 'OKP', crv: 'Ed25519', x: base64(x), d: base64(d) }
  }
  if (type === 'ssh-rsa') {
    const [n, e, d, qi, p, q] = [secret.mpint(), secret.mpint(), secret.mpint(), secret.mpint(), secret.mpint(), secret.mpint()]
    const [dp, dq] = [p, q].map((prime) => remainder(d, prime))
    return { kty: 'RSA', ...mapped({ n, e, d, p, q, dp, dq, qi }) }
  }
  const curve = ECDSA_CURVES.find(({ name }) => type === `ecdsa-sha2-${name}`)
  if (curve === undefined) throw new Error(`unsupported key type ${type}`)
  secret.string()
  const point = secret.string()
  const d = secret.mpint()
  // 4, and both coordinates.
  const x = point.subarray(1, 1 + curve.bytes)
  const y = point.subarray(1 + curve.bytes)
  return { kty: 'EC', crv: curve.jwk, ...mapped({ x, y, d: Buffer.concat([Buffer.alloc(curve.bytes - d.length), d]) }) }
}

/** `d` modulo `prime - 1`, which node wants and the file has not. */
function remainder(d: Buffer, prime: Buffer): Buffer {
  const value = BigInt(`0x${d.toString('hex')}`) % (BigInt(`0x${prime.toString('hex')}`) - 1n)
  const hex = value.toString(16)
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
}

function mapped(fields: Readonly<Record<string, Buffer | undefined>>): webcrypto.JsonWebKey {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, base64(value ?? Buffer.alloc(0))]))
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64url')
}
