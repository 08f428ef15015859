import type { Blob, ContentStore } from '#content'
import type { Semaphore } from '#lib'
import type { RemoteRepository } from '#remotes'
import type { Snapshotter } from '#snapshots'
import type { BlobPlaces } from '../blob-places.ts'
import { createLayerCompressor } from './compress-layer.ts'
import type { LayerCompressor } from './compress-layer.ts'
import type { CompressedLayers } from './compressed-layers.ts'
import type { PushProgress } from './push-progress.ts'
import type { PushSource } from './push-plan.ts'

export interface PushBlobDeps {
  content: ContentStore
  snapshotter: Snapshotter
  places: BlobPlaces
  compressed: CompressedLayers
  /** Uploads under way, of all pushes. */
  uploads: Semaphore
}

/** The compressor makes another blob of a layer than it did once. */
class ChangedCompression extends Error {}

/** Brings one blob to a repository unless it is there, and says what it was. Errors: those of {@link RemoteRepository}. */
export async function pushBlob(
  deps: PushBlobDeps,
  repository: RemoteRepository,
  source: PushSource,
  { progress, signal }: { progress: PushProgress; signal: AbortSignal },
): Promise<Blob> {
  if (deps.uploads.isFull) progress.say('Waiting')
  using _place = await deps.uploads.take(signal)
  const blob = await push(deps, repository, source, progress, signal)
  deps.places.add(blob.digest, repository.name)
  return blob
}

async function push(
  deps: PushBlobDeps,
  repository: RemoteRepository,
  source: PushSource,
  progress: PushProgress,
  signal: AbortSignal,
): Promise<Blob> {
  if (source.kind === 'made') return await pushMade(deps, repository, source, progress, signal)
  const { digest, size } = source
  if (source.kind === 'remote') progress.say('Layer already exists')
  else {
    await send(deps, repository, { digest, size }, progress, {
      open: () => deps.content.read(digest),
      progress: (sent) => progress.count(sent, size),
      signal,
    })
  }
  return { digest, size }
}

/** What is remembered spares compressing a layer that the registry has. */
async function pushMade(
  deps: PushBlobDeps,
  repository: RemoteRepository,
  source: PushSource & { kind: 'made' },
  progress: PushProgress,
  signal: AbortSignal,
): Promise<Blob> {
  const { chain, diffId, tarSize, expected } = source
  const compressor = createLayerCompressor(
    () => deps.snapshotter.layerTar(chain),
    (read) => progress.count(read, tarSize),
  )
  try {
    const open = expected === undefined ? compressor.open : opensAs(expected, compressor)
    await send(deps, repository, expected, progress, { open, result: compressor.result, signal })
  } catch (error) {
    if (!(error instanceof ChangedCompression)) throw error
    deps.compressed.forget(diffId)
    return await pushMade(deps, repository, { ...source, expected: undefined }, progress, signal)
  }
  const blob = expected ?? compressor.result()
  deps.compressed.set(diffId, blob)
  return blob
}

/** The same stream, which fails as soon as it is not what is expected: the registry would refuse it, and not say why. */
function opensAs(expected: Blob, { open, result }: LayerCompressor): LayerCompressor['open'] {
  return async function* (signal) {
    let size = 0
    for await (const chunk of open(signal)) {
      size += chunk.length
      if (size > expected.size) throw new ChangedCompression()
      yield chunk
    }
    if (result().digest !== expected.digest) throw new ChangedCompression()
  }
}

type SendOptions = Pick<Parameters<RemoteRepository['pushBlob']>[0], 'open' | 'result' | 'progress' | 'signal'>

async function send(
  { places }: PushBlobDeps,
  repository: RemoteRepository,
  blob: Blob | undefined,
  progress: PushProgress,
  options: SendOptions,
): Promise<void> {
  const mountFrom = blob === undefined ? undefined : places.mountSource(blob.digest, repository.name)
  const pushed = await repository.pushBlob({ ...options, ...blob, ...(mountFrom === undefined ? {} : { mountFrom }) })
  if (pushed.kind === 'exists') progress.say('Layer already exists')
  else progress.say(pushed.kind === 'mounted' ? `Mounted from ${pushed.from}` : 'Pushed')
}
