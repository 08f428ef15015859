import type { ContentStore, Lease } from '#content'
import { notFound } from '#errors'
import { SharedWork } from '#lib'
import type { Metadata } from '#metadata'
import type { Digest } from '#oci'
import type { DraftRow, DraftStore } from './draft-store.ts'
import type { LayerIndex } from './layer-index.ts'
import type { LayerStore } from './layer-store.ts'
import type { JobRunner, PackResult } from './unpack/job.ts'

export interface SealOptions {
  lease: Lease
  signal?: AbortSignal | undefined
  /** Milliseconds since the epoch; see `DraftLayers.seal`. */
  rewriteTimestamp?: number | undefined
  progress?: ((bytes: number) => void) | undefined
}

/** Gives the diff id of the layer that a draft becomes; the lease holds it. */
export type DraftSealer = (id: Digest, options: SealOptions) => Promise<Digest>

/** Makes layers of drafts: the tar in a worker, one draft once at a time. */
export function createDraftSealer(deps: {
  metadata: Metadata
  content: ContentStore
  jobs: JobRunner
  layers: LayerStore
  drafts: DraftStore
  index: LayerIndex
}): DraftSealer {
  const { metadata, content, layers, drafts, index } = deps
  const sealing = new SharedWork<string, Digest>()

  /** The tar becomes a blob, which is on its way to the disk. */
  async function pack(id: Digest, lease: Lease, options: Omit<SealOptions, 'lease'>): Promise<PackResult> {
    const { signal, progress, rewriteTimestamp } = options
    let packed: PackResult | undefined
    await content.adopt(
      async (target) => {
        const latest = rewriteTimestamp === undefined ? {} : { latest: BigInt(Math.floor(rewriteTimestamp)) * 1_000_000n }
        const job = { kind: 'pack', directory: index.pathOf(id), target, ...latest } as const
        packed = await deps.jobs.run(job, { ...(signal && { signal }), ...(progress && { progress }) })
        return packed.diffId
      },
      { lease },
    )
    return packed as unknown as PackResult // `adopt` has called it
  }

  /** The files stay where they are: what is mounted over them goes on. */
  function enter(draft: DraftRow, { diffId, tarSize, size, inodes }: PackResult): void {
    const after = metadata.transaction(() => {
      const layer = { diffId, tarSize, size, inodes, blob: diffId }
      const entered = draft.directory === undefined ? undefined : layers.enter(layer, draft.directory)
      return [entered, drafts.seal(draft.id, diffId, entered !== undefined)]
    })
    for (const finish of after) finish?.()
  }

  async function seal(id: Digest, options: Omit<SealOptions, 'lease'>): Promise<Digest> {
    using lease = content.lease()
    const packed = await pack(id, lease, options)
    const { diffId } = packed
    lease.hold(diffId)
    const draft = drafts.find(id)
    if (draft === undefined) throw notFound(`layer ${id}: not found`) // whoever held it has let it go
    if (options.rewriteTimestamp === undefined) enter(draft, packed)
    // A layer that was there may have lost its blob; one with other times is yet to be unpacked.
    await layers.unpack(diffId, { lease, diffId, ...(options.signal && { signal: options.signal }) })
    return diffId
  }

  return async (id, { lease, rewriteTimestamp, signal, progress }) => {
    const known = rewriteTimestamp === undefined ? index.layerOf(id)?.diffId : undefined
    const waiting = signal ?? new AbortController().signal
    // Who comes later hears nothing of its progress, only of its end.
    const work = (own: AbortSignal): Promise<Digest> => seal(id, { signal: own, progress, rewriteTimestamp })
    const diffId = known ?? (await sealing.join(`${id} ${rewriteTimestamp}`, waiting, work))
    lease.hold(diffId)
    const blob = layers.find(diffId)?.blob
    if (blob !== undefined) lease.hold(blob)
    return diffId
  }
}
