/** What the build cache consists of, and which of it is to go. */

/** Docker's and BuildKit's word for what a record is. */
export type CacheRecordType = 'regular' | 'internal' | 'frontend' | 'source.local' | 'source.git.checkout' | 'exec.cachemount'

export interface CacheRecordInfo {
  id: string
  parents: readonly string[]
  type: CacheRecordType
  description: string
  inUse: boolean
  /** Its layers belong to an image, too. */
  shared: boolean
  /** It changes with use: cache mounts, sent directories. */
  mutable: boolean
  /** Bytes of its own. */
  size: number
  /** Milliseconds since the epoch. */
  createdAt: number
  lastUsedAt: number | undefined
  usageCount: number
}

/**
 * As `docker builder prune --filter`: `until`, `id`, `parent`, `type`, `description`, `inuse`, `mutable`, `immutable`, `shared`, `private`. A name with `~`
 * behind it takes records that have the parts of the text between `.*`, one with `!` those without such a value.
 */
export type CacheFilters = Readonly<Record<string, readonly string[]>>

/** Bytes and milliseconds; 0: does not count. */
export interface CollectionRule {
  all: boolean
  keepDuration: number
  /** Below it nothing is deleted. */
  reservedSpace: number
  maxUsedSpace: number
  minFreeSpace: number
  filters: CacheFilters
}

export interface PruneOptions extends CollectionRule {
  signal?: AbortSignal
  /** Hears of each record as it goes. */
  deleted?: (record: CacheRecordInfo) => void
}
