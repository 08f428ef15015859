import type { CollectionRule } from './types.ts'

/** Space as configured, bytes; all 0: by the size of the disk. */
export interface CacheSpace {
  reservedSpace: number
  maxUsedSpace: number
  minFreeSpace: number
}

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** Parts of the disk. */
const DEFAULT_SHARES = { reservedSpace: 0.1, maxUsedSpace: 0.8, minFreeSpace: 0.2 }
/** dockerd's e·π·φ per cent: what of the reserve may be taken by what is quickly made again. */
const TEMPORARY_SHARE = (Math.E * Math.PI * ((1 + Math.sqrt(5)) / 2)) / 100
const MIN_TEMPORARY = 512e6
const NO_FILTERS = {}

/** The rules where none are configured. Source: moby daemon/internal/builder-next/worker/gc.go. `diskSize` in bytes. */
export function defaultRules(space: CacheSpace, diskSize: number): CollectionRule[] {
  const isGiven = space.reservedSpace > 0 || space.maxUsedSpace > 0 || space.minFreeSpace > 0
  const limits = isGiven ? space : sharesOf(diskSize)
  const temporary = Math.max(MIN_TEMPORARY, Math.round(limits.reservedSpace * TEMPORARY_SHARE))
  return [
    // What is quickly made again.
    {
      all: false,
      filters: { type: ['source.local', 'exec.cachemount', 'source.git.checkout'] },
      keepDuration: 48 * HOUR,
      reservedSpace: 0,
      maxUsedSpace: temporary,
      minFreeSpace: 0,
    },
    // What nobody has used for long.
    { all: false, filters: NO_FILTERS, keepDuration: 60 * DAY, ...limits },
    // All that belongs to the cache alone, until it fits.
    { all: false, filters: NO_FILTERS, keepDuration: 0, ...limits },
    // The rest.
    { all: true, filters: NO_FILTERS, keepDuration: 0, ...limits },
  ]
}

/** Rounded up to gigabytes. */
function sharesOf(diskSize: number): CacheSpace {
  const share = (part: number): number => (Math.floor((diskSize * part) / 2 ** 30) + 1) * 1e9
  return {
    reservedSpace: share(DEFAULT_SHARES.reservedSpace),
    maxUsedSpace: share(DEFAULT_SHARES.maxUsedSpace),
    minFreeSpace: share(DEFAULT_SHARES.minFreeSpace),
  }
}

/** How many bytes a rule leaves; undefined: it has no limit, all that matches goes. */
export function bytesToKeep(rule: CacheSpace, used: number, free: number): number | undefined {
  const { reservedSpace, maxUsedSpace, minFreeSpace } = rule
  if (reservedSpace === 0 && maxUsedSpace === 0 && minFreeSpace === 0) return undefined
  const lacking = minFreeSpace - free
  const limits = [maxUsedSpace > 0 ? maxUsedSpace : Infinity, lacking > 0 ? used - lacking : Infinity]
  // Only a reserve: it is what is kept.
  const limit = maxUsedSpace === 0 && minFreeSpace === 0 ? reservedSpace : Math.min(...limits)
  return Math.max(limit, reservedSpace)
}
