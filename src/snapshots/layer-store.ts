import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf, EngineError, invalidArgument, notFound } from '#errors'
import { holdGrowing } from '#content'
import type { ContentStore } from '#content'
import type { Metadata } from '#metadata'
import type { Digest } from '#oci'
import { syncRows } from './disk-sync.ts'
import type { DiskSync, UnsyncedRow } from './disk-sync.ts'
import type { LayerDirectories } from './layer-directories.ts'
import type { LayerPlace } from './recipe/layer-tar.ts'
import { createRecipeMaker } from './recipe/recipe-maker.ts'
import type { Layer, UnpackOptions } from './types.ts'
import type { JobRunner, UnpackResult } from './unpack/job.ts'

/** What is known of an unpacked layer. */
interface LayerRow extends Layer, UnsyncedRow {
  directory: number
  /** Directories that it had before it was repaired, and the writable layers that are still mounted over them. */
  retired?: { directory: number; keys: string[] }[]
}

/** Unpacked layers: their rows, and the directories that these name. */
export interface LayerStore {
  unpack(blob: Digest | Promise<Digest>, options: UnpackOptions): Promise<Layer>
  find(diffId: Digest): Layer | undefined
  /** Directory and recipe of a layer. Throws NOT_FOUND. */
  placeOf(diffId: Digest): LayerPlace
  /** Whether it is known to be on the disk. */
  isSynced(diffId: Digest): boolean
  all(): Layer[]
  /** Inside a transaction: enters a layer whose files are in a directory already. Returns what to do afterwards; undefined: it is there already, elsewhere. */
  enter(layer: Layer, directory: number): (() => void) | undefined
  /** Inside a transaction: deletes the row. Returns what to do afterwards. */
  delete(diffId: Digest): () => void
  /** See {@link LayerCare}. */
  repair(diffId: Digest, options: { mounted: ReadonlySet<string>; signal?: AbortSignal }): Promise<void>
  /** These writable layers are mounted no more: what only they held of old directories goes. */
  release(isFree: (key: string) => boolean): void
  /** Numbers of all directories that rows name. */
  directories(): Iterable<number>
  /** Unpacks again what a crash of the machine may have damaged. */
  restore(): Promise<void>
}

export function createLayerStore(deps: {
  directories: LayerDirectories
  sync: DiskSync
  metadata: Metadata
  content: ContentStore
  jobs: JobRunner
  bootId: string
  /** Blobs of layers go once there is a recipe. */
  discardBlobs: boolean
  report: (error: unknown) => void
}): LayerStore {
  const { directories } = deps
  const repository = deps.metadata.repository<LayerRow>('layers')
  const rows = new Map(repository.all().map(({ key, value }) => [key as Digest, value]))
  const unpacking = new Map<Digest, Promise<Layer>>()

  directories.claim(named())

  const placeOf = ({ directory }: LayerRow): LayerPlace => ({
    directory: directories.pathOf(directory),
    recipe: join(directories.above(directory), 'recipe'),
  })
  const recipes = createRecipeMaker({
    ...deps,
    candidates: () => [...rows.values()].filter((row) => row.recipe === undefined && row.unsyncedIn === undefined),
    placeOf: (layer) => placeOf(layer as LayerRow),
    made(layer, recipe) {
      // Deleted, or unpacked again, while the recipe was made.
      if (rows.get(layer.diffId) !== layer) return false
      put({ ...(layer as LayerRow), recipe })
      return true
    },
  })

  deps.sync.join({ ...syncRows(rows, put), afterSync: () => void (deps.discardBlobs && recipes.makeSoon()) })

  function named(): number[] {
    return [...rows.values()].flatMap((row) => [row.directory, ...(row.retired ?? []).map(({ directory }) => directory)])
  }

  function put(row: LayerRow): void {
    repository.put(row.diffId, row)
    rows.set(row.diffId, row)
  }

  async function unpack(blob: Digest | Promise<Digest>, options: UnpackOptions & { verify?: boolean }): Promise<Layer> {
    if (typeof blob !== 'string') return await unpackNew(blob, options)
    // The result of another call is not shared: what stopped that one (its signal, its expectation) is no reason to stop this one.
    for (let other = unpacking.get(blob); other !== undefined; other = unpacking.get(blob)) await other.catch(() => {})
    const known = options.diffId === undefined ? rows.values().find((row) => row.blob === blob) : rows.get(options.diffId)
    if (known !== undefined) {
      options.lease.hold(known.diffId)
      options.lease.hold(known.blob)
      return needsBlob(known) ? await adoptBlob(known, blob) : known
    }
    const work = unpackNew(blob, options).finally(() => unpacking.delete(blob))
    unpacking.set(blob, work)
    return await work
  }

  /** Its blob was lost or damaged, and nothing else gives its tar. */
  function needsBlob(row: LayerRow): boolean {
    return row.recipe !== true && !deps.content.has(row.blob)
  }

  /** Another blob that came for a layer without one takes its place, if it holds the layer: so far that is only what somebody says. */
  async function adoptBlob(row: LayerRow, blob: Digest): Promise<Layer> {
    if (!deps.content.has(blob)) return row // still growing: it may be taken next time
    const source = { kind: 'blob', path: deps.content.path(blob) } as const
    const { directory } = placeOf(row)
    const { archiveIsWhole } = await deps.jobs.run({ kind: 'verify', source, diffId: row.diffId, directory })
    const now = rows.get(row.diffId)
    return archiveIsWhole && now !== undefined && needsBlob(now) ? giveBlob(now, blob) : (now ?? row)
  }

  function giveBlob(row: LayerRow, blob: Digest): LayerRow {
    const changed = { ...row, blob }
    delete changed.recipe // it was made, or refused, for the other one
    put(changed)
    return changed
  }

  async function unpackNew(named: Digest | Promise<Digest>, options: UnpackOptions & { verify?: boolean }): Promise<Layer> {
    using growing = options.growing === undefined ? undefined : holdGrowing(options.growing)
    using made = await makeLayer(growing?.path ?? deps.content.path(await named), options)
    const { result, directory } = made
    const blob = await named
    const diffId = result.diffId ?? blob
    if (options.diffId !== undefined && options.diffId !== diffId) {
      throw invalidArgument(`layers from manifest don't match image configuration: layer has digest ${diffId}, expected ${options.diffId}`)
    }
    options.lease.hold(diffId)
    // Two blobs (compressed differently) may hold the same layer: the first to be finished stays.
    const twin = rows.get(diffId)
    if (twin !== undefined) return needsBlob(twin) ? giveBlob(twin, blob) : twin
    const row: LayerRow = { ...result, diffId, blob, directory, unsyncedIn: deps.bootId }
    put(row)
    made.keep()
    deps.sync.schedule()
    return row
  }

  /** A new directory with the files of the blob at `blob`. It goes when it is disposed without having been kept. */
  async function makeLayer(
    blob: string,
    options: Omit<UnpackOptions, 'lease'> & { verify?: boolean },
  ): Promise<Disposable & { result: UnpackResult; directory: number; keep: () => void }> {
    using undo = new DisposableStack()
    const { directory } = undo.use(directories.reserve())
    let kept = false
    undo.defer(() => void (kept || directories.discard(directory)))
    const job = {
      kind: 'unpack',
      blob,
      directory: directories.pathOf(directory),
      verify: options.verify ?? false,
      ...(options.growing !== undefined && { growing: options.growing.progress }),
    } as const
    const result = await deps.jobs.run(job, {
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      ...(options.progress === undefined ? {} : { progress: options.progress }),
    })
    const held = undo.move()
    return { result, directory, keep: () => (kept = true), [Symbol.dispose]: () => held.dispose() }
  }

  /**
   * Unpacks a layer again, its blob looked at anew: after a loss of power both may be torn. Its row stays until the new one takes its place: a daemon that is killed meanwhile repairs it at the next start. Without
   * its blob the layer is lost; whoever needs it finds that out by asking. Other failures (a full disk) pass and stop the start: they may be
   * mended, and an image is not given up for them.
   */
  async function repair(row: LayerRow): Promise<void> {
    rows.delete(row.diffId)
    try {
      using lease = deps.content.lease()
      if (deps.content.has(row.blob)) return void (await unpack(row.blob, { lease, diffId: row.diffId, verify: true }))
    } catch (error) {
      if (codeOf(error) !== 'INVALID_ARGUMENT') throw error
      deps.report(error)
    }
    repository.delete(row.diffId)
  }

  /** Gives up old directories over which nothing is mounted any more. */
  function discardRetired(): void {
    for (const row of rows.values()) {
      const idle = row.retired?.filter(({ keys }) => keys.length === 0) ?? []
      if (idle.length === 0) continue
      const retired = row.retired?.filter(({ keys }) => keys.length > 0) ?? []
      const { retired: _, ...rest } = row
      put(retired.length === 0 ? rest : { ...rest, retired })
      for (const { directory } of idle) directories.discard(directory)
    }
  }

  return {
    unpack,
    find: (diffId) => rows.get(diffId),
    placeOf(diffId) {
      const row = rows.get(diffId)
      if (row === undefined) throw notFound(`layer ${diffId}: not found`)
      return placeOf(row)
    },
    isSynced: (diffId) => rows.get(diffId)?.unsyncedIn === undefined,
    all: () => [...rows.values()],
    enter(layer, directory) {
      if (rows.has(layer.diffId)) return undefined
      const row: LayerRow = { ...layer, directory, unsyncedIn: deps.bootId }
      repository.put(row.diffId, row)
      return () => {
        rows.set(row.diffId, row)
        deps.sync.schedule()
      }
    },
    delete(diffId) {
      const row = rows.get(diffId)
      repository.delete(diffId)
      return () => {
        rows.delete(diffId)
        if (row === undefined) return
        directories.discard(row.directory)
        for (const { directory } of row.retired ?? []) directories.discard(directory)
      }
    },
    async repair(diffId, { mounted, signal }) {
      const row = rows.get(diffId)
      if (row === undefined) throw notFound(`layer ${diffId}: not found`)
      if (!deps.content.has(row.blob)) throw lost(diffId)
      using lease = deps.content.lease()
      lease.hold(row.blob)
      using made = await makeLayer(deps.content.path(row.blob), { verify: true, ...(signal === undefined ? {} : { signal }) })
      if (made.result.diffId !== diffId) throw lost(diffId)
      if (rows.get(diffId) !== row) return // deleted meanwhile
      const { recipe: _, ...rest } = row
      const retired = [...(row.retired ?? []), { directory: row.directory, keys: [...mounted] }]
      put({ ...rest, ...made.result, diffId, directory: made.directory, unsyncedIn: deps.bootId, retired })
      made.keep()
      discardRetired()
      deps.sync.schedule()
    },
    release(isFree) {
      for (const row of rows.values()) {
        if (row.retired === undefined) continue
        const retired = row.retired.map(({ directory, keys }) => ({ directory, keys: keys.filter((key) => !isFree(key)) }))
        put({ ...row, retired })
      }
      discardRetired()
    },
    directories: named,
    async restore() {
      const damaged = [...rows.values()].filter(
        (row) => (row.unsyncedIn !== undefined && row.unsyncedIn !== deps.bootId) || !existsSync(directories.pathOf(row.directory)),
      )
      await Promise.all(damaged.map(repair))
      if (rows.values().some((row) => row.unsyncedIn !== undefined)) deps.sync.schedule()
      else if (deps.discardBlobs) recipes.makeSoon()
    },
  }
}

function lost(diffId: Digest): EngineError {
  return new EngineError('DATA_LOSS', `layer ${diffId}: its blob is gone or damaged`)
}
