import { constants, lstatSync, mkdirSync, openSync, readdirSync, renameSync } from 'node:fs'
import { ownDescriptor } from '#kernel'
import type { Mounts } from '#kernel'
import type { Metadata } from '#metadata'
import type { Digest } from '#oci'
import type { ChainStore } from './chain-store.ts'
import type { DraftStore } from './draft-store.ts'
import type { LayerDirectories } from './layer-directories.ts'
import type { LayerIndex } from './layer-index.ts'
import type { LayerStore } from './layer-store.ts'
import type { DraftSealer, SealOptions } from './seal.ts'
import type { ChainId, DraftLayers, Snapshotter, Usage } from './types.ts'
import type { JobRunner } from './unpack/job.ts'
import type { WritableLayers } from './writable-layers.ts'

/** {@link DraftLayers} over the stores of the overlay snapshotter. */
export function createDraftLayers(deps: {
  metadata: Metadata
  mounts: Mounts
  jobs: JobRunner
  directories: LayerDirectories
  layers: LayerStore
  drafts: DraftStore
  index: LayerIndex
  chains: ChainStore
  writable: WritableLayers
  sealDraft: DraftSealer
  stack: Snapshotter['stack']
}): DraftLayers & { dropDamaged: () => void } {
  const { metadata, chains, directories, drafts, index, writable } = deps

  /** The files are the draft's from now on; the rest of the writable layer goes. */
  function makeDraft(key: string, parent: ChainId | undefined): ChainId {
    using reserved = directories.reserve()
    const { directory } = reserved
    using undo = new DisposableStack()
    undo.defer(() => directories.discard(directory))
    mkdirSync(directories.above(directory), { mode: 0o700 })
    // Killed before the rows are written, the daemon finds a directory and a writable layer that nobody owns, and discards both.
    renameSync(writable.upperOf(key), directories.pathOf(directory))
    const { chain, after } = metadata.transaction(() => {
      const draft = drafts.add(directory)
      return { chain: chains.add(parent, draft.id), after: [draft.after, writable.forget(key)] }
    })
    undo.move()
    for (const finish of after) finish()
    return chain
  }

  /** All layers at once; when one fails, the others are given up. */
  async function sealAll(ids: readonly Digest[], { signal, progress, ...options }: SealOptions): Promise<Digest[]> {
    const abort = new AbortController()
    const either = signal === undefined ? abort.signal : AbortSignal.any([signal, abort.signal])
    const bytes = new Map<Digest, number>()
    const sealing = [...new Set(ids)].map(async (id): Promise<[Digest, Digest]> => {
      if (drafts.find(id) === undefined) return [id, id]
      const count = (written: number): void =>
        progress?.(
          bytes
            .set(id, written)
            .values()
            .reduce((sum, part) => sum + part, 0),
        )
      return [id, await deps.sealDraft(id, { ...options, signal: either, progress: count })]
    })
    try {
      const sealed = new Map(await Promise.all(sealing))
      return ids.map((id) => sealed.get(id) ?? id)
    } catch (error) {
      abort.abort()
      await Promise.allSettled(sealing)
      throw error
    }
  }

  return {
    async prepareStep(key, parent, { bare }) {
      writable.prepare(key, { ...(parent === undefined ? {} : { parent }), ...(bare ? { bare } : {}), isStep: true })
    },
    mountStep(key) {
      const plan = writable.overlay(key, { volatile: true })
      using held = new DisposableStack()
      const upper = held.use(ownDescriptor(openSync(writable.upperOf(key), constants.O_RDONLY | constants.O_DIRECTORY)))
      // Over nothing there is nothing to merge with, and overlayfs wants something.
      const merged = plan.lower.length > 0 ? held.use(deps.mounts.overlay(plan)) : undefined
      const kept = held.move()
      const shown =
        merged === undefined ? { fd: upper.fd, path: `/proc/self/fd/${upper.fd}` } : { fd: merged.fd, path: merged.path, upperFd: upper.fd }
      return { ...shown, [Symbol.dispose]: () => kept.dispose() }
    },
    async commitStep(key, lease) {
      const { parent } = writable.get(key)
      const isUntouched = isEmptyRoot(writable.upperOf(key))
      const chain = isUntouched ? parent : makeDraft(key, parent)
      if (chain !== undefined) lease.hold(chain)
      if (isUntouched) writable.remove(key)
      deps.layers.release((other) => other === key)
      return chain
    },
    layersOf: (chain) =>
      chains.stack(chain).map((id) => {
        const draft = drafts.find(id)
        return { id, isDraft: draft !== undefined, ...(draft?.sealed && { sealed: draft.sealed }) }
      }),
    async seal(chain, options) {
      options.lease.hold(chain)
      let sealed: ChainId | undefined
      for (const diffId of await sealAll(chains.stack(chain), options)) sealed = deps.stack(sealed, diffId, options.lease)
      return sealed ?? chain
    },
    async draftUsage(chain): Promise<Usage> {
      const id = chains.top(chain)
      const known = drafts.find(id)?.usage ?? index.layerOf(id)
      if (known !== undefined) return { size: known.size, inodes: known.inodes }
      const { size, inodes } = await deps.jobs.run({ kind: 'measure', path: index.pathOf(id) })
      if (drafts.find(id) !== undefined) drafts.measured(id, { size, inodes })
      return { size, inodes }
    },
    /** What a crash of the machine may have torn goes, with everything above: there is nothing it could be made of again. */
    dropDamaged() {
      const torn = drafts.damaged()
      const lost = new Set(drafts.all().flatMap(({ id }) => (torn.has(id) || !index.has(id) ? [id] : [])))
      if (lost.size === 0) return
      const after = metadata.transaction(() => [
        ...chains.above(lost).map((chain) => chains.delete(chain)),
        ...[...lost].map((id) => drafts.delete(id)),
      ])
      for (const finish of after) finish()
    },
  }
}

/** As it was made: nothing in it, and its own attributes as they were. */
function isEmptyRoot(upper: string): boolean {
  const { uid, gid, mode } = lstatSync(upper)
  return uid === 0 && gid === 0 && (mode & 0o7777) === 0o755 && readdirSync(upper).length === 0
}
