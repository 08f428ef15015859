import { isDigest, type Digest } from '#oci'
import { RegistryError } from '../http/registry-error.ts'
import { isTag } from '../repositories/names.ts'

export type ManifestReference = { tag: string } | { digest: Digest }

/** sha256 is the one algorithm that every client has; image-spec v1.1 asks for no other. Throws DIGEST_INVALID. */
export function readDigest(text: string): Digest {
  if (isDigest(text)) return text
  const algorithm = /^([a-z0-9+._-]+):[A-Za-z0-9=_-]+$/.exec(text)?.[1]
  const message =
    algorithm === undefined || algorithm === 'sha256'
      ? 'invalid digest'
      : `unsupported digest algorithm "${algorithm}"; this registry takes sha256`
  throw new RegistryError('DIGEST_INVALID', { message, detail: { digest: text } })
}

/** A tag or a digest from a path; undefined for what can be no tag. Throws DIGEST_INVALID. */
export function readReference(text: string): ManifestReference | undefined {
  if (text.includes(':')) return { digest: readDigest(text) }
  return isTag(text) ? { tag: text } : undefined
}

export function manifestUnknown(name: string, reference: string): RegistryError {
  return new RegistryError('MANIFEST_UNKNOWN', { detail: { name, reference } })
}

export function blobUnknown(digest: Digest): RegistryError {
  return new RegistryError('BLOB_UNKNOWN', { detail: { digest } })
}
