import type { Repository } from '#metadata'
import type { Digest } from '#oci'
import type { ChainId } from '#snapshots'
import { MAX_ALIASES, type CacheRecord, type KeyPair } from './cache-record.ts'

/** Records in memory and on disk, by id and by key. */
export interface RecordStore {
  get(id: string): CacheRecord | undefined
  /** By key or alias. A record whose layers are gone is none, and is deleted. */
  find(key: Digest): CacheRecord | undefined
  all(): CacheRecord[]
  /** Replaces whatever its keys led to before; that record stays, as long as something leads to it. */
  add(record: CacheRecord): void
  /** Makes a further key lead to the record. */
  link(id: string, keys: KeyPair): void
  /** Changes what may change. */
  update(id: string, change: Partial<Pick<CacheRecord, 'lastUsedAt' | 'usageCount' | 'size'>>): void
  /** An unknown id is fine. */
  delete(id: string): void
  /** Deletes records whose layers are gone. */
  restore(): void
  /** Whether another record was made from this one. */
  hasChildren(id: string): boolean
}

export function createRecordStore(deps: { repository: Repository<CacheRecord>; hasChain: (chain: ChainId) => boolean }): RecordStore {
  const records = new Map<string, CacheRecord>()
  const ids = new Map<Digest, string>()
  const children = new Map<string, number>()

  function enter(record: CacheRecord): void {
    records.set(record.id, record)
    for (const parent of record.parents) children.set(parent, (children.get(parent) ?? 0) + 1)
    for (const key of keysOf(record)) ids.set(key, record.id)
  }

  function forget(record: CacheRecord): void {
    records.delete(record.id)
    for (const parent of record.parents) {
      const left = (children.get(parent) ?? 0) - 1
      if (left > 0) children.set(parent, left)
      else children.delete(parent)
    }
    for (const key of keysOf(record)) if (ids.get(key) === record.id) ids.delete(key)
  }

  function put(record: CacheRecord): void {
    deps.repository.put(record.id, record)
    records.set(record.id, record)
  }

  const isWhole = ({ outputs }: CacheRecord): boolean => outputs.every(({ chain }) => chain === undefined || deps.hasChain(chain))

  function remove(id: string): void {
    deps.repository.delete(id)
    const record = records.get(id)
    if (record !== undefined) forget(record)
  }

  for (const { value } of deps.repository.all()) enter(value)

  return {
    get: (id) => records.get(id),
    find(key) {
      const record = records.get(ids.get(key) ?? '')
      if (record === undefined || isWhole(record)) return record
      remove(record.id)
      return undefined
    },
    all: () => [...records.values()],
    add(record) {
      deps.repository.put(record.id, record)
      enter(record)
    },
    link(id, keys) {
      const record = records.get(id)
      if (record === undefined || ids.get(keys.key) === id) return
      const aliases = [...record.aliases, keys].slice(-MAX_ALIASES)
      for (const { key } of record.aliases) if (!aliases.some((kept) => kept.key === key) && ids.get(key) === id) ids.delete(key)
      put({ ...record, aliases })
      ids.set(keys.key, id)
    },
    update(id, change) {
      const record = records.get(id)
      if (record !== undefined) put({ ...record, ...change })
    },
    delete: remove,
    restore() {
      for (const record of [...records.values()]) if (!isWhole(record)) remove(record.id)
    },
    hasChildren: (id) => children.has(id),
  }
}

function keysOf({ key, aliases }: CacheRecord): Digest[] {
  return [key, ...aliases.map((alias) => alias.key)]
}
