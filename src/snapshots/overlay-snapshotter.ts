import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { Readable } from 'node:stream'
import type { ContentStore } from '#content'
import { conflict, invalidArgument, notFound } from '#errors'
import type { Files, Mounts, OverlayPlan } from '#kernel'
import type { Metadata } from '#metadata'
import { listChanges } from './changes.ts'
import { createChainStore } from './chain-store.ts'
import { createInitLayerStore } from './init-layer-store.ts'
import { createLayerCare } from './layer-care.ts'
import { createLayerStore } from './layer-store.ts'
import { diskSpace, measureTree } from './measure-tree.ts'
import { readLayerTar } from './recipe/layer-tar.ts'
import { createTrash } from './trash.ts'
import { packTree } from './tree/pack-tree.ts'
import type { ChainId, Layer, LayerCare, Snapshotter } from './types.ts'
import type { JobRunner } from './unpack/job.ts'

export interface OverlaySnapshotterDeps {
  /** All on one file system, which overlayfs accepts as upper. `root` is above the other two: mounts name them relative to it. */
  paths: { root: string; layers: string; snapshots: string; temporary: string }
  metadata: Metadata
  content: ContentStore
  files: Files
  mounts: Mounts
  jobs: JobRunner
  /** Whether the blobs of layers stay after the unpack, or go once their tars can be put together again from the files; `keep` by default. */
  layerBlobs?: 'keep' | 'discard'
  /** Hears of failures in the background (deletion, sync): nobody waits for these. */
  report: (error: unknown) => void
  /** Identifies the boot of the machine; the kernel's own by default. */
  bootId?: string
}

interface SnapshotRow {
  parent?: ChainId
}

/** Holes of at least this many bytes stay holes in a committed layer. */
const SPARSE_LAYER_HOLE = 1024 * 1024

/** {@link Snapshotter} on overlayfs. Needs root for `prepare`, `view` and `changes`. */
export function createOverlaySnapshotter(deps: OverlaySnapshotterDeps): Snapshotter & LayerCare {
  const { paths, metadata, content } = deps
  mkdirSync(paths.snapshots, { recursive: true, mode: 0o710 })
  const bootId = deps.bootId ?? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  const trash = createTrash({ directory: join(paths.temporary, 'trash'), jobs: deps.jobs, report: deps.report })
  const layers = createLayerStore({ ...deps, directory: paths.layers, trash, bootId, discardBlobs: deps.layerBlobs === 'discard' })
  const chains = createChainStore({ metadata })
  const inits = createInitLayerStore({ ...deps, layers, bootId })
  const repository = metadata.repository<SnapshotRow>('snapshots')
  const rows = new Map(repository.all().map(({ key, value }) => [key, value]))
  const care = createLayerCare({ ...deps, trash, layers, chains, inits, snapshots: rows })

  function row(key: string): SnapshotRow {
    const found = rows.get(key)
    if (found === undefined) throw notFound(`snapshot ${key}: not found`)
    return found
  }

  function imageLayers(chain: ChainId | undefined): string[] {
    return chain === undefined ? [] : chains.layers(chain).map((diffId) => layers.pathOf(diffId))
  }

  /** Everything below the writable layer: init layer, then the image's. */
  function lowerOf(chain: ChainId | undefined): string[] {
    const image = imageLayers(chain)
    return [inits.pathOver(chain, image), ...image]
  }

  function directory(key: string): string {
    // Keys become file names.
    if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(key)) throw invalidArgument(`invalid snapshot key ${JSON.stringify(key)}`)
    return join(paths.snapshots, key)
  }

  const upperOf = (key: string): string => join(directory(key), 'upper')

  /** A read-only mount of these directories, topmost first. */
  function mountView(lower: string[]): Disposable & { path: string; fd: number } {
    return deps.mounts.overlay({ cwd: paths.root, lower, upper: '', work: '' })
  }

  function layer(chain: ChainId): Layer {
    const found = layers.find(chains.top(chain))
    if (found === undefined) throw notFound(`layer ${chain}: not found`)
    return found
  }

  function overlay(key: string, options?: { volatile: boolean }): OverlayPlan {
    const fromRoot = (path: string): string => relative(paths.root, path)
    const lower = lowerOf(row(key).parent).map(fromRoot)
    const work = join(directory(key), 'work')
    const plan = { cwd: paths.root, lower, upper: fromRoot(upperOf(key)), work: fromRoot(work) }
    if (options?.volatile !== true) return plan
    rmSync(join(work, 'work/incompat/volatile'), { recursive: true, force: true })
    return { ...plan, volatile: true }
  }

  function isSpare({ recipe }: Layer): boolean {
    return deps.layerBlobs === 'discard' && recipe === true
  }

  return {
    ...care,
    unpack: (blob, options) => layers.unpack(blob, options),
    stack(parent, diffId, lease) {
      if (layers.find(diffId) === undefined) throw notFound(`layer ${diffId}: not found`)
      const chain = chains.add(parent, diffId)
      lease.hold(chain)
      return chain
    },
    has: (chain) => chains.has(chain) && chains.layers(chain).every((diffId) => layers.find(diffId) !== undefined),
    layer,
    findLayer: (diffId) => layers.find(diffId),
    blobs: () => new Set(layers.all().flatMap((known) => (isSpare(known) ? [] : [known.blob]))),
    spareBlobs: () => new Set(layers.all().flatMap((known) => (isSpare(known) ? [known.blob] : []))),
    layerPaths: imageLayers,

    async prepare(key, parent) {
      if (rows.has(key)) throw conflict(`snapshot ${key} already exists`)
      lowerOf(parent) // makes the init layer, and throws when the image is not there
      const base = directory(key)
      const upper = upperOf(key)
      mkdirSync(base, { mode: 0o700 })
      mkdirSync(upper, { mode: 0o755 })
      mkdirSync(join(base, 'work'), { mode: 0o700 })
      chmodSync(upper, 0o755) // whatever the umask says: this is the root directory that the container sees
      const created: SnapshotRow = parent === undefined ? {} : { parent }
      repository.put(key, created)
      rows.set(key, created)
    },
    overlay,
    imageOverlay: (chain) => ({
      cwd: paths.root,
      lower: imageLayers(chain).map((path) => relative(paths.root, path)),
      upper: '',
      work: '',
    }),
    async remove(key) {
      // The row first: a directory without a row is discarded at the next start, a row without a directory would be a broken container.
      repository.delete(key)
      rows.delete(key)
      trash.discard(directory(key))
      layers.release((other) => other === key)
    },

    async usage(key) {
      row(key)
      const usage = await measureTree(upperOf(key))
      return { ...usage, disk: usage.disk + diskSpace(join(directory(key), 'work')) + statSync(directory(key)).blocks * 512 }
    },
    async changes(key) {
      using lower = mountView(lowerOf(row(key).parent))
      return await listChanges(deps.files, upperOf(key), lower.path)
    },
    diff(key) {
      row(key)
      const archive = packTree(deps.files, upperOf(key), { whiteouts: 'overlay', sparse: SPARSE_LAYER_HOLE })
      return Readable.from(archive, { objectMode: false })
    },
    layerTar(chain) {
      const top = layer(chain)
      return Readable.from(readLayerTar(deps, top, layers.placeOf(top.diffId)), { objectMode: false })
    },
    view: (target) => mountView('chain' in target ? imageLayers(target.chain) : [upperOf(target.key), ...lowerOf(row(target.key).parent)]),

    collect(used) {
      const keep = chains.closure([
        ...used,
        ...rows.values().flatMap(({ parent }) => (parent === undefined ? [] : [parent])),
        ...chains.all().flatMap(({ chain }) => (content.isHeld(chain) ? [chain] : [])),
      ])
      const unused = chains.all().filter(({ chain }) => !keep.has(chain))
      const needed = new Set(chains.all().flatMap(({ chain, diffId }) => (keep.has(chain) ? [diffId] : [])))
      const after = metadata.transaction(() => {
        const idle = layers.all().filter(({ diffId }) => !needed.has(diffId) && !content.isHeld(diffId))
        return [...unused.map(({ chain }) => chains.delete(chain)), inits.retain(keep), ...idle.map(({ diffId }) => layers.delete(diffId))]
      })
      for (const finish of after) finish()
    },

    async restore(keys) {
      const empty = trash.empty()
      for (const key of [...rows.keys()].filter((name) => !keys.has(name))) {
        repository.delete(key)
        rows.delete(key)
      }
      for (const name of readdirSync(paths.snapshots)) if (!rows.has(name)) trash.discard(join(paths.snapshots, name))
      await layers.restore(inits.directories())
      await empty
    },
    settled: () => trash.empty(),
  }
}
