import type { ContentStore, Lease } from '#content'
import { codeOf } from '#errors'
import type { FetchOptions, Image, ImageService, FetchProgress } from '#images'
import { familiarString, formatPlatform, fullString } from '#oci'
import type { Digest, ImageConfigFile, Platform, Reference } from '#oci'
import type { ChainId } from '#snapshots'
import type { ResolveMode } from '../../graph/types.ts'
import { loginHost } from '../../login-host.ts'
import type { BuildSession } from '../../session.ts'
import type { Step } from '../../types.ts'
import { layoutOrigin } from './layout-origin.ts'
import { createRecentDocuments } from './recent-documents.ts'
import { remoteError } from './remote-error.ts'

/** What clients put before a layout's id, to tell it from directories of caches. Source: moby/buildkit client/solve.go. */
const LAYOUT_STORES = 'oci:'

/** An image as some vertex or FROM line asks for it. */
export interface WantedImage {
  /** With tag or digest. */
  reference: Reference
  platform: Platform
  resolveMode: ResolveMode
  /** An OCI layout of the client instead of the engine's images and a registry. */
  layout?: { session: BuildSession; store: string }
}

/** What is needed of a step. */
export type FindContext = Pick<Step, 'session' | 'signal' | 'lease' | 'status'>

export interface FoundImage {
  /** With the digest of what the registry gave; without one for an image that was made here. */
  reference: Reference
  /** Of the manifest or index; of the config for an image that was made here. */
  digest: Digest
  config: ImageConfigFile
  /** It is one of the engine's. */
  image?: Image
}

/** Finds images where a build may take them from: the engine's own, a registry, a layout of the client. */
export interface ImageFinder extends Disposable {
  find(wanted: WantedImage, context: FindContext): Promise<FoundImage>
  /** Makes the layers be here, under the step's lease. */
  fetch(wanted: WantedImage, context: FindContext): Promise<ChainId | undefined>
  /** Makes it an image of the engine's, with its name, unless there is a good one. */
  pull(wanted: WantedImage, context: FindContext): Promise<void>
}

export interface ImageFinderDeps {
  images: Pick<ImageService, 'get' | 'resolve' | 'pull' | 'inspectRemote' | 'fetch'>
  content: Pick<ContentStore, 'lease'>
}

export function createImageFinder({ images, content }: ImageFinderDeps): ImageFinder {
  const recent = createRecentDocuments({ content })

  /** The engine's own image of this name, if it has the platform. */
  async function findLocal({ reference, platform }: WantedImage, signal: AbortSignal): Promise<FoundImage | undefined> {
    // The full name is nobody's id. A digest means the same whatever tag is written beside it.
    const { domain, path, digest } = reference
    const name = fullString(digest === undefined ? reference : { domain, path, digest })
    try {
      const image = await images.resolve(name, formatPlatform(platform), { signal })
      const { descriptor, repoDigests } = images.get(name)
      const pinned = descriptor && { ...reference, digest: descriptor.digest }
      const canPin = pinned !== undefined && repoDigests.includes(familiarString({ domain, path, digest: pinned.digest }))
      return { reference: canPin ? pinned : reference, digest: canPin ? pinned.digest : image.id, config: image.config, image }
    } catch (error) {
      if (codeOf(error) === 'NOT_FOUND') return undefined
      throw error
    }
  }

  async function request({ reference, platform, layout }: WantedImage, context: FindContext): Promise<Omit<FetchOptions, 'lease'>> {
    const { signal, session } = context
    const common = { reference, platform, signal }
    if (layout !== undefined) return { ...common, origin: layoutOrigin(layout.session.store(`${LAYOUT_STORES}${layout.store}`)) }
    const credentials = await session.credentials(loginHost(reference))
    return { ...common, ...(credentials !== undefined && { credentials }) }
  }

  async function findRemote(wanted: WantedImage, context: FindContext): Promise<FoundImage> {
    const { reference, platform, layout } = wanted
    const place = layout === undefined ? '' : `${layout.session.id} ${layout.store} `
    const name = `${place}${fullString(reference)} ${formatPlatform(platform)}`
    const known = recent.known(name)
    const options = { ...(await request(wanted, context)), ...(known !== undefined && { known }) }
    const { target, config } = await recent.fetch(name, (lease) => images.inspectRemote({ ...options, lease }))
    return { reference: { ...reference, digest: target.digest }, digest: target.digest, config }
  }

  /** What a digest names is the same everywhere; a tag only means what the registry says, if that was asked for. */
  function mayBeLocal({ reference, resolveMode, layout }: WantedImage): boolean {
    return layout === undefined && (resolveMode === 'local' || reference.digest !== undefined)
  }

  async function find(wanted: WantedImage, context: FindContext): Promise<FoundImage> {
    const local = mayBeLocal(wanted) ? await findLocal(wanted, context.signal) : undefined
    return local ?? (await inWordsOfBuilds(wanted, () => findRemote(wanted, context)))
  }

  return {
    find,
    async fetch(wanted, context) {
      const local = mayBeLocal(wanted) ? await findLocal(wanted, context.signal) : undefined
      if (local?.image !== undefined) return held(context.lease, local.image.chain)
      return await inWordsOfBuilds(wanted, async () => {
        const options = { ...(await request(wanted, context)), lease: context.lease }
        const { chain } = await images.fetch({ ...options, progress: (progress) => showProgress(context, progress) })
        return chain
      })
    },
    async pull(wanted, context) {
      if (mayBeLocal(wanted) && (await findLocal(wanted, context.signal)) !== undefined) return
      await inWordsOfBuilds(wanted, async () => {
        const { origin: _, ...options } = await request(wanted, context)
        await images.pull({
          ...options,
          platform: formatPlatform(wanted.platform),
          report: ({ id, progress }) => id !== undefined && progress !== undefined && context.status(id, progress),
        })
      })
    },
    [Symbol.dispose]: () => recent[Symbol.dispose](),
  }
}

function held(lease: Lease, chain: ChainId | undefined): ChainId | undefined {
  if (chain !== undefined) lease.hold(chain)
  return chain
}

async function inWordsOfBuilds<T>({ reference }: WantedImage, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw remoteError(error, reference)
  }
}

/** Ids as BuildKit's: displays know them. */
function showProgress(context: FindContext, { layer, phase, current, total, done }: FetchProgress): void {
  context.status(phase === 'download' ? layer : `extracting ${layer}`, { current, total, done })
}
