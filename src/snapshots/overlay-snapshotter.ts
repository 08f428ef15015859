import { readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { Readable } from 'node:stream'
import type { ContentStore } from '#content'
import { notFound } from '#errors'
import type { Files, Mounts, OverlayPlan } from '#kernel'
import type { Metadata } from '#metadata'
import type { Digest } from '#oci'
import { listChanges } from './changes.ts'
import { createChainStore } from './chain-store.ts'
import { createDiskSync } from './disk-sync.ts'
import { createDraftLayers } from './draft-layers.ts'
import { createDraftStore } from './draft-store.ts'
import { createInitLayerStore } from './init-layer-store.ts'
import { createLayerCare } from './layer-care.ts'
import { createLayerDirectories } from './layer-directories.ts'
import { createLayerIndex } from './layer-index.ts'
import { createLayerStore } from './layer-store.ts'
import { measureNow, measureTree } from './measure-tree.ts'
import { readLayerTar } from './recipe/layer-tar.ts'
import { createDraftSealer } from './seal.ts'
import { createTrash } from './trash.ts'
import { packTree, SPARSE_LAYER_HOLE } from './tree/pack-tree.ts'
import type { ChainId, DraftLayers, Layer, LayerCare, Snapshotter } from './types.ts'
import type { JobRunner } from './unpack/job.ts'
import { createWritableLayers } from './writable-layers.ts'

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

/** {@link Snapshotter} on overlayfs. Needs root for `prepare`, `view` and `changes`. */
export function createOverlaySnapshotter(deps: OverlaySnapshotterDeps): Snapshotter & LayerCare & DraftLayers {
  const { paths, metadata, content, jobs } = deps
  const bootId = deps.bootId ?? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  const trash = createTrash({ directory: join(paths.temporary, 'trash'), jobs, report: deps.report })
  const directories = createLayerDirectories({ root: paths.layers, files: deps.files, trash })
  const sync = createDiskSync({ ...deps, path: paths.layers, isBusy: () => directories.isBusy() })
  const stores = { ...deps, directories, sync, trash, bootId, discardBlobs: deps.layerBlobs === 'discard' }
  const layers = createLayerStore(stores)
  const drafts = createDraftStore(stores)
  const index = createLayerIndex({ layers, drafts, directories })
  const chains = createChainStore({ metadata })
  const inits = createInitLayerStore({ ...stores, index, chains })
  const writable = createWritableLayers({ ...stores, lowerOf: ({ parent, bare }) => lowerOf(parent, bare === true) })
  const { namedDirectories, ...care } = createLayerCare({ ...stores, layers, drafts, index, chains, inits, writable })

  function imageLayers(chain: ChainId | undefined): string[] {
    // overlayfs refuses a directory that comes twice. A layer that covers itself shows the same without its lower occurrence.
    return chain === undefined ? [] : [...new Set(chains.layers(chain).map((id) => index.pathOf(id)))]
  }

  /** Everything below a writable layer: init layer, then the image's. */
  function lowerOf(chain: ChainId | undefined, bare: boolean): string[] {
    const image = imageLayers(chain)
    return bare ? image : [inits.pathOver(chain, image), ...image]
  }

  function imageOverlay(chain: ChainId): OverlayPlan {
    return { cwd: paths.root, lower: imageLayers(chain).map((path) => relative(paths.root, path)), upper: '', work: '' }
  }

  /** A read-only mount of these directories, topmost first. */
  function mountView(lower: string[]): Disposable & { path: string; fd: number } {
    return deps.mounts.overlay({ cwd: paths.root, lower, upper: '', work: '' })
  }

  /** Removing the layer may not take files out of the mount. */
  function viewWritable(key: string): ReturnType<typeof mountView> {
    using undo = new DisposableStack()
    undo.use(writable.hold(key))
    const { path, fd } = undo.use(mountView([writable.upperOf(key), ...writable.lowerOf(key)]))
    const owned = undo.move()
    return { path, fd, [Symbol.dispose]: () => owned.dispose() }
  }

  function layer(chain: ChainId): Layer {
    const found = index.layerOf(chains.top(chain))
    if (found === undefined) throw notFound(`layer ${chain}: not found`)
    return found
  }

  function stack(parent: ChainId | undefined, id: Digest, lease: { hold: (digest: Digest) => void }): ChainId {
    if (!index.has(id)) throw notFound(`layer ${id}: not found`)
    const chain = chains.add(parent, id)
    lease.hold(chain)
    return chain
  }

  function remove(key: string): void {
    writable.remove(key)
    layers.release((other) => other === key)
  }

  function isSpare({ recipe }: Layer): boolean {
    return deps.layerBlobs === 'discard' && recipe === true
  }

  const sealDraft = createDraftSealer({ ...stores, layers, drafts, index })
  const { dropDamaged, ...steps } = createDraftLayers({ ...stores, layers, drafts, index, chains, writable, sealDraft, stack })

  return {
    ...care,
    ...steps,
    unpack: (blob, options) => layers.unpack(blob, options),
    stack,
    has: (chain) => chains.has(chain) && chains.layers(chain).every((id) => index.has(id)),
    layer,
    findLayer: (diffId) => layers.find(diffId),
    blobs: () => new Set(layers.all().flatMap((known) => (isSpare(known) ? [] : [known.blob]))),
    spareBlobs: () => new Set(layers.all().flatMap((known) => (isSpare(known) ? [known.blob] : []))),
    layerPaths: imageLayers,
    async prepare(key, parent) {
      writable.prepare(key, parent === undefined ? {} : { parent })
    },
    overlay: (key, options) => writable.overlay(key, options),
    imageOverlay,
    async remove(key) {
      remove(key)
    },

    async usage(key) {
      writable.get(key)
      const usage = await measureTree(writable.upperOf(key))
      const work = writable.workOf(key)
      return { ...usage, disk: usage.disk + measureNow(work).disk + statSync(dirname(work)).blocks * 512 }
    },
    async changes(key) {
      using _held = writable.hold(key)
      using lower = mountView(writable.lowerOf(key))
      return await listChanges(deps.files, writable.upperOf(key), lower.path)
    },
    diff(key) {
      const held = writable.hold(key)
      const archive = packTree(deps.files, writable.upperOf(key), { whiteouts: 'overlay', sparse: SPARSE_LAYER_HOLE })
      // Not a `finally` in the generator: one that was never started is ended without running it.
      return Readable.from(archive, { objectMode: false }).once('close', () => held[Symbol.dispose]())
    },
    layerTar(chain) {
      const top = layer(chain)
      return Readable.from(readLayerTar(deps, top, layers.placeOf(top.diffId)), { objectMode: false })
    },
    view: (target) => ('chain' in target ? mountView(imageLayers(target.chain)) : viewWritable(target.key)),

    collect(used) {
      const keep = chains.closure([
        ...used,
        ...writable.parents(),
        ...chains.all().flatMap(({ chain }) => (content.isHeld(chain) ? [chain] : [])),
      ])
      const unused = chains.all().filter(({ chain }) => !keep.has(chain))
      const needed = new Set(chains.all().flatMap(({ chain, diffId }) => (keep.has(chain) ? index.needs(diffId) : [])))
      const isIdle = (id: Digest): boolean => !needed.has(id) && !content.isHeld(id)
      const after = metadata.transaction(() => [
        ...unused.map(({ chain }) => chains.delete(chain)),
        inits.retain(keep),
        ...layers.all().flatMap(({ diffId }) => (isIdle(diffId) ? [layers.delete(diffId)] : [])),
        ...drafts.all().flatMap(({ id }) => (isIdle(id) ? [drafts.delete(id)] : [])),
      ])
      for (const finish of after) finish()
    },

    async restore(keys) {
      const empty = trash.empty()
      writable.restore(keys)
      await layers.restore()
      dropDamaged()
      for (const path of directories.strangers(namedDirectories())) trash.discard(path)
      await empty
    },
    settled: () => trash.empty(),
  }
}
