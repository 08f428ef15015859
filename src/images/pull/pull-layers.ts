import type { Lease } from '#content'
import type { Descriptor, Digest, ImageConfigFile, ImageManifest } from '#oci'
import type { RemoteRepository } from '#remotes'
import type { CompressedLayers } from '../push/compressed-layers.ts'
import type { ProgressMessage } from '../types.ts'
import { mismatch } from './check-image.ts'
import { layerName } from './layer-progress.ts'
import { transferLayer } from './transfer-layer.ts'
import type { TransferDeps, TransferredLayer } from './transfer-layer.ts'
import type { TransferContext, TransferTable } from './transfer-table.ts'

export type LayerTransfers = TransferTable<TransferredLayer, ProgressMessage>

export interface PullLayersDeps extends TransferDeps {
  transfers: LayerTransfers
  compressed: Pick<CompressedLayers, 'get'>
}

export interface PullLayersOptions {
  repository: Pick<RemoteRepository, 'fetchBlob'>
  lease: Lease
  signal: AbortSignal
  report: (message: ProgressMessage) => void
  /** There is such an image. Docker says nothing of its layers then, if all are here. */
  isKnown: boolean
}

/**
 * Makes all layers of an image be here, unpacked and under the lease. Resolves when they also survive a loss of power. When one fails, the others end,
 * unless somebody else waits for them.
 */
export async function pullLayers(
  deps: PullLayersDeps,
  manifest: ImageManifest,
  config: ImageConfigFile,
  options: PullLayersOptions,
): Promise<void> {
  const wanted: { descriptor: Descriptor; diffId: Digest }[] = []
  const said: ProgressMessage[] = []
  for (const [descriptor, diffId] of pairs(manifest, config)) {
    const isHere = holdPresent(deps, descriptor, diffId, options.lease)
    said.push({ id: layerName(descriptor), status: isHere ? 'Already exists' : 'Pulling fs layer' })
    if (!isHere) wanted.push({ descriptor, diffId })
  }
  if (!options.isKnown || wanted.length > 0) said.forEach(options.report)
  // The largest takes longest to unpack: it must not be the last to begin.
  wanted.sort((a, b) => b.descriptor.size - a.descriptor.size)
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  const transfers = wanted.map((layer) => pullLayer(deps, layer, { ...options, signal }))
  try {
    await Promise.all(transfers)
  } catch (error) {
    stop.abort(error)
    await Promise.allSettled(transfers)
    throw error
  }
}

async function pullLayer(
  deps: PullLayersDeps,
  { descriptor, diffId }: { descriptor: Descriptor; diffId: Digest },
  { repository, lease, signal, report }: Omit<PullLayersOptions, 'isKnown'>,
): Promise<void> {
  const start = (context: TransferContext<ProgressMessage>): Promise<TransferredLayer> =>
    transferLayer(deps, { descriptor, diffId, repository }, context)
  const hold = (digest: Digest): void => lease.hold(digest)
  const { layer, durable } = await deps.transfers.join(descriptor.digest, start, { signal, report, hold })
  // Somebody else's config may have promised something else of the same blob.
  if (layer.diffId !== diffId) throw mismatch()
  await durable
}

/** Each blob once, with the diff id that the config gives it. */
function pairs({ layers }: ImageManifest, { rootfs }: ImageConfigFile): Map<Descriptor, Digest> {
  const found = new Map<Digest, [Descriptor, Digest]>()
  for (const [index, descriptor] of layers.entries()) {
    const diffId = rootfs.diff_ids[index]
    const known = found.get(descriptor.digest)
    if (diffId === undefined || (known !== undefined && known[1] !== diffId)) throw mismatch()
    if (known === undefined) found.set(descriptor.digest, [descriptor, diffId])
  }
  return new Map(found.values())
}

/**
 * Whether nothing of a layer has to be downloaded; it is under the lease then. One that was unpacked from another blob (compressed differently) lacks this
 * one, which a push of the image as it came needs: unless layers are kept without their blobs, or a push made this one here and can make it again.
 */
function holdPresent({ content, snapshotter, compressed }: PullLayersDeps, { digest }: Descriptor, diffId: Digest, lease: Lease): boolean {
  const layer = snapshotter.findLayer(diffId)
  if (layer === undefined) return false
  const isMakeable = snapshotter.spareBlobs().has(layer.blob) || compressed.get(diffId)?.digest === digest
  if (!content.has(digest) && !isMakeable) return false
  for (const held of [digest, layer.diffId, layer.blob]) lease.hold(held)
  return true
}
