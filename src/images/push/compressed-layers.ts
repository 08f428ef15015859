import type { Blob } from '#content'
import type { Metadata } from '#metadata'
import type { Digest } from '#oci'

/** How a layer was compressed where it was not done as for a push: `zstd:3`. */
export type LayerVariant = `${'gzip' | 'zstd'}:${number}`

/**
 * What layers became when they were compressed, for a push or an export. The blob itself is kept only while a manifest names it; with its digest the next push
 * finds it in a registry without compressing the layer again. Without a variant: as for a push.
 */
export interface CompressedLayers {
  get(diffId: Digest, variant?: LayerVariant): Blob | undefined
  set(diffId: Digest, blob: Blob, variant?: LayerVariant): void
  /** Another version of the compressor made something else of it. */
  forget(diffId: Digest): void
  /** Digests of all that is remembered. */
  blobs(): Set<Digest>
  /** By diff id, what a push makes of layers, and so can make again. */
  pushed(): Map<Digest, Digest>
  /** Forgets all layers for which `isKept` is false. */
  retain(isKept: (diffId: Digest) => boolean): void
}

export function createCompressedLayers({ metadata }: { metadata: Metadata }): CompressedLayers {
  const repository = metadata.repository<Blob>('compressedLayers')
  const rows = new Map(repository.all().map(({ key, value }) => [key, value]))

  function forget(key: string): void {
    repository.delete(key)
    rows.delete(key)
  }

  return {
    get: (diffId, variant) => rows.get(keyOf(diffId, variant)),
    set(diffId, { digest, size }, variant) {
      const key = keyOf(diffId, variant)
      if (rows.get(key)?.digest === digest) return
      repository.put(key, { digest, size })
      rows.set(key, { digest, size })
    },
    forget,
    blobs: () => new Set(rows.values().map(({ digest }) => digest)),
    pushed: () => new Map([...rows].flatMap(([key, { digest }]) => (diffIdOf(key) === key ? [[key, digest]] : []))),
    retain(isKept) {
      for (const key of rows.keys()) if (!isKept(diffIdOf(key))) forget(key)
    },
  }
}

function keyOf(diffId: Digest, variant: LayerVariant | undefined): string {
  return variant === undefined ? diffId : `${diffId}@${variant}`
}

function diffIdOf(key: string): Digest {
  return key.split('@', 1)[0] as Digest
}
