import type { BuildCacheRecord } from '#api'
import type { CacheRecordInfo } from '#build'

/** A record as API `version` has it. */
export function encodeCacheRecord(record: CacheRecordInfo, version: number): BuildCacheRecord {
  const { id, parents, type, description, inUse, shared, size, createdAt, lastUsedAt, usageCount } = record
  const [parent = ''] = parents
  return {
    ID: id,
    ...(version >= 42 ? parents.length > 0 && { Parents: [...parents] } : { Parent: parent }),
    Type: type,
    Description: description,
    InUse: inUse,
    Shared: shared,
    Size: size,
    CreatedAt: new Date(createdAt).toISOString(),
    LastUsedAt: lastUsedAt === undefined ? null : new Date(lastUsedAt).toISOString(),
    UsageCount: usageCount,
  }
}
