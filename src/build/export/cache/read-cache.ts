/** What the documents of a cache say: a cache of its own, in either of BuildKit's two forms, or images with a cache in their configs. */

import { invalidArgument } from '#errors'
import { decodeImageConfig, decodeManifest, MAX_CONFIG_SIZE } from '#oci'
import type { Descriptor, Digest, ImageManifest } from '#oci'
import { INLINE_CACHE_FIELD } from '../complete-config.ts'
import { CACHE_CONFIG_TYPE, decodeCacheConfig, MAX_CACHE_CONFIG } from './cache-config.ts'
import type { CachedLayer, DecodedCache } from './cache-config.ts'

export type ReadBlob = (descriptor: Descriptor) => Promise<Buffer>

export interface CacheReader {
  read: ReadBlob
  /** A manifest that an index lists. */
  manifest: (digest: Digest) => Promise<Buffer>
}

/** `bytes`: manifest or index. An image without a cache gives no records. Throws INVALID_ARGUMENT. */
export async function readCacheManifest(bytes: Buffer, reader: CacheReader): Promise<DecodedCache> {
  const document = decodeManifest(bytes)
  const read = limitedInAll(reader.read)
  if (document.kind === 'manifest') return await readManifest(document.manifest, read)
  const { manifests } = document.index
  const config = manifests.find(({ mediaType }) => mediaType === CACHE_CONFIG_TYPE)
  if (config !== undefined) return decodeCacheConfig(await read(config))
  const found: DecodedCache[] = []
  for (const { digest, platform } of manifests) {
    if (platform?.os === 'unknown') continue // an attestation
    const inner = decodeManifest(await reader.manifest(digest))
    if (inner.kind === 'manifest') found.push(await readManifest(inner.manifest, read))
  }
  return { cache: { records: found.flatMap(({ cache }) => cache.records) }, blobs: new Map(found.flatMap(({ blobs }) => [...blobs])) }
}

async function readManifest({ config, layers }: ImageManifest, read: ReadBlob): Promise<DecodedCache> {
  const bytes = await read(config)
  if (config.mediaType === CACHE_CONFIG_TYPE) return decodeCacheConfig(bytes)
  if (bytes.length > MAX_CONFIG_SIZE) throw invalidArgument('image config is too large')
  return readInlineCache(decodeImageConfig(bytes), layers)
}

/** `layers`: those of the image's manifest; empty for an image that is here, whose layers are, too. */
export function readInlineCache(config: object, layers: readonly Descriptor[]): DecodedCache {
  const field: unknown = (config as Record<string, unknown>)[INLINE_CACHE_FIELD]
  if (typeof field !== 'string') return { cache: { records: [] }, blobs: new Map() }
  const { cache } = decodeCacheConfig(Buffer.from(field, 'base64'))
  const { diff_ids: diffIds } = (config as { rootfs: { diff_ids: Digest[] } }).rootfs
  const blobs = diffIds.flatMap((diffId, index): CachedLayer[] => {
    const layer = layers[index]
    return layer === undefined ? [] : [{ ...layer, diffId }]
  })
  return { cache, blobs: new Map(blobs.map((blob) => [blob.diffId, blob])) }
}

/** Configs together may be as large as one: an index of a hostile registry lists thousands. */
function limitedInAll(read: ReadBlob): ReadBlob {
  let left = MAX_CACHE_CONFIG
  return async (config) => {
    if (config.size > left) throw invalidArgument(`cache config of ${config.size} bytes is too large`)
    const bytes = await read(config)
    left -= bytes.length
    return bytes
  }
}
