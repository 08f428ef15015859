import { randomBytes } from 'node:crypto'
import type { Metadata } from '#metadata'
import type { Digest } from '#oci'
import type { ChainId, Snapshotter } from '#snapshots'
import type { CacheRecordType } from './types.ts'
import type { CacheRecord, KeyPair } from './cache-record.ts'
import { createRecordStore } from './record-store.ts'

export interface BuildCacheDeps {
  metadata: Metadata
  snapshotter: Pick<Snapshotter, 'has'>
  /** Milliseconds since the epoch. */
  now: () => number
}

/** What is known of a step's result when it is kept. */
export interface NewRecord extends KeyPair {
  aliases: readonly KeyPair[]
  outputs: readonly (ChainId | undefined)[]
  type: CacheRecordType
  description: string
  parents: readonly string[]
  /** Of one that was imported: when it was made. */
  createdAt?: number
}

/** Results of steps by key. Its records keep their layers from being collected. */
export interface BuildCache {
  find(key: Digest): CacheRecord | undefined
  get(id: string): CacheRecord | undefined
  keep(record: NewRecord): CacheRecord
  link(id: string, keys: KeyPair): void
  all(): CacheRecord[]
  /** Records that a build uses: nothing deletes them before the answer is disposed, which counts one use of each. */
  pins(): CachePins
  isPinned(id: string): boolean
  hasChildren(id: string): boolean
  setSize(id: string, size: number): void
  delete(id: string): void
  /** Deletes records whose layers are gone. */
  restore(): void
  /** Layers that records need. */
  chains(): Set<ChainId>
}

export interface CachePins extends Disposable {
  add(id: string): void
}

export function createBuildCache({ metadata, snapshotter, now }: BuildCacheDeps): BuildCache {
  const store = createRecordStore({ repository: metadata.repository('buildCache'), hasChain: (chain) => snapshotter.has(chain) })
  const pinned = new Map<string, number>()

  function unpin(ids: ReadonlySet<string>): void {
    for (const id of ids) {
      const left = (pinned.get(id) ?? 0) - 1
      if (left > 0) pinned.set(id, left)
      else pinned.delete(id)
    }
    // One transaction for a build, however many steps it has.
    metadata.transaction(() => {
      for (const id of ids) {
        const record = store.get(id)
        if (record !== undefined) store.update(id, { lastUsedAt: now(), usageCount: record.usageCount + 1 })
      }
    })
  }

  return {
    find: (key) => store.find(key),
    get: (id) => store.get(id),
    keep({ key, portableKey, aliases, outputs, type, description, parents, createdAt = now() }) {
      const record: CacheRecord = {
        id: recordId(),
        key,
        portableKey,
        aliases: [...aliases],
        outputs: outputs.map((chain) => (chain === undefined ? {} : { chain })),
        type,
        description,
        parents: [...new Set(parents)],
        createdAt,
        usageCount: 0,
      }
      store.add(record)
      return record
    },
    link: (id, keys) => store.link(id, keys),
    all: () => store.all(),
    pins() {
      const ids = new Set<string>()
      let ended = false
      return {
        add(id) {
          if (ended || ids.has(id)) return
          ids.add(id)
          pinned.set(id, (pinned.get(id) ?? 0) + 1)
        },
        [Symbol.dispose]() {
          if (ended) return
          ended = true
          unpin(ids)
        },
      }
    },
    isPinned: (id) => pinned.has(id),
    hasChildren: (id) => store.hasChildren(id),
    setSize: (id, size) => store.update(id, { size }),
    delete: (id) => store.delete(id),
    restore: () => store.restore(),
    chains: () => new Set(store.all().flatMap(({ outputs }) => outputs.flatMap(({ chain }) => chain ?? []))),
  }
}

/** As long as BuildKit's, so that tables stay aligned. */
function recordId(): string {
  return BigInt(`0x${randomBytes(17).toString('hex')}`)
    .toString(36)
    .padStart(25, '0')
    .slice(-25)
}
