import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { notFound } from '#errors'
import type { Metadata } from '#metadata'
import type { Digest } from '#oci'
import { syncRows } from './disk-sync.ts'
import type { DiskSync, UnsyncedRow } from './disk-sync.ts'
import type { LayerDirectories } from './layer-directories.ts'
import type { Usage } from './types.ts'

/** A layer that is no tar, or was none when chains began to name it. */
export interface DraftRow extends UnsyncedRow {
  /** Random; in chains it stands where a layer has its diff id. */
  id: Digest
  /** Absent: the layer that it was sealed to has taken it over. */
  directory?: number
  /** Diff id of the layer with the same files. */
  sealed?: Digest
  usage?: Usage
}

/** Drafts: rows, and the directories that these name. */
export interface DraftStore {
  find(id: Digest): DraftRow | undefined
  all(): DraftRow[]
  /** Inside a transaction, as the following: a new draft in this directory. Each returns what to do afterwards. */
  add(directory: number): { id: Digest; after: () => void }
  /** `taken`: its directory is the layer's from now on. */
  seal(id: Digest, diffId: Digest, taken: boolean): () => void
  delete(id: Digest): () => void
  /** Notes what was measured. */
  measured(id: Digest, usage: Usage): void
  directories(): Iterable<number>
  /** Those that a crash of the machine may have damaged, or that have lost their directory. */
  damaged(): Set<Digest>
}

export function createDraftStore(deps: { metadata: Metadata; directories: LayerDirectories; sync: DiskSync; bootId: string }): DraftStore {
  const repository = deps.metadata.repository<DraftRow>('drafts')
  const rows = new Map(repository.all().map(({ value }) => [value.id, value]))
  deps.directories.claim(named())
  deps.sync.join(syncRows(rows, (row) => repository.put(row.id, row)))

  function get(id: Digest): DraftRow {
    const row = rows.get(id)
    if (row === undefined) throw notFound(`layer ${id}: not found`)
    return row
  }

  /** Returns what to do when the transaction is over. */
  function put(row: DraftRow): () => void {
    repository.put(row.id, row)
    return () => void rows.set(row.id, row)
  }

  function named(): number[] {
    return [...rows.values()].flatMap(({ directory }) => (directory === undefined ? [] : [directory]))
  }

  return {
    find: (id) => rows.get(id),
    all: () => [...rows.values()],
    add(directory) {
      const id: Digest = `sha256:${randomBytes(32).toString('hex')}`
      const enter = put({ id, directory, unsyncedIn: deps.bootId })
      const after = (): void => {
        enter()
        deps.sync.schedule()
      }
      return { id, after }
    },
    seal(id, diffId, taken) {
      const { directory, unsyncedIn, ...rest } = get(id)
      const own = { ...(directory === undefined ? {} : { directory }), ...(unsyncedIn === undefined ? {} : { unsyncedIn }) }
      const enter = put({ ...rest, ...(taken ? {} : own), sealed: diffId })
      return () => {
        enter()
        deps.sync.schedule() // a sync that goes on knows the row as it was
      }
    },
    delete(id) {
      const directory = rows.get(id)?.directory
      repository.delete(id)
      return () => {
        rows.delete(id)
        if (directory !== undefined) deps.directories.discard(directory)
      }
    },
    measured(id, usage) {
      const row = get(id)
      row.usage = usage
      repository.put(id, row)
    },
    directories: named,
    damaged() {
      const isTorn = ({ directory, unsyncedIn }: DraftRow): boolean =>
        (unsyncedIn !== undefined && unsyncedIn !== deps.bootId) ||
        (directory !== undefined && !existsSync(deps.directories.pathOf(directory)))
      return new Set(rows.values().flatMap((row) => (isTorn(row) ? [row.id] : [])))
    },
  }
}
