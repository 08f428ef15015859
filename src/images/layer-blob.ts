/** Layers as blobs of a wanted compression, for manifests that are made here. */

import { availableParallelism } from 'node:os'
import { detectCompression } from '#archive'
import type { ContentStore } from '#content'
import { KeyedMutex, Semaphore } from '#lib'
import { MEDIA_TYPES } from '#oci'
import type { Digest } from '#oci'
import type { Layer, Snapshotter } from '#snapshots'
import { createLayerCompressor } from './push/compress-layer.ts'
import type { LayerEncoding } from './push/compress-layer.ts'
import type { CompressedLayers, LayerVariant } from './push/compressed-layers.ts'
import { readStart } from './read-start.ts'
import type { LayerBlob, LayerBlobOptions } from './types.ts'

/** Enough to tell gzip and zstd. */
const MAGIC_LENGTH = 16

/** Gives layers as stored blobs; see `ImageService.layerBlob`. */
export type GetLayerBlob = (options: LayerBlobOptions) => Promise<LayerBlob>

export function createLayerBlobs(deps: { content: ContentStore; snapshotter: Snapshotter; compressed: CompressedLayers }): GetLayerBlob {
  const { content, snapshotter, compressed } = deps
  // Each keeps one thread busy; more than there are processors only cost memory.
  const compressions = new Semaphore(availableParallelism)
  // Two exports of one layer: the second finds what the first has made.
  const mutex = new KeyedMutex()

  /** The layer as it came, if that is a compression to be used. */
  function asItCame({ blob, diffId }: Layer, { compression, force }: LayerBlobOptions): LayerBlob | undefined {
    if (!content.has(blob)) return undefined
    const found = detectCompression(readStart(content.path(blob), MAGIC_LENGTH))
    const type = found === 'none' ? 'uncompressed' : found
    if (type === 'bzip2' || type === 'xz') return undefined // no media type names them
    // A layer that was made here has no compression that somebody chose.
    const isFine = type === compression || (!force && type !== 'uncompressed')
    return isFine ? { diffId, digest: blob, size: content.size(blob), mediaType: MEDIA_TYPE_OF[type] } : undefined
  }

  async function make(layer: Layer, options: LayerBlobOptions): Promise<{ digest: Digest; size: number }> {
    const { chain, compression, level, lease, signal, progress = () => {} } = options
    const { diffId, tarSize } = layer
    if (compression === 'uncompressed') {
      lease.hold(diffId) // before the look: a collection must not come in between
      if (content.has(diffId)) return { digest: diffId, size: tarSize }
      return await content.ingest(snapshotter.layerTar(chain), { lease, digest: diffId, ...(signal === undefined ? {} : { signal }) })
    }
    const encoding = encodingOf(compression, level)
    const variant = variantOf(encoding)
    const known = compressed.get(diffId, variant)
    if (known !== undefined) lease.hold(known.digest)
    if (known !== undefined && content.has(known.digest)) return known
    using _place = await compressions.take(signal)
    const compressor = createLayerCompressor(() => snapshotter.layerTar(chain), progress, encoding)
    const blob = await content.ingest(compressor.open(signal), { lease, ...(signal === undefined ? {} : { signal }) })
    compressed.set(diffId, blob, variant)
    return blob
  }

  return async (options) => {
    const { chain, compression, lease } = options
    const layer = snapshotter.layer(chain)
    const kept = asItCame(layer, options)
    if (kept !== undefined) {
      lease.hold(kept.digest)
      return kept
    }
    using _lock = await mutex.lock(`${layer.diffId}@${compression}`)
    const { digest, size } = await make(layer, options)
    return { diffId: layer.diffId, digest, size, mediaType: MEDIA_TYPE_OF[compression] }
  }
}

const MEDIA_TYPE_OF = {
  uncompressed: MEDIA_TYPES.ociLayer,
  gzip: MEDIA_TYPES.ociLayerGzip,
  zstd: MEDIA_TYPES.ociLayerZstd,
} as const

/** gzip as for a push, so that both make the same blobs; zstd's own default. */
function encodingOf(type: 'gzip' | 'zstd', level: number | undefined): LayerEncoding {
  return { type, level: level ?? (type === 'gzip' ? 4 : 3) }
}

function variantOf({ type, level }: LayerEncoding): LayerVariant | undefined {
  return type === 'gzip' && level === 4 ? undefined : `${type}:${level}`
}
