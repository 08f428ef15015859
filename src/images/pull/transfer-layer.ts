import type { ContentStore, Lease } from '#content'
import { codeOf, invalidArgument } from '#errors'
import type { Semaphore } from '#lib'
import type { Descriptor, Digest } from '#oci'
import type { RemoteRepository } from '#remotes'
import type { Layer, Snapshotter, UnpackOptions } from '#snapshots'
import type { ProgressMessage } from '../types.ts'
import { createLayerProgress } from './layer-progress.ts'
import type { LayerProgress } from './layer-progress.ts'
import type { TransferContext } from './transfer-table.ts'

export interface TransferDeps {
  content: ContentStore
  snapshotter: Snapshotter
  /** Downloads under way, of all pulls. */
  downloads: Semaphore
}

/** A layer to be had, and from where. */
export interface RemoteLayer {
  descriptor: Descriptor
  diffId: Digest
  repository: Pick<RemoteRepository, 'fetchBlob'>
}

/** A layer that is here, held by whoever waited for it. */
export interface TransferredLayer {
  layer: Layer
  /** Resolves when the blob survives a loss of power. */
  durable: Promise<void>
}

/** Gets a layer's blob and unpacks it, at the same time. A half blob or layer is gone when this throws. */
export async function transferLayer(
  deps: TransferDeps,
  source: RemoteLayer,
  { signal, report, hold }: TransferContext<ProgressMessage>,
): Promise<TransferredLayer> {
  using lease = deps.content.lease()
  const progress = createLayerProgress(report, source.descriptor)
  const work = { ...deps, ...source, lease, progress, signal, hold }
  const layer = deps.content.has(source.descriptor.digest) ? await unpackStored(work) : await download(work)
  hold(layer.diffId)
  hold(layer.blob)
  progress.say('Pull complete')
  const durable = lease.durable()
  durable.catch(() => {}) // reported where it is waited for
  return { layer, durable }
}

interface LayerWork extends TransferDeps, RemoteLayer {
  lease: Lease
  progress: LayerProgress
  signal: AbortSignal
  hold: (digest: Digest) => void
}

/** An earlier pull got the blob and then failed. */
async function unpackStored(work: LayerWork): Promise<Layer> {
  work.lease.hold(work.descriptor.digest)
  work.hold(work.descriptor.digest)
  work.progress.say('Download complete')
  return holdKnownLayer(work) ?? (await unpack(work, work.signal, { progress: (read) => work.progress.count('Extracting', read) }))
}

async function download(work: LayerWork): Promise<Layer> {
  const { descriptor, lease, progress } = work
  const stop = new AbortController()
  const signal = AbortSignal.any([work.signal, stop.signal])
  let isDownloaded = false
  const extracting = (read: number): void => void (isDownloaded && progress.count('Extracting', read))
  const layer = Promise.withResolvers<Layer>()
  // A bad archive may be a broken download: then its digest tells, and is the better reason. A full disk is none to go on.
  layer.promise.catch((error: unknown) => codeOf(error) !== 'INVALID_ARGUMENT' && stop.abort(error))
  try {
    if (work.downloads.isFull) progress.say('Waiting')
    using _place = await work.downloads.take(signal)
    await work.content.ingest(readBlob(work, signal), {
      lease,
      digest: descriptor.digest,
      size: descriptor.size,
      signal,
      growing: (blob) => layer.resolve(holdKnownLayer(work) ?? unpack(work, signal, { growing: blob, progress: extracting })),
    })
  } catch (error) {
    // A download that was stopped for the layer's sake says only that it was stopped.
    const failure: unknown = stop.signal.aborted ? stop.signal.reason : error
    layer.reject(error)
    await layer.promise.catch(() => {})
    throw explain(failure, descriptor.digest)
  }
  isDownloaded = true
  work.hold(descriptor.digest)
  progress.say('Verifying Checksum')
  progress.say('Download complete')
  return await layer.promise
}

async function unpack(work: LayerWork, signal: AbortSignal, options: Pick<UnpackOptions, 'growing' | 'progress'>): Promise<Layer> {
  const { descriptor, diffId, lease } = work
  return await work.snapshotter.unpack(descriptor.digest, { lease, diffId, signal, ...options })
}

/** The layer may have been unpacked from another blob (compressed differently): then only this one is wanted, for pushes of the image as it came. */
function holdKnownLayer({ snapshotter, diffId, lease }: LayerWork): Layer | undefined {
  const layer = snapshotter.findLayer(diffId)
  if (layer === undefined) return undefined
  lease.hold(layer.diffId)
  lease.hold(layer.blob)
  return layer
}

async function* readBlob({ repository, descriptor, progress }: LayerWork, signal: AbortSignal): AsyncGenerator<Buffer, void, void> {
  let current = 0
  for await (const chunk of repository.fetchBlob(descriptor, { signal, retrying: (seconds) => progress.retrying(seconds) })) {
    current += chunk.length
    progress.count('Downloading', current)
    yield chunk
  }
}

/** Docker's words for content that is not what the manifest promises. */
function explain(error: unknown, digest: Digest): unknown {
  if (codeOf(error) !== 'INVALID_ARGUMENT') return error
  return invalidArgument(`filesystem layer verification failed for digest ${digest}: ${(error as Error).message}`, error)
}
