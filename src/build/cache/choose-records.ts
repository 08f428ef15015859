import type { CacheRecordInfo, CollectionRule } from './types.ts'
import { bytesToKeep } from './collection-rules.ts'
import { matchesFilters } from './filter-records.ts'

/**
 * What a rule deletes, in this order: what was used last and most goes last, and nothing goes before what was made of it. Pure: `free` is the space of the
 * disk that nothing uses, `now` milliseconds since the epoch.
 */
export function chooseRecords(records: readonly CacheRecordInfo[], rule: CollectionRule, free: number, now: number): CacheRecordInfo[] {
  // What an image has, too, takes no more space because of the cache.
  let used = records.reduce((sum, { size, shared }) => sum + (shared ? 0 : size), 0)
  const keep = bytesToKeep(rule, used, free)
  if (keep !== undefined && used <= keep) return []
  const children = countChildren(records)
  const left = new Set(records.filter((record) => mayGo(record, rule, now)))
  const chosen: CacheRecordInfo[] = []
  for (;;) {
    // Deleting a leaf makes leaves of its parents: round by round.
    const leaves = byUse([...left].filter(({ id }) => (children.get(id) ?? 0) === 0))
    if (leaves.length === 0) return chosen
    for (const record of leaves) {
      if (keep !== undefined && used <= keep) return chosen
      left.delete(record)
      chosen.push(record)
      if (!record.shared) used -= record.size
      for (const parent of record.parents) children.set(parent, (children.get(parent) ?? 1) - 1)
    }
  }
}

function mayGo(record: CacheRecordInfo, rule: CollectionRule, now: number): boolean {
  if (record.inUse) return false
  if (!rule.all && (record.type === 'internal' || record.type === 'frontend' || record.shared)) return false
  if (rule.keepDuration > 0 && (record.lastUsedAt ?? record.createdAt) > now - rule.keepDuration) return false
  return matchesFilters(record, rule.filters)
}

function countChildren(records: readonly CacheRecordInfo[]): Map<string, number> {
  const children = new Map<string, number>()
  for (const { parents } of records) for (const parent of parents) children.set(parent, (children.get(parent) ?? 0) + 1)
  return children
}

/** Least worth keeping first: half by when it was used, half by how often. Source: moby/buildkit cache/manager.go, sortDeleteRecords. */
function byUse(records: readonly CacheRecordInfo[]): CacheRecordInfo[] {
  const times = rank(records.map(({ lastUsedAt, createdAt }) => lastUsedAt ?? createdAt))
  const counts = rank(records.map(({ usageCount }) => usageCount))
  return records
    .map((record, index) => ({ record, worth: (times[index] ?? 0) + (counts[index] ?? 0) }))
    .toSorted((a, b) => a.worth - b.worth)
    .map(({ record }) => record)
}

/** 0 for the smallest, 1 for the largest; equal values have equal ranks. */
function rank(values: readonly number[]): number[] {
  const distinct = [...new Set(values)].toSorted((a, b) => a - b)
  const places = new Map(distinct.map((value, index) => [value, index / Math.max(1, distinct.length - 1)]))
  return values.map((value) => places.get(value) ?? 0)
}
