import type { Digest } from '#oci'
import { RegistryError } from '../http/registry-error.ts'
import type { ManifestDocument } from './manifest-document.ts'
import type { Repository } from './types.ts'

/** Looked for at a time. */
const PARALLEL = 16

/**
 * Whether all that a manifest refers to is in the repository; and keeps it there for as long as a collection needs to see the manifest. The subject may
 * be missing (distribution-spec v1.1, "Pushing Manifests with Subject"). Throws MANIFEST_BLOB_UNKNOWN with an entry for each that is missing.
 */
export async function checkReferences(repository: Repository, { blobs, manifests }: ManifestDocument): Promise<void> {
  const unknown: Digest[] = []
  const wanted = [
    ...blobs.map((digest) => ({ digest, isThere: () => repository.keepBlob(digest) })),
    ...manifests.map((digest) => ({ digest, isThere: () => repository.keepManifest(digest) })),
  ]
  for (let first = 0; first < wanted.length; first += PARALLEL) {
    await Promise.all(
      wanted.slice(first, first + PARALLEL).map(async ({ digest, isThere }) => {
        if (!(await isThere())) unknown.push(digest)
      }),
    )
  }
  if (unknown.length > 0) {
    const details = unknown.map((digest) => ({ digest }))
    throw new RegistryError('MANIFEST_BLOB_UNKNOWN', {}, details)
  }
}
