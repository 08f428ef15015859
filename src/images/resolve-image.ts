import { notFound } from '#errors'
import { choosePlatform, familiarString, formatPlatform, parseAnyReference, platformMatches, withDefaultTag } from '#oci'
import type { Descriptor, Digest, ImageManifest, Platform } from '#oci'
import { createImages } from './create-image.ts'
import type { CreateDeps } from './create-image.ts'
import { findTarget } from './find-image.ts'
import type { LeafManifest } from './manifest-graph.ts'
import { isAvailable } from './manifest-summaries.ts'
import type { ManifestDeps } from './manifest-summaries.ts'
import { unpackImage } from './unpack-image.ts'

export type ResolveDeps = CreateDeps & ManifestDeps

/** A manifest with everything that belongs to it here. */
export interface AvailableManifest {
  descriptor: Descriptor
  manifest: ImageManifest
}

/**
 * The image that `ref` means on `platform`; unpacked if only its content was here. Throws NOT_FOUND. Source: moby daemon/containerd/image.go,
 * errPlatformNotFound.
 */
export async function resolveImage(
  deps: ResolveDeps,
  ref: string,
  platform: Platform,
  options: { signal?: AbortSignal } = {},
): Promise<Digest> {
  const { store } = deps
  const { id, target } = findTarget(store, ref)
  const chosen = target === undefined ? undefined : chooseManifest(deps, target, platform)
  if (chosen !== undefined) return await unpackVariant(deps, chosen.manifest, options)
  if (platformMatches(platform, store.config(id))) return id
  throw platformNotFound(ref, platform)
}

/** The best manifest of a target for a platform among those that are here. */
export function chooseManifest(deps: ManifestDeps, target: Descriptor, platform: Platform): AvailableManifest | undefined {
  const leaves = deps.graph.leaves(target).filter((leaf) => leaf.kind === 'image' && isAvailable(deps, leaf.manifest))
  const chosen = choosePlatform(
    leaves.map((leaf) => withPlatform(deps, leaf)),
    platform,
  )
  const leaf = leaves.find(({ descriptor }) => descriptor.digest === chosen?.digest)
  return leaf?.manifest && { descriptor: leaf.descriptor, manifest: leaf.manifest }
}

/** A single manifest does not say for which platform it is; its config does. */
function withPlatform({ graph }: ManifestDeps, leaf: LeafManifest): Descriptor {
  const platform = graph.platform(leaf)
  return platform === undefined ? leaf.descriptor : { ...leaf.descriptor, platform }
}

/** Makes an image of a manifest whose content is here. It gets no name: it belongs to the name whose target lists it. */
export async function unpackVariant(
  deps: ResolveDeps,
  { config, layers }: ImageManifest,
  { signal }: { signal?: AbortSignal } = {},
): Promise<Digest> {
  if (deps.store.has(config.digest)) return config.digest
  using lease = deps.content.lease()
  // A collection may run while it is unpacked, and the name may go.
  for (const { digest } of [config, ...layers]) lease.hold(digest)
  const image = { config: config.digest, layers: layers.map(({ digest }) => digest) }
  const unpack = { lease, ...(signal === undefined ? {} : { signal }) }
  await unpackImage(deps, image, lease, (blob, diffId) => deps.snapshotter.unpack(blob, { ...unpack, diffId }))
  await createImages(deps, [{ config: config.digest, parent: '', names: [] }], lease)
  return config.digest
}

/** The error for an image that is here for other platforms only. */
export function platformNotFound(ref: string, platform: Platform): Error {
  return notFound(
    `image with reference ${familiarRef(ref)} was found but does not provide the specified platform (${formatPlatform(platform)})`,
  )
}

function familiarRef(ref: string): string {
  const parsed = parseAnyReference(ref)
  return 'id' in parsed ? parsed.id : familiarString(withDefaultTag(parsed.name))
}
