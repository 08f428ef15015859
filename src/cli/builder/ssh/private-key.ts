import { createPrivateKey, type KeyObject, type webcrypto } from 'node:crypto'
import { encryptedKeyError } from './encrypted-key-error.ts'
import { openSshKey } from './openssh-key.ts'

/** A private key, and what its file calls it. */
export interface PrivateKey {
  key: KeyObject
  comment: string
}

const OPENSSH = /^-----BEGIN OPENSSH PRIVATE KEY-----\s([A-Za-z0-9+/=\s]+)-----END OPENSSH PRIVATE KEY-----/m

/** A key file: as ssh-keygen writes it, or PEM (PKCS #1, PKCS #8, SEC 1). Throws Error for what is none, and for one that is encrypted. */
export function parsePrivateKey(text: string): PrivateKey {
  const encoded = OPENSSH.exec(text)?.[1]
  if (encoded !== undefined) {
    const { jwk, comment } = openSshKey(Buffer.from(encoded, 'base64'))
    return { key: importKey(jwk), comment }
  }
  // Two headers of two formats; Node's own error speaks of OpenSSL's insides.
  if (/^(?:Proc-Type: 4,ENCRYPTED|-----BEGIN ENCRYPTED PRIVATE KEY-----)/m.test(text)) throw encryptedKeyError()
  if (!text.includes('PRIVATE KEY-----')) throw new Error('no key found')
  try {
    return { key: createPrivateKey(text), comment: '' }
  } catch (error) {
    throw new Error('not a private key', { cause: error })
  }
}

function importKey(jwk: webcrypto.JsonWebKey): KeyObject {
  try {
    return createPrivateKey({ key: jwk, format: 'jwk' })
  } catch (error) {
    throw new Error('not a private key', { cause: error })
  }
}
