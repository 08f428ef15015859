import { detectCompression } from '#archive'
import type { Blob } from '#content'
import { notFound } from '#errors'
import { chainIds, familiarName, familiarString, hexOf } from '#oci'
import type { Descriptor, Digest, Reference } from '#oci'
import type { RemoteRepository } from '#remotes'
import type { ImageName } from '../image-store.ts'
import { readStart } from '../read-start.ts'
import type { ProgressMessage, PublishImageEvent, PushOptions } from '../types.ts'
import { inParallel } from './in-parallel.ts'
import { makeManifest } from './make-manifest.ts'
import { pushBlob } from './push-blob.ts'
import type { PushBlobDeps } from './push-blob.ts'
import { planPush } from './push-plan.ts'
import type { PlanDeps, PushManifest, PushPlan, PushRequest, PushSource } from './push-plan.ts'
import { createPushProgress, SILENT } from './push-progress.ts'
import { rememberPush } from './remember-push.ts'

export interface PushNameDeps extends PushBlobDeps, PlanDeps {
  publish: PublishImageEvent
}

/** Enough to tell gzip. */
const MAGIC_LENGTH = 16

/** Pushes what a tag means, and remembers as what. */
export async function pushName(deps: PushNameDeps, repository: RemoteRepository, name: Reference, options: PushOptions): Promise<void> {
  const { store, publish } = deps
  const { platform, report, signal = new AbortController().signal } = options
  const found = store.find(name)
  if (found === undefined) throw notFound(`tag does not exist: ${familiarString(name)}`)
  // The image may be removed meanwhile: it is pushed to its end.
  using lease = deps.content.lease()
  for (const digest of contentOf(deps, found)) lease.hold(digest)
  const request = { ref: familiarString(name), image: found.image, target: found.target, platform, repository, signal }
  const { plan, manifests } = await pushContent({ deps, repository, report, signal }, request)
  for (const { descriptor, bytes } of manifests.slice(0, -1)) {
    await repository.pushManifest({ digest: descriptor.digest }, { mediaType: descriptor.mediaType, bytes }, { signal })
  }
  const top = manifests.at(-1)
  if (top === undefined) throw notFound(`content ${found.target?.digest ?? found.image}: not found`)
  const tag = name.tag ?? ''
  await repository.pushManifest({ tag }, { mediaType: top.descriptor.mediaType, bytes: top.bytes }, { signal })
  await rememberPush(deps, { name, found, plan, pushed: top, isWhole: platform === undefined }, lease)
  const insteadOf = plan.kind === 'target' ? plan.insteadOf : undefined
  if (insteadOf !== undefined) report({ aux: pushedInsteadOf(insteadOf, top.descriptor) })
  const { digest, size } = top.descriptor
  report({ status: `${tag}: digest: ${digest} size: ${size}` })
  report({ aux: { Tag: tag, Digest: digest, Size: size } })
  publish('push', familiarString(name), { ...store.config(found.image).config?.Labels, name: familiarName(name) })
}

/** Blobs by digest, layers by diff id and chain id; of other platforms, too. */
function contentOf({ store, graph }: PushNameDeps, { image, target }: ImageName): Set<Digest> {
  const found = new Set<Digest>([image])
  if (target !== undefined) graph.closure(target, found)
  for (const id of store.ids().filter((candidate) => found.has(candidate))) {
    const diffIds = store.config(id).rootfs.diff_ids
    for (const digest of [...diffIds, ...chainIds(diffIds)]) found.add(digest)
  }
  return found
}

/** Source: moby api/types/auxprogress/push.go. */
function pushedInsteadOf(index: Descriptor, manifest: Descriptor): object {
  return { manifestPushedInsteadOfIndex: true, originalIndex: index, selectedManifest: manifest }
}

interface Push {
  deps: PushNameDeps
  repository: RemoteRepository
  report: (message: ProgressMessage) => void
  signal: AbortSignal
}

/** Pushes all but the manifests. */
async function pushContent(push: Push, request: PushRequest): Promise<{ plan: PushPlan; manifests: PushManifest[] }> {
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
function layerSource({ content, snapshotter, compressed }: PushNameDeps, chain: Digest): PushSource {
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
