/**
 * What a push sends, decided before the first byte: the target as it came when all of it can be had, one manifest of it when not, one made here when
 * there is none.
 */

import type { Blob } from '#content'
import { notFound } from '#errors'
import { chainIds, MAX_MANIFEST_SIZE, MEDIA_TYPES, platformMatches } from '#oci'
import type { Descriptor, Digest, ManifestDocument, Platform } from '#oci'
import type { RemoteRepository } from '#remotes'
import type { ChainId } from '#snapshots'
import type { BlobPlaces } from '../blob-places.ts'
import type { LeafManifest } from '../manifest-graph.ts'
import type { ManifestDeps } from '../manifest-summaries.ts'
import { chooseManifest, platformNotFound } from '../resolve-image.ts'
import type { CompressedLayers } from './compressed-layers.ts'

/** A blob to be pushed, and where it comes from. */
export type PushSource =
  /** As it is stored. */
  | { kind: 'stored'; digest: Digest; size: number }
  /** Not here; the registry has it. */
  | { kind: 'remote'; digest: Digest; size: number }
  /** A layer that is compressed on the way. `expected`: what it became the last time. */
  | { kind: 'made'; diffId: Digest; chain: ChainId; tarSize: number; expected: Blob | undefined }

export interface PlannedBlob {
  source: PushSource
  descriptor: Descriptor
  /** A config is not shown to the user. */
  isLayer: boolean
}

export interface PushManifest {
  descriptor: Descriptor
  bytes: Buffer
}

export type PushPlan =
  | {
      kind: 'target'
      /** The last of `manifests`. */
      target: Descriptor
      /** Each once. */
      blobs: PlannedBlob[]
      /** What an index lists before the index. */
      manifests: PushManifest[]
      /** The index that is not pushed because parts of it are missing. */
      insteadOf: Descriptor | undefined
    }
  /** A manifest is made of the image's config and layers. */
  | { kind: 'made'; image: Digest }

export interface PlanDeps extends ManifestDeps {
  compressed: CompressedLayers
  places: BlobPlaces
}

export interface PushRequest {
  /** As the user wrote it, for errors. */
  ref: string
  image: Digest
  target: Descriptor | undefined
  platform: Platform | undefined
  repository: RemoteRepository
  signal: AbortSignal
}

/** Throws NOT_FOUND for a platform that is not here. */
export async function planPush(deps: PlanDeps, request: PushRequest): Promise<PushPlan> {
  const { image, target, platform } = request
  if (target === undefined) {
    if (platform !== undefined && !platformMatches(platform, deps.store.config(image))) throw platformNotFound(request.ref, platform)
    return { kind: 'made', image }
  }
  if (platform !== undefined) {
    const chosen = chooseManifest(deps, target, platform)
    if (chosen === undefined) throw platformNotFound(request.ref, platform)
    return (await planTarget(deps, request, chosen.descriptor)) ?? { kind: 'made', image: chosen.manifest.config.digest }
  }
  const whole = await planTarget(deps, request, target)
  if (whole !== undefined) return whole
  const leaves = deps.graph.leaves(target)
  const own = leaves.find(({ manifest }) => manifest?.config.digest === image)
  const single = own === undefined || own.descriptor.digest === target.digest ? undefined : await planTarget(deps, request, own.descriptor)
  return single === undefined ? { kind: 'made', image } : { ...single, insteadOf: target }
}

type TargetPlan = PushPlan & { kind: 'target' }

/** Undefined when something of it can be had neither here nor in the registry. */
async function planTarget(deps: PlanDeps, request: PushRequest, target: Descriptor): Promise<TargetPlan | undefined> {
  const leaves = deps.graph.leaves(target)
  if (leaves.some(({ manifest }) => manifest === undefined)) return undefined
  const blobs = new Map<Digest, PlannedBlob>()
  for (const blob of leaves.flatMap((leaf) => blobsOf(deps, leaf))) {
    if (blobs.has(blob.descriptor.digest)) continue
    const source = await findSource(deps, request, blob)
    if (source === undefined) return undefined
    blobs.set(blob.descriptor.digest, { source, descriptor: blob.descriptor, isLayer: blob.isLayer })
  }
  return { kind: 'target', target, blobs: [...blobs.values()], manifests: documents(deps, target), insteadOf: undefined }
}

interface LeafBlob {
  descriptor: Descriptor
  isLayer: boolean
  /** The unpacked layer. */
  chain?: ChainId
}

function blobsOf({ store, content, snapshotter }: PlanDeps, { manifest, kind }: LeafManifest): LeafBlob[] {
  if (manifest === undefined) return []
  const { config, layers } = manifest
  const isImage = kind === 'image' && content.has(config.digest)
  const chains = isImage ? chainIds(store.config(config.digest).rootfs.diff_ids) : []
  return [
    { descriptor: config, isLayer: false },
    ...layers.flatMap((descriptor, index) => {
      const chain = chains[index]
      if (isForeign(descriptor)) return []
      return { descriptor, isLayer: true, ...(chain !== undefined && snapshotter.has(chain) ? { chain } : {}) }
    }),
  ]
}

/** A layer that may not be distributed: whoever wants it gets it from its vendor. Source: image-spec v1.1.1 layer.md, "Non-Distributable Layers". */
function isForeign({ mediaType, urls = [] }: Descriptor): boolean {
  return urls.length > 0 && /nondistributable|foreign/.test(mediaType)
}

async function findSource(deps: PlanDeps, request: PushRequest, { descriptor, chain }: LeafBlob): Promise<PushSource | undefined> {
  const { digest, size } = descriptor
  if (deps.content.has(digest)) return { kind: 'stored', digest, size }
  if (chain !== undefined) {
    const { diffId, tarSize } = deps.snapshotter.layer(chain)
    const expected = deps.compressed.get(diffId)
    if (expected?.digest === digest) return { kind: 'made', diffId, chain, tarSize, expected }
  }
  return (await isInRegistry(deps, request, descriptor)) ? { kind: 'remote', digest, size } : undefined
}

/** Whether the registry has the blob here, or has mounted it from another repository. Nothing is sent. */
async function isInRegistry({ places }: PlanDeps, { repository, signal }: PushRequest, { digest, size }: Descriptor): Promise<boolean> {
  const mountFrom = places.mountSource(digest, repository.name)
  if (mountFrom === undefined) return await repository.hasBlob(digest, { signal })
  const absent = notFound(`content ${digest}: not found`)
  const open = (): never => {
    throw absent
  }
  try {
    await repository.pushBlob({ digest, size, mountFrom, open, signal })
    return true
  } catch (error) {
    if (error === absent) return false
    throw error
  }
}

/** Manifests and indexes of a target, each after those it lists: registries refuse what names the unknown. */
function documents({ graph, content }: PlanDeps, target: Descriptor): PushManifest[] {
  const found = new Map<Digest, PushManifest>()
  const visit = (descriptor: Descriptor): void => {
    const document = graph.document(descriptor.digest)
    if (document === undefined || found.has(descriptor.digest)) return
    if (document.kind === 'index') document.index.manifests.forEach(visit)
    found.set(descriptor.digest, {
      descriptor: { ...descriptor, mediaType: descriptor.mediaType || mediaTypeOf(document) },
      bytes: content.readAll(descriptor.digest, MAX_MANIFEST_SIZE),
    })
  }
  visit(target)
  return [...found.values()]
}

/** Of a document that was listed without one. */
function mediaTypeOf(document: ManifestDocument): string {
  return document.kind === 'index'
    ? (document.index.mediaType ?? MEDIA_TYPES.ociIndex)
    : (document.manifest.mediaType ?? MEDIA_TYPES.ociManifest)
}
