import type { Lease } from '#content'
import type { Descriptor, Digest, Platform, Reference } from '#oci'
import type { RemoteRepository } from '#remotes'
import type { ChainId } from '#snapshots'
import type { BlobPlaces } from '../blob-places.ts'
import { createImages } from '../create-image.ts'
import type { CreateDeps, NewName } from '../create-image.ts'
import type { ProgressMessage } from '../types.ts'
import { checkConfig, checkManifest } from './check-image.ts'
import { chooseManifest, fetchTarget } from './fetch-manifest.ts'
import { pullConfig } from './pull-config.ts'
import type { PullConfigDeps } from './pull-config.ts'
import { pullLayers } from './pull-layers.ts'
import type { PullLayersDeps } from './pull-layers.ts'

export interface PullNameDeps extends CreateDeps, PullLayersDeps, PullConfigDeps {
  places: Pick<BlobPlaces, 'add'>
}

export interface PullNameOptions {
  repository: RemoteRepository
  platform: Platform
  /** The platform as messages show it. */
  shownPlatform: string
  lease: Lease
  signal: AbortSignal
  report: (message: ProgressMessage) => void
}

export interface PulledName {
  image: Digest
  /** Whether the name is new, or has meant another image. */
  isNew: boolean
}

/** Pulls what one tag or digest means, and gives it its names: the tag, and the digest of what the tag points to. Source: moby daemon/internal/distribution/pull_v2.go. */
export async function pullName(deps: PullNameDeps, name: Reference, options: PullNameOptions): Promise<PulledName> {
  const { content, store } = deps
  const { repository, lease, signal, report } = options
  const fetching = { content, lease, repository, signal }
  const target = await fetchTarget(fetching, name, store.find(name)?.target)
  report({ id: name.digest ?? name.tag ?? '', status: `Pulling from ${name.path}` })
  const manifest = await chooseManifest(fetching, name, target, options.platform, options.shownPlatform)
  checkManifest(manifest)
  const image = manifest.config.digest
  const { config, durable } = await pullConfig(deps, manifest.config, options)
  checkConfig(config, manifest)
  await pullLayers(deps, manifest, config, { ...options, isKnown: store.has(image) })
  await durable
  let chain: ChainId | undefined
  for (const diffId of config.rootfs.diff_ids) chain = deps.snapshotter.stack(chain, diffId, lease)
  const isNew = store.find(name)?.image !== image
  await createImages(deps, [{ config: image, parent: '', names: namesOf(name, target.descriptor) }], lease)
  for (const { digest } of manifest.layers) deps.places.add(digest, name)
  report({ status: `Digest: ${target.descriptor.digest}` })
  return { image, isNew }
}

function namesOf(name: Reference, target: Descriptor): NewName[] {
  const { domain, path } = name
  const canonical = { reference: { domain, path, digest: target.digest }, target }
  return name.digest === undefined ? [{ reference: name, target }, canonical] : [canonical]
}
