/**
 * The description of an exported cache. Its frame is BuildKit's (moby/buildkit cache/remotecache/v1/spec.go), so that registries, tools and BuildKit itself
 * take it for a cache; keys are this engine's, and mean nothing to BuildKit.
 */

import { invalidArgument } from '#errors'
import { parseJson } from '#lib'
import { isDigest } from '#oci'
import type { Descriptor, Digest } from '#oci'
import type { PortableCache } from '../../types.ts'
import { timeText, withinYears } from '../epoch.ts'

export const CACHE_CONFIG_TYPE = 'application/vnd.buildkit.cacheconfig.v0'

/** Bytes. Ten thousand steps with a hundred layers each stay below it. */
export const MAX_CACHE_CONFIG: number = 32 * 1024 * 1024
const MAX_RECORDS = 100_000
const MAX_LAYERS = 100_000
/** As overlayfs's; a chain that goes round in a circle ends here. */
const MAX_DEPTH = 128

/** A layer's blob as it lies in the cache. Its media type is the OCI's. */
export interface CachedLayer extends Descriptor {
  diffId: Digest
}

interface LayerEntry {
  blob?: string
  parent?: number
  annotations?: { mediaType?: string; diffID?: string; size?: number }
}

/** `blobs`: by diff id; undefined: the layers are an image's, in order, and its manifest knows the blobs. */
export function encodeCacheConfig(cache: PortableCache, blobs: ReadonlyMap<Digest, CachedLayer> | undefined): Buffer {
  const layers: LayerEntry[] = []
  const places = new Map<string, number>()

  /** Index of the topmost layer of a stack, which may stand on one that is there already. */
  function place(diffIds: readonly Digest[]): number {
    let parent = -1
    let path = ''
    for (const diffId of diffIds) {
      path += diffId
      const known = places.get(path)
      if (known === undefined) {
        const blob = blobs?.get(diffId)
        layers.push({
          ...(blob === undefined ? {} : { blob: blob.digest }),
          parent,
          annotations: { diffID: diffId, ...(blob === undefined ? {} : { mediaType: blob.mediaType, size: blob.size }) },
        })
        places.set(path, layers.length - 1)
      }
      parent = known ?? layers.length - 1
    }
    return parent
  }

  const records = cache.records
    .filter((record) => record.layers.length > 0)
    .toSorted((a, b) => a.layers.length - b.layers.length || (a.key < b.key ? -1 : 1))
    .map(({ key, aliases, description, createdAt, layers: diffIds }) => ({
      digest: key,
      layers: [{ layer: place(diffIds), createdAt: timeText(createdAt) }],
      'gantry.aliases': aliases,
      'gantry.description': description,
    }))
  return Buffer.from(JSON.stringify({ layers, records }))
}

export interface DecodedCache {
  cache: PortableCache
  /** By diff id; empty for an inline cache. */
  blobs: Map<Digest, CachedLayer>
}

/** Records that are not ours are left out. Throws INVALID_ARGUMENT for what is no cache config. */
export function decodeCacheConfig(bytes: Buffer): DecodedCache {
  const config = parseJson(bytes, { maxBytes: MAX_CACHE_CONFIG, maxDepth: 16 }) as { layers?: unknown; records?: unknown } | null
  const layers = list(config?.layers, MAX_LAYERS, 'layers') as (LayerEntry | null)[]
  const blobs = new Map<Digest, CachedLayer>()
  for (const layer of layers) {
    const { diffID, mediaType, size } = layer?.annotations ?? {}
    const digest = layer?.blob
    if (!isDigestText(digest) || !isDigestText(diffID) || typeof size !== 'number' || typeof mediaType !== 'string') continue
    blobs.set(diffID, { diffId: diffID, digest, size, mediaType })
  }
  // Many records may stand on the same stack.
  const stacks = new Map<number, Digest[] | undefined>()
  const stack = (top: number): Digest[] | undefined => {
    if (!stacks.has(top)) stacks.set(top, stackOf(top, layers))
    return stacks.get(top)
  }
  const records = list(config?.records, MAX_RECORDS, 'records').flatMap((record) => decodeRecord(record as RecordEntry | null, stack))
  return { cache: { records }, blobs }
}

interface RecordEntry {
  digest?: unknown
  layers?: unknown
  'gantry.aliases'?: unknown
  'gantry.description'?: unknown
}

function decodeRecord(record: RecordEntry | null, stackOfLayer: (top: number) => Digest[] | undefined): PortableCache['records'] {
  const aliases = record?.['gantry.aliases']
  const key = record?.digest
  const [result] = Array.isArray(record?.layers) ? (record.layers as { layer?: unknown; createdAt?: unknown }[]) : []
  if (!isDigestText(key) || !Array.isArray(aliases) || typeof result?.layer !== 'number') return []
  const diffIds = stackOfLayer(result.layer)
  if (diffIds === undefined) return []
  const description = record?.['gantry.description']
  return [
    {
      key,
      aliases: aliases.filter(isDigestText),
      description: typeof description === 'string' ? description : '',
      createdAt: withinYears(typeof result.createdAt === 'string' ? Date.parse(result.createdAt) || 0 : 0),
      layers: diffIds,
    },
  ]
}

/** Diff ids from the lowest layer to this one; undefined when one is missing. */
function stackOf(top: number, layers: readonly (LayerEntry | null)[]): Digest[] | undefined {
  const diffIds: Digest[] = []
  for (let index = top; index >= 0 && diffIds.length < MAX_DEPTH; index = layers[index]?.parent ?? -1) {
    const diffId = layers[index]?.annotations?.diffID
    if (!isDigestText(diffId)) return undefined
    diffIds.push(diffId)
  }
  return diffIds.length < MAX_DEPTH ? diffIds.reverse() : undefined
}

function list(value: unknown, limit: number, what: string): unknown[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value) || value.length > limit) throw invalidArgument(`invalid cache config: ${what}`)
  return value
}

function isDigestText(value: unknown): value is Digest {
  return typeof value === 'string' && isDigest(value)
}
