import { chainIds } from '#oci'
import type { Digest } from '#oci'
import type { ChainId, DraftLayers } from '#snapshots'
import type { CacheFilters, CacheRecordInfo, CollectionRule, PruneOptions } from './types.ts'
import type { BuildCache } from './build-cache.ts'
import type { CacheRecord } from './cache-record.ts'
import { chooseRecords } from './choose-records.ts'
import { matchesFilters } from './filter-records.ts'

/** A part of the cache that holds no results of steps: cache mounts, directories that were sent. */
export interface CacheStore {
  /** Measured; `inUse` while a step or build has it. */
  list(): Promise<CacheRecordInfo[]>
  /** Throws NOT_FOUND, or CONFLICT when it came into use meanwhile. */
  remove(id: string): void | Promise<void>
}

export interface CacheUsageDeps {
  cache: BuildCache
  snapshotter: Pick<DraftLayers, 'layersOf' | 'draftUsage'>
  stores: readonly CacheStore[]
  /** Diff ids of layers that images have. */
  imageLayers: () => ReadonlySet<Digest>
  /** Bytes of the disk that nothing uses. */
  freeSpace: () => number
  now: () => number
  /** Frees layers that nothing names any more; goes on in the background. */
  released: () => void
  report: (error: unknown) => void
}

/** What the cache takes, and making it take less. */
export interface CacheUsage {
  list(filters: CacheFilters): Promise<CacheRecordInfo[]>
  prune(options: PruneOptions): Promise<CacheRecordInfo[]>
  /** Applies rules one after the other, in the background; a call meanwhile asks for another run. */
  collect(rules: readonly CollectionRule[]): void
  settled(): Promise<void>
}

export function createCacheUsage(deps: CacheUsageDeps): CacheUsage {
  const { cache, stores } = deps
  let collecting: Promise<void> | undefined
  let again = false

  async function all(): Promise<CacheRecordInfo[]> {
    const inImages = deps.imageLayers()
    const steps = await Promise.all(cache.all().map((record) => describe(deps, record, inImages)))
    const others = await Promise.all(stores.map((store) => store.list()))
    return [...steps, ...others.flat()]
  }

  async function remove({ id }: CacheRecordInfo): Promise<boolean> {
    if (cache.get(id) !== undefined) {
      // Since it was chosen a build may have found it, or made something of it.
      if (cache.isPinned(id) || cache.hasChildren(id)) return false
      cache.delete(id)
      return true
    }
    for (const store of stores) {
      try {
        await store.remove(id)
        return true
      } catch {
        // Another store's, gone, or in use.
      }
    }
    return false
  }

  async function prune(options: PruneOptions): Promise<CacheRecordInfo[]> {
    const removed: CacheRecordInfo[] = []
    try {
      for (const record of chooseRecords(await all(), options, deps.freeSpace(), deps.now())) {
        options.signal?.throwIfAborted()
        if (!(await remove(record))) continue
        removed.push(record)
        options.deleted?.(record)
      }
    } finally {
      if (removed.length > 0) deps.released()
    }
    return removed
  }

  async function work(rules: readonly CollectionRule[]): Promise<void> {
    try {
      while (again) {
        again = false
        for (const rule of rules) await prune(rule)
      }
    } catch (error) {
      deps.report(error)
    } finally {
      collecting = undefined
    }
  }

  return {
    list: async (filters) => (await all()).filter((record) => matchesFilters(record, filters)),
    prune,
    collect(rules) {
      again = true
      collecting ??= work(rules)
    },
    settled: async () => await collecting,
  }
}

async function describe(deps: CacheUsageDeps, record: CacheRecord, inImages: ReadonlySet<Digest>): Promise<CacheRecordInfo> {
  const { id, parents, type, description, createdAt, lastUsedAt, usageCount, outputs } = record
  return {
    id,
    parents: parents.filter((parent) => deps.cache.get(parent) !== undefined),
    type,
    description,
    inUse: deps.cache.isPinned(id),
    shared: outputs.some(({ chain }) => isShared(deps, chain, inImages)),
    mutable: false,
    size: record.size ?? (await measure(deps, record)),
    createdAt,
    lastUsedAt,
    usageCount,
  }
}

/** A step's result is an image's, too, when its topmost layer is: as it is, or sealed. */
function isShared({ snapshotter }: CacheUsageDeps, chain: ChainId | undefined, inImages: ReadonlySet<Digest>): boolean {
  const top = chain === undefined ? undefined : snapshotter.layersOf(chain).at(-1)
  return top !== undefined && inImages.has(top.sealed ?? top.id)
}

/** Bytes of the layers that no parent has. Measured once: layers do not change. */
async function measure({ cache, snapshotter }: CacheUsageDeps, record: CacheRecord): Promise<number> {
  const layersOf = ({ outputs }: Pick<CacheRecord, 'outputs'>): Map<Digest, ChainId> =>
    new Map(outputs.flatMap(({ chain }) => (chain === undefined ? [] : layers(snapshotter, chain))))
  try {
    const own = layersOf(record)
    for (const parent of record.parents) for (const id of layersOf(cache.get(parent) ?? { outputs: [] }).keys()) own.delete(id)
    let size = 0
    for (const chain of own.values()) {
      size += (await snapshotter.draftUsage(chain)).size
    }
    cache.setSize(record.id, size)
    return size
  } catch {
    return 0 // its layers are just going
  }
}

/** The layers of a chain, each with the chain that it is the top of. */
function layers(snapshotter: CacheUsageDeps['snapshotter'], top: ChainId): [Digest, ChainId][] {
  const ids = snapshotter.layersOf(top).map(({ id }) => id)
  const chains = chainIds(ids)
  return ids.map((id, index) => [id, chains[index] ?? top])
}
