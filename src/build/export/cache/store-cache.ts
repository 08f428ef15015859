/** What caches elsewhere have in common: the steps' layers as blobs, and the config that says what they are of; for registries and layouts, documents that list them. */

import type { ImageService, LayerBlob } from '#images'
import { inParallel } from '#lib'
import type { Descriptor, Digest } from '#oci'
import type { ChainId } from '#snapshots'
import { invalidArgument } from '#errors'
import type { ExportContext, PortableCache } from '../../types.ts'
import type { AttributeReader, CompressionChoice } from '../attributes.ts'
import type { ExportVertex } from '../export-vertex.ts'
import { makeIndex, makeManifest, mediaType } from '../make-manifests.ts'
import type { Document } from '../make-manifests.ts'
import { sealResult } from '../seal-result.ts'
import { storeBytes } from '../store-bytes.ts'
import type { ExporterDeps } from '../types.ts'
import { CACHE_CONFIG_TYPE, encodeCacheConfig } from './cache-config.ts'

export interface CacheDeps extends ExporterDeps {
  images: ExporterDeps['images'] & Pick<ImageService, 'get'>
  /** For services, as variables: `https_proxy` … */
  proxies: Readonly<Record<string, string>>
}

/** Attributes of all cache exports. Source: moby/buildkit cache/remotecache. */
export interface CacheExportOptions {
  mode: 'min' | 'max'
  compression: CompressionChoice
  /** A cache that cannot be written fails no build. */
  ignoreError: boolean
}

/** Of caches that a manifest lists. */
export interface DocumentOptions {
  ociTypes: boolean
  /** A manifest as images have one; else an index that lists layers, which some registries refuse. */
  imageManifest: boolean
}

export interface CacheAssembly {
  deps: CacheDeps
  context: ExportContext
  vertex: ExportVertex
}

/** A cache whose layers are stored. */
export interface CacheContent {
  config: Buffer
  layers: LayerBlob[]
}

/** A cache all of whose documents are stored. */
export interface StoredCache {
  /** Manifest or index. */
  target: Descriptor
  /** Layers and config, with the media types they are listed with. */
  blobs: Descriptor[]
}

export function readCacheOptions(reader: AttributeReader): CacheExportOptions {
  const mode = reader.take('mode') ?? 'min'
  if (mode !== 'min' && mode !== 'max') throw invalidArgument(`invalid cache export mode ${JSON.stringify(mode)}`)
  return { mode, compression: reader.compression(), ignoreError: reader.boolean('ignore-error') ?? false }
}

export function readDocumentOptions(reader: AttributeReader): DocumentOptions {
  const imageManifest = reader.boolean('image-manifest') ?? true
  const ociTypes = reader.boolean('oci-mediatypes') ?? true
  if (imageManifest && !ociTypes) throw invalidArgument('invalid configuration, image-manifest=true requires oci-mediatypes=true')
  return { imageManifest, ociTypes }
}

/** undefined: no step has left a layer. */
export async function storeLayers(assembly: CacheAssembly, options: CacheExportOptions): Promise<CacheContent | undefined> {
  const { cache, chains } = await assembly.vertex.step('preparing build cache for export', (count) =>
    portableCache(assembly, options, count),
  )
  if (cache.records.length === 0) return undefined
  const layers = await compressAll(assembly, chains, options)
  return { config: encodeCacheConfig(cache, new Map(layers.map((layer) => [layer.diffId, layer]))), layers }
}

export async function storeDocuments(
  { deps, context, vertex }: CacheAssembly,
  { config, layers }: CacheContent,
  options: DocumentOptions,
): Promise<StoredCache> {
  const { digest, size } = await vertex.step('writing config', () => storeBytes(deps.content, config, context.lease))
  const described = { mediaType: CACHE_CONFIG_TYPE, digest, size }
  const document = listAll(described, layers, options)
  await storeBytes(deps.content, document.bytes, context.lease)
  const blobs = layers.map(({ digest, size, mediaType: type }): Descriptor => ({
    mediaType: mediaType(type, options.ociTypes),
    digest,
    size,
  }))
  return { target: document.descriptor, blobs: [...blobs, described] }
}

function listAll(config: Descriptor, layers: readonly LayerBlob[], { imageManifest, ociTypes }: DocumentOptions): Document {
  const listed = layers.map(({ digest, size, mediaType: type }): Descriptor => ({ mediaType: mediaType(type, ociTypes), digest, size }))
  return imageManifest ? makeManifest(config, listed, { ociTypes }) : makeIndex([...listed, config], { ociTypes })
}

interface SealedSteps {
  cache: PortableCache
  /** The chain of each layer, by diff id. */
  chains: Map<Digest, ChainId>
}

async function portableCache(
  { deps, context }: CacheAssembly,
  { mode }: CacheExportOptions,
  count: (bytes: number) => void,
): Promise<SealedSteps> {
  const { lease, signal } = context
  const records: PortableCache['records'][number][] = []
  const chains = new Map<Digest, ChainId>()
  const sealed = new Map<ChainId, Digest[]>()
  for (const { keys, chain, description, createdAt, isInResult } of context.steps) {
    if (chain === undefined || (mode === 'min' && !isInResult) || !deps.snapshotter.has(chain)) continue
    if (!sealed.has(chain)) {
      const result = await sealResult(deps, { kind: 'layers', chain }, { lease, signal, progress: count })
      sealed.set(chain, result.diffIds)
      for (const [index, diffId] of result.diffIds.entries()) chains.set(diffId, chains.get(diffId) ?? result.chains[index] ?? chain)
    }
    const [key, ...aliases] = keys
    records.push({ key, aliases, description, createdAt, layers: sealed.get(chain) ?? [] })
  }
  return { cache: { records }, chains }
}

async function compressAll(
  { deps, context, vertex }: CacheAssembly,
  chains: ReadonlyMap<Digest, ChainId>,
  { compression: { type, level, force } }: CacheExportOptions,
): Promise<LayerBlob[]> {
  const { lease, signal } = context
  const blobs = new Map<Digest, LayerBlob>()
  await inParallel([...chains], signal, async ([diffId, chain], stop) => {
    const options = { chain, compression: type, force, lease, signal: stop, ...(level === undefined ? {} : { level }) }
    blobs.set(diffId, await vertex.step(`writing layer ${diffId}`, (progress) => deps.images.layerBlob({ ...options, progress })))
  })
  return [...chains.keys()].flatMap((diffId) => blobs.get(diffId) ?? [])
}

/** The answer for the client, which writes it into its layout. */
export function cacheAnswer(target: Descriptor): Record<string, string> {
  return { 'cache.manifest': JSON.stringify(target) }
}
