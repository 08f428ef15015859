import type { Lease } from '#content'
import type { Descriptor, ImageConfigFile, ImageManifest, Platform, Reference } from '#oci'
import type { ChainId } from '#snapshots'
import { stackLayers } from '../stack-layers.ts'
import type { ImageOrigin, ProgressMessage } from '../types.ts'
import { checkConfig, checkManifest } from './check-image.ts'
import { chooseManifest, fetchTarget, storedTarget } from './fetch-manifest.ts'
import { pullConfig } from './pull-config.ts'
import type { PullConfigDeps } from './pull-config.ts'
import { pullLayers } from './pull-layers.ts'
import type { PullLayersDeps } from './pull-layers.ts'

export interface FetchImageDeps extends PullLayersDeps, PullConfigDeps {}

export interface FetchImageOptions {
  repository: ImageOrigin
  platform: Platform
  /** The platform as messages show it. */
  shownPlatform: string
  /** Holds everything that comes. */
  lease: Lease
  signal: AbortSignal
}

/** What a name means on one platform; its documents are here and checked, its layers perhaps not. */
export interface FoundImage {
  /** What the name points to: manifest or index. */
  target: Descriptor
  manifest: ImageManifest
  config: ImageConfigFile
  /** Resolves when the config survives a loss of power. */
  durable: Promise<void>
}

/**
 * Fetches the documents of an image. `known`: what the name meant before, which is not fetched again. `named` hears that the name means something.
 * `trustStored`: nobody is asked for what is here by its digest.
 */
export async function findRemoteImage(
  deps: FetchImageDeps,
  name: Reference,
  options: FetchImageOptions & { known?: Descriptor | undefined; named?: () => void; trustStored?: boolean },
): Promise<FoundImage> {
  const { repository, lease, signal, platform, shownPlatform } = options
  const fetching = { content: deps.content, lease, repository, signal }
  const stored = options.trustStored === true ? storedTarget(fetching, name) : undefined
  const target = stored ?? (await fetchTarget(fetching, name, options.known))
  options.named?.()
  const manifest = await chooseManifest(fetching, name, target, platform, shownPlatform)
  checkManifest(manifest)
  const { config, durable } = await pullConfig(deps, manifest.config, options)
  checkConfig(config, manifest)
  return { target: target.descriptor, manifest, config, durable }
}

/** Makes all layers of an image be here, unpacked and stacked. Gives the chain; undefined for an image without layers. */
export async function fetchLayers(
  deps: FetchImageDeps,
  { manifest, config, durable }: FoundImage,
  options: Pick<FetchImageOptions, 'repository' | 'lease' | 'signal'> & { report: (message: ProgressMessage) => void; isKnown: boolean },
): Promise<ChainId | undefined> {
  await pullLayers(deps, manifest, config, options)
  await durable
  return stackLayers(deps.snapshotter, config.rootfs.diff_ids, options.lease)
}
