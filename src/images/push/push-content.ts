import { detectCompression } from '#archive'
import type { Blob } from '#content'
import { inParallel } from '#lib'
import { chainIds, hexOf } from '#oci'
import type { Digest } from '#oci'
import type { RemoteRepository } from '#remotes'
import { readStart } from '../read-start.ts'
import type { ProgressMessage } from '../types.ts'
import { makeManifest } from './make-manifest.ts'
import { pushBlob } from './push-blob.ts'
import type { PushBlobDeps } from './push-blob.ts'
import { planPush } from './push-plan.ts'
import type { PlanDeps, PushManifest, PushPlan, PushRequest, PushSource } from './push-plan.ts'
import { createPushProgress, SILENT } from './push-progress.ts'

export interface PushContentDeps extends PushBlobDeps, PlanDeps {}

/** Enough to tell gzip. */
const MAGIC_LENGTH = 16

/** What has been decided, and the manifests that are still to be pushed, each after those it lists. */
export interface PushedContent {
  plan: PushPlan
  manifests: PushManifest[]
}

/** Pushes manifests, the last of them under `place`; gives that one. */
export async function pushManifests(
  repository: RemoteRepository,
  manifests: readonly PushManifest[],
  place: { tag: string } | { digest: Digest },
  signal: AbortSignal,
): Promise<PushManifest | undefined> {
  const top = manifests.at(-1)
  for (const manifest of manifests) {
    const { descriptor, bytes } = manifest
    const where = manifest === top ? place : { digest: descriptor.digest }
    await repository.pushManifest(where, { mediaType: descriptor.mediaType, bytes }, { signal })
  }
  return top
}

/** A push under way. */
interface Push {
  deps: PushContentDeps
  repository: RemoteRepository
  report: (message: ProgressMessage) => void
  signal: AbortSignal
}

/** Pushes all but the manifests. */
export async function pushContent(push: Push, request: PushRequest): Promise<PushedContent> {
  for (;;) {
    const plan = await planPush(push.deps, request)
    const manifests = plan.kind === 'made' ? [await pushMade(push, plan.image)] : await pushTarget(push, plan)
    // The next plan knows what the compressor makes of the layer now.
    if (manifests !== undefined) return { plan, manifests }
  }
}

/** Undefined when a layer is not what its manifest says any more: another version of the compressor made another blob of it. */
async function pushTarget(
  { deps, repository, report, signal }: Push,
  plan: PushPlan & { kind: 'target' },
): Promise<PushManifest[] | undefined> {
  const blobs = plan.blobs.map(({ source, descriptor, isLayer }) => ({
    source,
    digest: descriptor.digest,
    progress: isLayer ? createPushProgress(report, shortName(descriptor.digest)) : SILENT,
  }))
  for (const { progress } of blobs) progress.say('Preparing')
  let isSame = true
  await inParallel(blobs, signal, async ({ source, digest, progress }, stop) => {
    const pushed = await pushBlob(deps, repository, source, { progress, signal: stop })
    isSame &&= pushed.digest === digest
  })
  return isSame ? plan.manifests : undefined
}

/** Pushes layers and config, and makes the manifest of what the layers have become. */
async function pushMade({ deps, repository, report, signal }: Push, image: Digest): Promise<PushManifest> {
  const { store, content, snapshotter } = deps
  const chains = chainIds(store.config(image).rootfs.diff_ids)
  // The same layer may lie in an image twice.
  const layers = new Map(chains.map((chain) => [snapshotter.layer(chain).diffId, chain]))
  const items = [...layers].map(([diffId, chain]) => ({
    diffId,
    source: layerSource(deps, chain),
    progress: createPushProgress(report, shortName(diffId)),
  }))
  for (const { progress } of items) progress.say('Preparing')
  const config: Blob = { digest: image, size: content.size(image) }
  const pushed = new Map<Digest, Blob>()
  await inParallel([...items, undefined], signal, async (item, stop) => {
    if (item === undefined) await pushBlob(deps, repository, { kind: 'stored', ...config }, { progress: SILENT, signal: stop })
    else pushed.set(item.diffId, await pushBlob(deps, repository, item.source, { progress: item.progress, signal: stop }))
  })
  return makeManifest(
    config,
    chains.flatMap((chain) => pushed.get(snapshotter.layer(chain).diffId) ?? []),
  )
}

/** A layer that came as gzip goes as it came. */
function layerSource({ content, snapshotter, compressed }: PushContentDeps, chain: Digest): PushSource {
  const { diffId, tarSize, blob } = snapshotter.layer(chain)
  if (content.has(blob) && detectCompression(readStart(content.path(blob), MAGIC_LENGTH)) === 'gzip') {
    return { kind: 'stored', digest: blob, size: content.size(blob) }
  }
  return { kind: 'made', diffId, chain, tarSize, expected: compressed.get(diffId) }
}

/** What Docker calls a layer in messages. */
function shortName(digest: Digest): string {
  return hexOf(digest).slice(0, 12)
}
