import { chainIds } from '#oci'
import type { ChainId, DraftLayers, Snapshotter } from '#snapshots'
import type { CacheFilters, CacheRecordInfo, CollectionRule, PruneOptions } from '../types.ts'
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
  snapshotter: Pick<Snapshotter, 'findLayer'> & Pick<DraftLayers, 'layersOf' | 'draftUsage'>
  stores: readonly CacheStore[]
  /** Chains that images have. */
  imageChains: () => ReadonlySet<ChainId>
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
    const inImages = deps.imageChains()
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

async function describe(deps: CacheUsageDeps, record: CacheRecord, inImages: ReadonlySet<ChainId>): Promise<CacheRecordInfo> {
  const { id, parents, type, description, createdAt, lastUsedAt, usageCount, outputs } = record
  return {
    id,
    parents: parents.filter((parent) => deps.cache.get(parent) !== undefined),
    type,
    description,
    inUse: deps.cache.isPinned(id),
    shared: outputs.some(({ chain }) => chain !== undefined && inImages.has(chain)),
    mutable: false,
    size: record.size ?? (await measure(deps, record)),
    createdAt,
    lastUsedAt,
    usageCount,
  }
}

/** Bytes of the layers that no parent has. Measured once: layers do not change. */
async function measure({ cache, snapshotter }: CacheUsageDeps, record: CacheRecord): Promise<number> {
  const layersOf = ({ outputs }: CacheRecord): Map<string, { chain: ChainId; isDraft: boolean }> =>
    new Map(outputs.flatMap(({ chain }) => (chain === undefined ? [] : layers(snapshotter, chain))))
  try {
    const own = layersOf(record)
    for (const parent of record.parents) for (const id of layersOf(cache.get(parent) ?? { ...record, outputs: [] }).keys()) own.delete(id)
    let size = 0
    for (const [id, { chain, isDraft }] of own) {
      const layer = isDraft ? await snapshotter.draftUsage(chain) : snapshotter.findLayer(id as ChainId)
      size += layer?.size ?? 0
    }
    cache.setSize(record.id, size)
    return size
  } catch {
    return 0 // its layers are just going
  }
}

function layers(snapshotter: CacheUsageDeps['snapshotter'], top: ChainId): [string, { chain: ChainId; isDraft: boolean }][] {
  const members = snapshotter.layersOf(top)
  const chains = chainIds(members.map(({ id }) => id))
  return members.map(({ id, isDraft }, index) => [id, { chain: chains[index] ?? top, isDraft }])
}
