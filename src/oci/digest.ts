import type * as Crypto from 'node:crypto'
import { invalidArgument } from '#errors'
import type { Digest } from './image-spec.ts'

/** Loaded when first used: node:crypto costs the CLI 6 ms of its start, and parsing names needs none of it. */
function crypto(): typeof Crypto {
  return process.getBuiltinModule('node:crypto')
}

const SHA256 = /^sha256:[a-f0-9]{64}$/
/** Source: opencontainers/go-digest v1.0.0 digest.go, DigestRegexp. */
const ANY_ALGORITHM = /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/

export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && SHA256.test(text)
}

/** Throws INVALID_ARGUMENT with go-digest's words. Digests become file names: nothing else may pass here. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text
  if (!ANY_ALGORITHM.test(text)) throw invalidArgument('invalid checksum digest format')
  if (!text.startsWith('sha256:')) throw invalidArgument('unsupported digest algorithm')
  throw invalidArgument(text.length === 'sha256:'.length + 64 ? 'invalid checksum digest format' : 'invalid checksum digest length')
}

/** The digest of bytes at hand. */
export function digestOf(content: Uint8Array | string): Digest {
  return `sha256:${crypto().hash('sha256', content, 'hex')}`
}

/** The 64 hex digits after the algorithm. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length)
}

/** Computes a digest piece by piece. */
export interface Digester {
  update(chunk: Uint8Array): void
  /** Ends the computation; once only. */
  digest(): Digest
}

export function createDigester(): Digester {
  const sha256 = crypto().createHash('sha256')
  return {
    update: (chunk) => void sha256.update(chunk),
    digest: () => `sha256:${sha256.digest('hex')}`,
  }
}
