import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { conflict, invalidArgument, notFound } from '#errors'
import type { Files, OverlayPlan } from '#kernel'
import type { Metadata } from '#metadata'
import type { Trash } from './trash.ts'
import type { ChainId } from './types.ts'

export interface SnapshotRow {
  parent?: ChainId
  /** Of a build step: without init layer. */
  bare?: true
  /** Of a build step: it is in no database, as it outlives no daemon, and goes although the disk is full. */
  isStep?: true
}

/** Rows of writable layers and their directories `<key>/{upper,work}`. */
export interface WritableLayers {
  readonly rows: ReadonlyMap<string, SnapshotRow>
  /** What layers lie on that are here, or were removed and are still being read. */
  parents(): ChainId[]
  /** Throws NOT_FOUND. */
  get(key: string): SnapshotRow
  /** Throws CONFLICT when the key exists, NOT_FOUND when a layer is not there. */
  prepare(key: string, row: SnapshotRow): void
  /** Everything below the writable layer, topmost first. */
  lowerOf(key: string): string[]
  upperOf(key: string): string
  workOf(key: string): string
  /** See `Snapshotter.overlay`. */
  overlay(key: string, options?: { volatile: boolean }): OverlayPlan
  /**
   * Keeps the directories for one who reads them, also when the layer is removed meanwhile; the last one to be disposed of then takes them away. Throws
   * NOT_FOUND.
   */
  hold(key: string): Disposable
  /** Absent is fine. */
  remove(key: string): void
  /** Inside a transaction: as `remove`. Returns what to do afterwards. */
  forget(key: string): () => void
  /** Forgets those that nobody owns, and takes away directories that no row names. */
  restore(keys: ReadonlySet<string>): void
  /** Directories that no row names; absolute. */
  strangers(): string[]
  isWhole(key: string): boolean
}

/** `lowerOf`: directories that a new layer lies on; what is missing of them is made. `root` is above all paths: mounts name them relative to it. */
export function createWritableLayers(deps: {
  paths: { root: string; snapshots: string }
  metadata: Metadata
  files: Pick<Files, 'spreadSubdirectories'>
  trash: Trash
  lowerOf: (row: SnapshotRow) => string[]
}): WritableLayers {
  const { paths, trash } = deps
  mkdirSync(paths.snapshots, { recursive: true, mode: 0o710 })
  // As for layers: where thousands of files have just been deleted, ext4 looks among the dead for each new one, which makes a step ten times as slow.
  deps.files.spreadSubdirectories(paths.snapshots)
  const repository = deps.metadata.repository<SnapshotRow>('snapshots')
  const rows = new Map(repository.all().map(({ key, value }) => [key, value]))

  function directory(key: string): string {
    // Keys become file names.
    if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(key)) throw invalidArgument(`invalid snapshot key ${JSON.stringify(key)}`)
    return join(paths.snapshots, key)
  }

  /** Rows whose directories are being read, and by how many. */
  const read = new Map<string, { row: SnapshotRow; readers: number }>()

  const upperOf = (key: string): string => join(directory(key), 'upper')
  const workOf = (key: string): string => join(directory(key), 'work')

  function get(key: string): SnapshotRow {
    const found = rows.get(key)
    if (found === undefined) throw notFound(`snapshot ${key}: not found`)
    return found
  }

  function forget(key: string): () => void {
    // The row first: a directory without a row is discarded at the next start, a row without a directory would be a broken container.
    if (rows.get(key)?.isStep !== true) repository.delete(key)
    return () => {
      rows.delete(key)
      if (!read.has(key)) trash.discard(directory(key))
    }
  }

  function hold(key: string): Disposable {
    const held = read.get(key) ?? { row: get(key), readers: 0 }
    held.readers++
    read.set(key, held)
    const hold = new DisposableStack()
    hold.defer(() => {
      if (--held.readers > 0) return
      read.delete(key)
      if (!rows.has(key)) trash.discard(directory(key))
    })
    return hold
  }

  function strangers(): string[] {
    return readdirSync(paths.snapshots).flatMap((name) => (rows.has(name) || read.has(name) ? [] : [join(paths.snapshots, name)]))
  }

  return {
    rows,
    parents: () => [...rows.values(), ...[...read.values()].map(({ row }) => row)].flatMap(({ parent }) => parent ?? []),
    get,
    prepare(key, row) {
      if (rows.has(key)) throw conflict(`snapshot ${key} already exists`)
      deps.lowerOf(row) // makes the init layer, and throws when the image is not there
      mkdirSync(directory(key), { mode: 0o700 })
      mkdirSync(upperOf(key), { mode: 0o755 })
      mkdirSync(workOf(key), { mode: 0o700 })
      chmodSync(upperOf(key), 0o755) // whatever the umask says: this is the root directory that the container sees
      if (row.isStep !== true) repository.put(key, row)
      rows.set(key, row)
    },
    lowerOf: (key) => deps.lowerOf(get(key)),
    upperOf,
    workOf,
    overlay(key, options) {
      const fromRoot = (path: string): string => relative(paths.root, path)
      const lower = deps.lowerOf(get(key)).map(fromRoot)
      const plan = { cwd: paths.root, lower, upper: fromRoot(upperOf(key)), work: fromRoot(workOf(key)) }
      if (options?.volatile !== true) return plan
      rmSync(join(workOf(key), 'work/incompat/volatile'), { recursive: true, force: true })
      return { ...plan, volatile: true }
    },
    hold,
    remove: (key) => forget(key)(),
    forget,
    restore(keys) {
      for (const key of [...rows.keys()].filter((name) => !keys.has(name))) {
        repository.delete(key)
        rows.delete(key)
      }
      for (const path of strangers()) trash.discard(path)
    },
    strangers,
    isWhole: (key) => [upperOf(key), workOf(key)].every((path) => existsSync(path)),
  }
}
