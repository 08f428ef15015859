import { formatPlatform } from '#oci'
import type { Remotes } from '#remotes'
import type { ChainId } from '#snapshots'
import type { ImageStore } from '../image-store.ts'
import type { FetchOptions, FetchProgress, ProgressMessage, RemoteImage } from '../types.ts'
import { fetchLayers, findRemoteImage } from './fetch-image.ts'
import type { FetchImageDeps, FetchImageOptions, FoundImage } from './fetch-image.ts'
import { layerName } from './layer-progress.ts'

export interface FetchUnnamedDeps extends FetchImageDeps {
  remotes: Pick<Remotes, 'repository'>
  store: Pick<ImageStore, 'find' | 'has'>
}

/** See `ImageService.inspectRemote`. */
export async function inspectUnnamed(deps: FetchUnnamedDeps, options: FetchOptions): Promise<RemoteImage> {
  const { target, manifest, config } = await find(deps, options, request(deps, options))
  return { target, manifest, config }
}

/** See `ImageService.fetch`. */
export async function fetchUnnamed(
  deps: FetchUnnamedDeps,
  options: FetchOptions & { progress?: (progress: FetchProgress) => void },
): Promise<RemoteImage & { chain: ChainId | undefined }> {
  const fetching = request(deps, options)
  const found = await find(deps, options, fetching)
  const { target, manifest, config } = found
  const report = layerReport(found, options.progress ?? (() => {}))
  const chain = await fetchLayers(deps, found, { ...fetching, report, isKnown: false })
  return { target, manifest, config, chain }
}

function request(
  { remotes }: FetchUnnamedDeps,
  { reference, platform, credentials, origin, lease, signal }: FetchOptions,
): FetchImageOptions {
  const repository = origin ?? remotes.repository(reference, 'pull', { signal, ...(credentials !== undefined && { credentials }) })
  return { repository, platform, shownPlatform: formatPlatform(platform), lease, signal }
}

async function find(
  deps: FetchUnnamedDeps,
  { reference, origin, known: asked }: FetchOptions,
  options: FetchImageOptions,
): Promise<FoundImage> {
  const named = origin === undefined ? deps.store.find(reference)?.target : undefined
  const known = named ?? (asked !== undefined && deps.content.has(asked.digest) ? asked : undefined)
  return await findRemoteImage(deps, reference, { ...options, known, trustStored: true })
}

/** Docker's words for users, as numbers for programs. */
function layerReport({ manifest }: FoundImage, progress: (progress: FetchProgress) => void): (message: ProgressMessage) => void {
  const layers = new Map(manifest.layers.map((descriptor) => [layerName(descriptor), descriptor]))
  return ({ id = '', status, progress: bytes }) => {
    const descriptor = layers.get(id)
    if (descriptor === undefined) return
    const { digest: layer, size: total } = descriptor
    const tell = (phase: FetchProgress['phase'], current: number, done: boolean): void => progress({ layer, phase, current, total, done })
    if (status === 'Downloading') tell('download', bytes?.current ?? 0, false)
    else if (status === 'Extracting') tell('extract', bytes?.current ?? 0, false)
    else if (status === 'Already exists' || status === 'Download complete') tell('download', total, true)
    else if (status === 'Pull complete') tell('extract', total, true)
  }
}
