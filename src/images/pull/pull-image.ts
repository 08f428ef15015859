import { Semaphore } from '#lib'
import { familiarName, familiarString, formatPlatform, fullString, hostPlatform, parsePlatform, platformMatches } from '#oci'
import type { Platform, Reference } from '#oci'
import type { Remotes } from '#remotes'
import type { BlobPlaces } from '../blob-places.ts'
import type { CreateDeps } from '../create-image.ts'
import { imageAttributes } from '../name-image.ts'
import type { CompressedLayers } from '../push/compressed-layers.ts'
import type { ImageService, PullOptions } from '../types.ts'
import { fetchUnnamed, inspectUnnamed } from './fetch-unnamed.ts'
import { pullName } from './pull-name.ts'
import type { PulledName, PullNameDeps } from './pull-name.ts'
import { createRetainedLeases } from './retained-leases.ts'
import { createTransferTable } from './transfer-table.ts'

export interface PullDeps extends CreateDeps {
  remotes: Pick<Remotes, 'repository'>
  places: Pick<BlobPlaces, 'add'>
  compressed: Pick<CompressedLayers, 'get'>
  /** Read at each use; 0: no limit. */
  maxConcurrentDownloads: () => number
  /** Something stored before is needed no more. */
  released: () => void
}

/** Pulls images; what pulls share (downloads under way, their number, what failed ones have left) is its state. */
export interface ImagePuller {
  /** See {@link ImageService}, for all three. */
  pull(options: PullOptions): Promise<void>
  inspectRemote: ImageService['inspectRemote']
  fetch: ImageService['fetch']
}

export function createImagePuller(deps: PullDeps): ImagePuller {
  const retained = createRetainedLeases({ released: deps.released })
  const shared: PullNameDeps = {
    ...deps,
    transfers: createTransferTable(),
    configs: createTransferTable(),
    downloads: new Semaphore(() => deps.maxConcurrentDownloads() || Infinity),
  }

  const fetching = { ...shared, remotes: deps.remotes }

  /** Who fails may try again soon, who gives up does not; nor who has no space. */
  async function pullLeased(name: Reference, options: Omit<Parameters<typeof pullName>[2], 'lease'>): Promise<PulledName> {
    using undo = new DisposableStack()
    const lease = undo.use(deps.content.lease())
    try {
      const pulled = await pullName(shared, name, { ...options, lease })
      retained.release(fullString(name))
      return pulled
    } catch (error) {
      if (!options.signal.aborted && !isDiskFull(error)) retained.keep(fullString(name), undo.move())
      throw error
    }
  }

  return {
    inspectRemote: (options) => inspectUnnamed(fetching, options),
    fetch: (options) => fetchUnnamed(fetching, options),
    async pull(options) {
      const { reference, report, signal = new AbortController().signal } = options
      const platform = options.platform === undefined ? hostPlatform() : parsePlatform(options.platform)
      const repository = deps.remotes.repository(reference, 'pull', { ...remoteOptions(options), signal })
      const isWhole = reference.tag === undefined && reference.digest === undefined
      const names = isWhole ? tagged(reference, repository.tags({ signal })) : [reference]
      let isNew = false
      let last: PulledName | undefined
      for await (const name of names) {
        last = await pullLeased(name, { repository, platform, shownPlatform: shown(options.platform, platform), signal, report })
        isNew ||= last.isNew
      }
      report({ status: `Status: ${isNew ? 'Downloaded newer image' : 'Image is up to date'} for ${familiarString(reference)}` })
      const attributes =
        last === undefined ? { name: familiarName(reference) } : imageAttributes(deps.store, last.image, familiarName(reference))
      deps.publish('pull', familiarString(reference), attributes)
      if (options.platform === undefined || last === undefined || platformMatches(platform, deps.store.config(last.image))) return
      // A single manifest is taken whatever it is for; only its config tells.
      report({
        status: `WARNING: image with reference ${familiarString(reference)} was found but does not provide the specified platform (${formatPlatform(platform)})`,
      })
    },
  }
}

/** What is finished is not worth keeping then. By its words: errors of workers come as text. */
function isDiskFull(error: unknown): boolean {
  return error instanceof Error && /no space left on device/.test(error.message)
}

function remoteOptions({ credentials, headers }: PullOptions): Pick<PullOptions, 'credentials' | 'headers'> {
  return { ...(credentials !== undefined && { credentials }), ...(headers !== undefined && { headers }) }
}

async function* tagged(reference: Reference, tags: AsyncIterable<string>): AsyncGenerator<Reference, void, void> {
  for await (const tag of tags) yield { ...reference, tag }
}

/** As containerd formats it: the variant of arm64 is shown when it was written, or when it is this machine's. */
function shown(written: string | undefined, platform: Platform): string {
  const isWritten = written !== undefined && platform.architecture === 'arm64' && platform.variant === undefined && /\/v?8$/.test(written)
  return formatPlatform(isWritten ? { ...platform, variant: 'v8' } : platform)
}
