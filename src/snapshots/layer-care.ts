import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { ContentStore } from '#content'
import type { Metadata } from '#metadata'
import type { Digest } from '#oci'
import type { ChainStore } from './chain-store.ts'
import type { InitLayerStore } from './init-layer-store.ts'
import type { DraftStore } from './draft-store.ts'
import type { LayerDirectories } from './layer-directories.ts'
import type { LayerIndex } from './layer-index.ts'
import type { LayerStore } from './layer-store.ts'
import type { Trash } from './trash.ts'
import type { ChainId, Layer, LayerCare, LayerVerdict, Snapshotter } from './types.ts'
import type { JobRunner } from './unpack/job.ts'
import type { WritableLayers } from './writable-layers.ts'
import type { TarSource } from './verify/verify-layer.ts'

/** {@link LayerCare} over the stores of the overlay snapshotter. */
export function createLayerCare(deps: {
  paths: { layers: string }
  metadata: Metadata
  content: ContentStore
  jobs: JobRunner
  trash: Trash
  directories: LayerDirectories
  layers: LayerStore
  drafts: DraftStore
  index: LayerIndex
  chains: ChainStore
  inits: InitLayerStore
  writable: WritableLayers
}): LayerCare & Pick<Snapshotter, 'diskUsage'> & { namedDirectories: () => number[] } {
  const { paths, metadata, content, jobs, layers, drafts, index, chains, inits, writable } = deps
  const measureDirectory = createLayerMeasure(deps)

  function sourceOf(layer: Layer): TarSource | undefined {
    if (content.has(layer.blob)) return { kind: 'blob', path: content.path(layer.blob) }
    return layer.recipe === true ? { kind: 'recipe', path: layers.placeOf(layer.diffId).recipe } : undefined
  }

  async function verify(diffId: Digest, { signal }: { signal?: AbortSignal } = {}): Promise<LayerVerdict> {
    const { directory } = layers.placeOf(diffId)
    if (!existsSync(directory)) return { state: 'missing', differences: [] }
    const layer = layers.find(diffId)
    const source = layer && sourceOf(layer)
    if (layer === undefined || source === undefined) return { state: 'unknown', differences: [] }
    // Neither its blob nor its files may be collected while they are read.
    using lease = content.lease()
    lease.hold(diffId)
    lease.hold(layer.blob)
    const found = await jobs.run({ kind: 'verify', source, diffId, directory }, signal === undefined ? {} : { signal })
    const differences = found.differences.map(({ path, what }) => `${JSON.stringify(path)} ${what}`)
    if (found.count > differences.length) differences.push(`and ${found.count - differences.length} more`)
    if (found.count > 0) return { state: 'damaged', differences }
    if (found.archiveIsWhole) return { state: 'whole', differences }
    // A blob that is no good says nothing about the files; a recipe that gives another archive does.
    return source.kind === 'blob'
      ? { state: 'unknown', differences }
      : { state: 'damaged', differences: ['its recipe gives another archive'] }
  }

  function forget(diffId: Digest): void {
    const doomed = chains.all().filter((chain) => index.standsOn(chain.diffId, diffId))
    const homeless = drafts.all().filter(({ id }) => index.standsOn(id, diffId))
    const after = metadata.transaction(() => [
      ...doomed.map(({ chain }) => chains.delete(chain)),
      ...homeless.map(({ id }) => drafts.delete(id)),
      layers.delete(diffId),
    ])
    for (const finish of after) finish()
  }

  function namedDirectories(): number[] {
    return [...layers.directories(), ...drafts.directories(), ...inits.directories()]
  }

  return {
    namedDirectories,
    layers: () => layers.all(),
    verify,
    repair: (diffId, options) => layers.repair(diffId, options),
    release: (mounted) => layers.release((key) => !mounted.has(key)),
    forget,
    brokenChains() {
      const broken: { chain: ChainId; lacks: Digest }[] = []
      for (const { chain, diffId, parent } of chains.all()) {
        const lacks = parent !== undefined && !chains.has(parent) ? parent : index.has(diffId) ? undefined : diffId
        if (lacks !== undefined) broken.push({ chain, lacks })
      }
      return broken
    },
    forgetChain: (chain) => metadata.transaction(() => chains.delete(chain))(),
    brokenInits: () => inits.broken(),
    forgetInit: (chain) => inits.forget(chain),
    usersOf: (diffId) =>
      [...writable.rows].flatMap(([key, { parent }]) => {
        if (parent === undefined) return []
        return [...chains.closure([parent])].some((chain) => chains.has(chain) && index.standsOn(chains.top(chain), diffId)) ? [key] : []
      }),
    snapshots: () =>
      [...writable.rows].map(([key, { parent }]) => ({
        key,
        ...(parent === undefined ? {} : { parent }),
        isWhole: writable.isWhole(key),
      })),
    leftovers: () => [...deps.directories.strangers(namedDirectories()), ...writable.strangers()],
    discard: (leftover) => deps.trash.discard(leftover),
    async diskUsage() {
      const usage = { layers: new Map<Digest, number>(), drafts: new Map<Digest, number>(), other: statSync(paths.layers).blocks * 512 }
      // All of them before the first is measured: layers may go while others are.
      const named = [
        ...layers.all().map(({ diffId }) => {
          return { sizes: usage.layers, id: diffId, directory: dirname(layers.placeOf(diffId).directory), isFinal: layers.isSynced(diffId) }
        }),
        ...drafts.all().flatMap(({ id, directory, unsyncedIn }) => {
          if (directory === undefined) return []
          return { sizes: usage.drafts, id, directory: deps.directories.above(directory), isFinal: unsyncedIn === undefined }
        }),
      ]
      const names = new Set(named.map(({ directory }) => basename(directory)))
      const others = readdirSync(paths.layers).filter((name) => !names.has(name))
      for (const { sizes, id, directory, isFinal } of named) sizes.set(id, await measureDirectory(directory, isFinal))
      for (const name of others) usage.other += (await jobs.run({ kind: 'measure', path: join(paths.layers, name) })).disk
      return usage
    },
  }
}

/** Disk space of a layer's directory, measured once: its files do not change. */
function createLayerMeasure({ jobs }: { jobs: JobRunner }): (directory: string, isFinal: boolean) => Promise<number> {
  const known = new Map<string, number>()
  return async (directory, isFinal) => {
    // Recipes come later, and are a file beside the layer's.
    const recipe = statSync(join(directory, 'recipe'), { throwIfNoEntry: false })?.size ?? 0
    const key = `${directory} ${recipe}`
    const size = known.get(key) ?? (await jobs.run({ kind: 'measure', path: directory })).disk
    // Before it is written out, a file system may still change its mind about the blocks that it takes.
    if (isFinal) known.set(key, size)
    return size
  }
}
