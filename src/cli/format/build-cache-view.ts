import type { BuildCacheRecord } from '#api'
import { humanDuration, humanSize, shortId } from '#lib'
import type { ListFormat } from './format-list.ts'
import { View } from './template/values.ts'

export const BUILD_CACHE_LIST: ListFormat = {
  table: '{{.ID}}\t{{.CacheType}}\t{{.Size}}\t{{.CreatedSince}}\t{{.LastUsedSince}}\t{{.UsageCount}}\t{{.Shared}}',
  headers: {
    ID: 'CACHE ID',
    Parent: 'PARENT',
    CacheType: 'CACHE TYPE',
    Size: 'SIZE',
    CreatedSince: 'CREATED',
    LastUsedSince: 'LAST USED',
    UsageCount: 'USAGE',
    Shared: 'SHARED',
    Description: 'DESCRIPTION',
    InUse: 'IN USE',
  },
}

/** A record of the build cache. An id with a star is in use. `now` in milliseconds. */
export function buildCacheView(record: BuildCacheRecord, { truncate, now }: { truncate: boolean; now: number }): View {
  const since = (time: string | null): string => (time === null ? '' : humanDuration(now - Date.parse(time)))
  return new View('*formatter.buildCacheContext', {
    ID: () => `${truncate ? shortId(record.ID) : record.ID}${record.InUse ? '*' : ''}`,
    Parent: () =>
      (record.Parents ?? (record.Parent === undefined ? [] : [record.Parent])).map((id) => (truncate ? shortId(id) : id)).join(', '),
    CacheType: () => record.Type,
    Description: () => record.Description,
    Size: () => humanSize(record.Size),
    CreatedSince: () => since(record.CreatedAt),
    LastUsedSince: () => since(record.LastUsedAt),
    UsageCount: () => String(record.UsageCount),
    InUse: () => String(record.InUse),
    Shared: () => String(record.Shared),
  })
}

/** What the cache takes and what of it can be had back: what images have, too, is theirs. */
export function buildCacheTotals(records: readonly BuildCacheRecord[]): {
  total: number
  active: number
  size: number
  reclaimable: number
} {
  const own = records.filter(({ Shared }) => !Shared)
  const bytes = (list: readonly BuildCacheRecord[]): number => list.reduce((sum, { Size }) => sum + Size, 0)
  return {
    total: records.length,
    active: records.filter(({ InUse }) => InUse).length,
    size: bytes(own),
    reclaimable: bytes(own.filter(({ InUse }) => !InUse)),
  }
}
