import { randomUUID } from 'node:crypto'
import { constants, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { conflict, notFound } from '#errors'
import type { Files } from '#kernel'
import { KeyedMutex } from '#lib'
import type { JobRunner } from '#snapshots'
import type { CacheStore } from '../../cache/cache-usage.ts'
import type { DirectoryTransfer } from '../../session.ts'
import { lockUnless } from '../abortable-lock.ts'
import { createBackgroundDeletions } from '../background-deletions.ts'
import { applyUpdate, UpdateFailure } from './apply-update.ts'
import { readRecord, writeRecord } from './directory-record.ts'
import { isUnchanged, planUpdate } from './plan-update.ts'
import type { KnownTree, UpdatePlan } from './plan-update.ts'
import type { ReceivedEntry } from './receive-entries.ts'
import { signatureOf, typeOf } from './stat-signature.ts'
import { readBootId, readIndex, writeIndex } from './tree-index.ts'
import type { TreeIndex } from './tree-index.ts'

export interface KeptDirectoriesDeps {
  /** Its own; made when absent. */
  directory: string
  files: Files
  /** Does what is much, and what nobody waits for. */
  jobs: Pick<JobRunner, 'run'>
  /** Of the machine: see `TreeIndex`. */
  bootId: string
  /** Hears of failures in the background. */
  report: (error: unknown) => void
  /** Milliseconds since the epoch. */
  now: () => number
}

/** What a client has listed, and the way to the contents. */
export interface ReceiveRequest {
  /** Names the directory that is kept; undefined: nothing is. */
  key: string | undefined
  description: string
  entries: readonly ReceivedEntry[]
  transfer: Pick<DirectoryTransfer, 'read' | 'hostPath'>
  signal: AbortSignal
  received: (bytes: number) => void
}

/** A directory that stays as it is until it is disposed. */
export interface HeldDirectory extends Disposable {
  readonly path: string
  readonly generation: string
}

/**
 * Directories as clients have sent them, kept so that next time only what has changed is sent.
 *
 * ```
 * <directory>/<key>/tree/        the files
 * <directory>/<key>/index        what they are; not there while they are being changed
 * <directory>/<key>/record       for people
 * <directory>/private-<uuid>/    of one build, the same without index and record
 * <directory>/trash-<uuid>/      on its way out
 * ```
 *
 * Several builds hold a directory at the same time as long as it need not change; who sends something else meanwhile gets a private one, in which
 * what is the same is linked.
 */
export interface KeptDirectories extends CacheStore {
  /** Waits for a transfer of the same key that is under way. */
  receive(request: ReceiveRequest): Promise<HeldDirectory>
  /** After a start, before anything else: removes what nobody can use any more, in the background. */
  restore(): void
  /** Waits for deletions in the background. */
  settled(): Promise<void>
}

const PRIVATE = 'private-'
const TRASH = 'trash-'

export function createKeptDirectories(deps: KeptDirectoriesDeps): KeptDirectories {
  const { directory, bootId, now } = deps
  const locks = new KeyedMutex()
  /** Builds that hold a kept directory, by key. */
  const holders = new Map<string, number>()
  /** Keys whose directories are being changed, or compared. */
  const busy = new Set<string>()
  const deletions = createBackgroundDeletions(deps)

  const place = (name: string): Record<'tree' | 'index' | 'record', string> => {
    const path = (part: string): string => join(directory, name, part)
    return { tree: path('tree'), index: path('index'), record: path('record') }
  }

  function discard(name: string): void {
    const trash = join(directory, TRASH + randomUUID())
    try {
      renameSync(join(directory, name), trash)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
      throw error
    }
    deletions.delete(trash)
  }

  /** What a key's directory holds; without a good index that is nothing, whatever lies there. */
  async function known(key: string): Promise<TreeIndex> {
    const index = await readIndex(place(key).index)
    if (index?.bootId === bootId) return index
    discard(key)
    return { bootId, generation: '', tree: new Map() }
  }

  async function apply(name: string, index: TreeIndex, plan: UpdatePlan, request: ReceiveRequest): Promise<void> {
    const { tree } = place(name)
    mkdirSync(dirname(tree), { recursive: true, mode: 0o700 })
    // RUN steps of any user may look into it by a bind mount; users of the host cannot, because of the directory above.
    mkdirSync(tree, { recursive: true, mode: 0o755 })
    await applyUpdate({ ...deps, tree }, index.tree, plan, request.transfer, request)
  }

  async function receivePrivate(request: ReceiveRequest): Promise<HeldDirectory> {
    const name = PRIVATE + randomUUID()
    using undo = new DisposableStack()
    undo.defer(() => discard(name))
    const nothing = { bootId, generation: '', tree: new Map<string, string>() }
    await apply(name, nothing, await planUpdate(nothing.tree, request.entries), request).catch(throwCause)
    const kept = undo.move()
    return { path: place(name).tree, generation: name, [Symbol.dispose]: () => kept.dispose() }
  }

  async function receiveKept(key: string, request: ReceiveRequest): Promise<HeldDirectory> {
    using undo = new DisposableStack()
    undo.use(await lockUnless(locks, key, request.signal))
    busy.add(key)
    undo.defer(() => busy.delete(key))
    const index = await known(key)
    const plan = await planUpdate(index.tree, request.entries)
    const isNew = index.generation === ''
    if (!isNew && isUnchanged(plan)) return hold(key, index.generation, request)
    if ((holders.get(key) ?? 0) > 0) return await receivePrivate({ ...request, transfer: linking(request, index.tree, place(key).tree) })
    const generation = randomUUID()
    // From here on until there is a new index a crash leaves a directory of which nothing is known.
    rmSync(place(key).index, { force: true })
    try {
      await apply(key, index, plan, request)
    } catch (error) {
      // What came until now need not come again.
      if (error instanceof UpdateFailure) await writeIndex(place(key).index, { bootId, generation, tree: error.tree })
      return throwCause(error)
    }
    await writeIndex(place(key).index, { bootId, generation, tree: plan.result })
    return hold(key, generation, request)
  }

  function hold(key: string, generation: string, { description, entries }: ReceiveRequest): HeldDirectory {
    const { tree, record } = place(key)
    const before = readRecord(record)
    const time = now()
    writeRecord(record, {
      description,
      createdAt: before?.createdAt ?? time,
      lastUsedAt: time,
      usageCount: (before?.usageCount ?? 0) + 1,
      size: sizeOf(entries),
    })
    holders.set(key, (holders.get(key) ?? 0) + 1)
    let isHeld = true
    return {
      path: tree,
      generation,
      [Symbol.dispose]() {
        if (!isHeld) return
        isHeld = false
        const left = (holders.get(key) ?? 0) - 1
        if (left > 0) holders.set(key, left)
        else holders.delete(key)
      },
    }
  }

  const isInUse = (id: string): boolean => holders.has(id) || busy.has(id)

  function names(): string[] {
    try {
      return readdirSync(directory)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
  }

  return {
    receive: (request) => (request.key === undefined ? receivePrivate(request) : receiveKept(request.key, request)),

    async list() {
      return names().flatMap((id) => {
        const record = id.startsWith(PRIVATE) || id.startsWith(TRASH) ? undefined : readRecord(place(id).record)
        if (record === undefined) return []
        return [{ id, parents: [], type: 'source.local' as const, inUse: isInUse(id), shared: false, mutable: true, ...record }]
      })
    },

    async remove(id) {
      if (!names().includes(id) || id.startsWith(PRIVATE) || id.startsWith(TRASH)) throw notFound(`cache record ${id} not found`)
      if (isInUse(id)) throw conflict(`cache record ${id} is in use`)
      discard(id)
    },

    restore() {
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      // As for layers: ext4 is slow where many files have just been deleted.
      deps.files.spreadSubdirectories(directory)
      for (const name of names()) {
        if (name.startsWith(TRASH)) deletions.delete(join(directory, name))
        else if (name.startsWith(PRIVATE)) discard(name)
        else if (readBootId(place(name).index) !== bootId) discard(name)
      }
    },

    settled: () => deletions.settled(),
  }
}

/** A transfer that takes what is the same in another directory from there. */
function linking({ entries, transfer }: ReceiveRequest, known: KnownTree, tree: string): ReceiveRequest['transfer'] {
  const same = entries.filter(({ stat }) => known.get(stat.path) === signatureOf(stat))
  const paths = new Map(same.map(({ index, stat }) => [index, join(tree, stat.path)]))
  return { read: (index) => transfer.read(index), hostPath: (index) => paths.get(index) ?? transfer.hostPath?.(index) }
}

/** The failure itself; what is known of the directory is nobody else's business. */
function throwCause(error: unknown): never {
  throw error instanceof UpdateFailure ? error.cause : error
}

function sizeOf(entries: readonly ReceivedEntry[]): number {
  const files = entries.filter(({ stat }) => typeOf(stat.mode) === constants.S_IFREG && stat.linkname === '')
  return files.reduce((sum, { stat }) => sum + stat.size, 0)
}
