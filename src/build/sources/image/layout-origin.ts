import { invalidArgument, notFound } from '#errors'
import type { ImageOrigin } from '#images'
import { LimitExceededError, readLimited } from '#lib'
import { MAX_MANIFEST_SIZE } from '#oci'
import type { Digest } from '#oci'
import type { RemoteManifest } from '#remotes'
import type { ClientStore } from '../../session.ts'

/** An OCI layout of the client as a place that images come from. Whoever stores what it gives checks the digests. */
export function layoutOrigin(store: ClientStore): ImageOrigin {
  async function fetchManifest(
    place: { tag: string } | { digest: Digest },
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<RemoteManifest> {
    if (!('digest' in place)) throw invalidArgument('an image of an OCI layout must be named by its digest')
    const { digest } = place
    const bytes = await readDocument(store, digest, signal ?? new AbortController().signal)
    return { descriptor: { mediaType: '', digest, size: bytes.length }, bytes }
  }

  return {
    fetchManifest,
    resolve: async (place, options) => (await fetchManifest(place, options)).descriptor,
    async *fetchBlob({ digest }, { signal, offset = 0 } = {}) {
      let skip = offset
      for await (const chunk of store.read(digest, { signal: signal ?? new AbortController().signal })) {
        const wanted = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).subarray(skip)
        skip = Math.max(0, skip - chunk.length)
        if (wanted.length > 0) yield wanted
      }
    },
  }
}

async function readDocument(store: ClientStore, digest: Digest, signal: AbortSignal): Promise<Buffer> {
  const size = await store.size(digest)
  if (size === undefined) throw notFound(`${digest}: not found`)
  try {
    return Buffer.from(await readLimited(store.read(digest, { signal }), MAX_MANIFEST_SIZE, 'manifest'))
  } catch (error) {
    if (error instanceof LimitExceededError) throw invalidArgument(error.message, error)
    throw error
  }
}
