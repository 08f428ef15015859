import { chmodSync, chownSync, closeSync, constants, fstatSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { join, posix } from 'node:path'
import { conflict, notFound } from '#errors'
import type { Files } from '#kernel'
import { randomId, unlessAborted } from '#lib'
import type { Repository } from '#metadata'
import { deleteTree, measureTree, O_PATH, type JobRunner, type Snapshotter } from '#snapshots'
import { copyDirectory } from '../files/layers-from.ts'
import { openRef } from '../files/open-ref.ts'
import { digestOfData } from '../graph/digest.ts'
import type { CacheRecordInfo } from '../cache/types.ts'
import type { CacheMountRequest, CacheMounts } from './types.ts'

/** A cache mount on the disk; its id names its directory. */
export interface CacheMountRow {
  /** What asks for the same gets the same. Several records have one key where steps want the cache for themselves at the same time. */
  key: string
  /** What the step calls it. */
  name: string
  description: string
  /** Milliseconds since the epoch. */
  createdAt: number
  lastUsedAt: number
  usageCount: number
}

/** One in use. */
interface Use {
  sharing: 'shared' | 'private' | 'locked'
  /** Mounts by the step that has them. */
  readonly users: Map<string, number>
}

export interface CacheMountsDeps {
  /** Its own; see `RunPaths.cacheMounts`. */
  directory: string
  repository: Repository<CacheMountRow>
  snapshotter: Pick<Snapshotter, 'view'>
  files: Files
  jobs: JobRunner
  /** Hears of failures in the background. */
  report: (error: unknown) => void
}

/** Key of a directory that no step gets any more; it is deleted when the last one that has it has ended. */
const RETIRED = ''

/** Directories that are being made or on their way out have a name that no id has. */
const TEMPORARY = '.'

/**
 * {@link CacheMounts} on directories. As BuildKit: who wants a cache *shared* gets the one that others share, who wants it *locked* waits for it, who wants
 * it *private*, or shared while somebody has it otherwise, gets another one, which is kept for later like the first.
 */
export function createCacheMounts(deps: CacheMountsDeps): CacheMounts {
  const { directory, repository } = deps
  const rows = new Map(repository.all().map(({ key, value }) => [key, value]))
  const inUse = new Map<string, Use>()
  /** Measured sizes, valid for as long as `lastUsedAt` is that of the row and nobody uses it. */
  const sizes = new Map<string, { at: number; size: number }>()
  const waiting = new Set<() => void>()
  /** Keys for which a directory is being made: who comes meanwhile waits, and finds it. */
  const making = new Set<string>()
  const deletions = new Set<Promise<void>>()

  /** The record that fits now; `wait` when one will, undefined when one has to be made. */
  function choose(key: string, sharing: Use['sharing'], user: string): { id: string } | 'wait' | undefined {
    const known = [...rows].flatMap(([id, row]) => (row.key === key ? [id] : []))
    const usable = known.find((id) => {
      const use = inUse.get(id)
      return use === undefined || use.users.has(user) || (use.sharing === 'shared' && sharing === 'shared')
    })
    if (usable !== undefined) return { id: usable }
    return making.has(key) || (sharing === 'locked' && known.length > 0) ? 'wait' : undefined
  }

  async function someChange(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    waiting.add(resolve)
    try {
      await unlessAborted(promise, signal)
    } finally {
      waiting.delete(resolve)
    }
  }

  function changed(): void {
    for (const resolve of waiting) resolve()
  }

  async function make(key: string, request: CacheMountRequest): Promise<void> {
    making.add(key)
    try {
      const id = randomId()
      const path = join(directory, TEMPORARY + id)
      mkdirSync(path, { recursive: true, mode: 0o700 })
      await using undo = new AsyncDisposableStack()
      undo.defer(() => deleteTree(path))
      await fill(path, request)
      renameSync(path, join(directory, id))
      undo.move()
      const now = Date.now()
      save(id, { key, name: request.mount.id, description: descriptionOf(request), createdAt: now, lastUsedAt: now, usageCount: 0 })
    } finally {
      making.delete(key)
      changed()
    }
  }

  /** Without content of its own it belongs to whom the mount says; with it, its top is as it was there. */
  async function fill(path: string, { mount, base, signal }: CacheMountRequest): Promise<void> {
    using root = base === undefined ? undefined : openRef(deps, base)
    if (root === undefined) return giveTo(path, mount)
    const source = deps.files.openInRoot(root.fd, posix.resolve('/', mount.selector), O_PATH | constants.O_DIRECTORY)
    try {
      using target = deps.files.openRoot(path)
      await copyDirectory(deps, `/proc/self/fd/${source}/.`, target.fd, signal)
      giveTo(path, fstatSync(source))
    } finally {
      closeSync(source)
    }
  }

  function save(id: string, row: CacheMountRow): void {
    repository.put(id, row)
    rows.set(id, row)
  }

  function begin(id: string, sharing: Use['sharing'], user: string): Disposable {
    const use = inUse.get(id) ?? { sharing, users: new Map<string, number>() }
    inUse.set(id, use)
    use.users.set(user, (use.users.get(user) ?? 0) + 1)
    const row = rows.get(id)
    if (row !== undefined) save(id, { ...row, lastUsedAt: Date.now(), usageCount: row.usageCount + 1 })
    return { [Symbol.dispose]: () => end(id, use, user) }
  }

  function end(id: string, use: Use, user: string): void {
    const left = (use.users.get(user) ?? 0) - 1
    if (left > 0) use.users.set(user, left)
    else use.users.delete(user)
    if (use.users.size > 0) return
    inUse.delete(id)
    sizes.delete(id)
    if (rows.get(id)?.key === RETIRED) remove(id)
    changed()
  }

  function remove(id: string): void {
    repository.delete(id)
    rows.delete(id)
    sizes.delete(id)
    // Out of the way first: its files may take a while, and a daemon that is killed meanwhile finds them by their name.
    renameSync(join(directory, id), join(directory, TEMPORARY + id))
    discard(TEMPORARY + id)
    changed()
  }

  function discard(name: string): void {
    const deletion = deleteTree(join(directory, name))
      .catch(deps.report)
      .finally(() => deletions.delete(deletion))
    deletions.add(deletion)
  }

  async function sizeOf(id: string, row: CacheMountRow): Promise<number> {
    const known = sizes.get(id)
    if (known?.at === row.lastUsedAt && !inUse.has(id)) return known.size
    const { disk } = await measureTree(join(directory, id))
    sizes.set(id, { at: row.lastUsedAt, size: disk })
    return disk
  }

  return {
    async acquire(request) {
      const { mount, user, signal } = request
      const key = keyOf(request)
      for (;;) {
        signal.throwIfAborted()
        const chosen = choose(key, mount.sharing, user)
        if (chosen === 'wait') {
          await someChange(signal)
          continue
        }
        if (chosen === undefined) {
          // Not taken at once: as soon as it is there another step may be faster.
          await make(key, request)
          continue
        }
        const { id } = chosen
        const use = begin(id, mount.sharing, user)
        return { path: join(directory, id), [Symbol.dispose]: once(() => use[Symbol.dispose]()) }
      }
    },
    retire(ids) {
      for (const [id, row] of rows) {
        if (!ids.has(row.name)) continue
        if (inUse.has(id)) save(id, { ...row, key: RETIRED })
        else remove(id)
      }
    },
    async list() {
      return await Promise.all([...rows].map(async ([id, row]) => describe(id, row, inUse.has(id), await sizeOf(id, row))))
    },
    remove(id) {
      if (!rows.has(id)) throw notFound(`cache mount ${id}: not found`)
      if (inUse.has(id)) throw conflict(`cache mount ${id} is in use`)
      remove(id)
    },
    async restore() {
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      const present = new Set(readdirSync(directory))
      for (const name of present) if (!rows.has(name)) discard(name)
      for (const id of [...rows.keys()].filter((known) => !present.has(known))) {
        repository.delete(id)
        rows.delete(id)
      }
      for (const [id, { key }] of rows) if (key === RETIRED) remove(id)
    },
    async settled() {
      await Promise.all(deletions)
    },
  }
}

/** Owner and mode count: who asks for another owner cannot use what is there. As does what it is filled with. */
function keyOf({ mount, base }: CacheMountRequest): string {
  const { id, mode, uid, gid, selector } = mount
  if (base === undefined) return digestOfData({ id, mode, uid, gid })
  return digestOfData({ id, selector, base: base.kind === 'layers' ? (base.chain ?? '') : base.generation })
}

/** Source: moby/buildkit solver/llbsolver/mounts/mount.go, getRefCacheDir. */
function descriptionOf({ mount, step }: CacheMountRequest): string {
  const named = mount.id === mount.target ? '' : ` with id ${JSON.stringify(mount.id)}`
  return `cached mount ${mount.target} from exec ${step}${named}`
}

function describe(id: string, row: CacheMountRow, inUse: boolean, size: number): CacheRecordInfo {
  const { description, createdAt, lastUsedAt, usageCount } = row
  return {
    id,
    parents: [],
    type: 'exec.cachemount',
    description,
    inUse,
    shared: false,
    mutable: true,
    size,
    createdAt,
    lastUsedAt: usageCount === 0 ? undefined : lastUsedAt,
    usageCount,
  }
}

function giveTo(path: string, { uid, gid, mode }: { uid: number; gid: number; mode: number }): void {
  chownSync(path, uid, gid)
  chmodSync(path, mode & 0o7777)
}

function once(work: () => void): () => void {
  let done = false
  return () => {
    if (!done) work()
    done = true
  }
}
