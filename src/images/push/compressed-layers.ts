import type { Blob } from '#content'
import type { Metadata } from '#metadata'
import type { Digest } from '#oci'

/**
 * What layers became when they were compressed for a push. The blob itself is not kept; with its digest the next push finds it in a registry without
 * compressing the layer again.
 */
export interface CompressedLayers {
  get(diffId: Digest): Blob | undefined
  set(diffId: Digest, blob: Blob): void
  /** Another version of the compressor made something else of it. */
  forget(diffId: Digest): void
  /** Digests of all that is remembered. */
  blobs(): Set<Digest>
  /** Forgets all layers for which `isKept` is false. */
  retain(isKept: (diffId: Digest) => boolean): void
}

export function createCompressedLayers({ metadata }: { metadata: Metadata }): CompressedLayers {
  const repository = metadata.repository<Blob>('compressedLayers')
  const rows = new Map(repository.all().map(({ key, value }) => [key as Digest, value]))

  function forget(diffId: Digest): void {
    repository.delete(diffId)
    rows.delete(diffId)
  }

  return {
    get: (diffId) => rows.get(diffId),
    set(diffId, { digest, size }) {
      const known = rows.get(diffId)
      if (known?.digest === digest) return
      repository.put(diffId, { digest, size })
      rows.set(diffId, { digest, size })
    },
    forget,
    blobs: () => new Set(rows.values().map(({ digest }) => digest)),
    retain(isKept) {
      for (const diffId of rows.keys()) if (!isKept(diffId)) forget(diffId)
    },
  }
}
