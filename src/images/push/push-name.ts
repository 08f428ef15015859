import { notFound } from '#errors'
import { chainIds, familiarName, familiarString } from '#oci'
import type { Descriptor, Digest, Reference } from '#oci'
import type { RemoteRepository } from '#remotes'
import type { ImageName } from '../image-store.ts'
import type { PublishImageEvent, PushOptions } from '../types.ts'
import { pushContent, pushManifests } from './push-content.ts'
import type { PushContentDeps } from './push-content.ts'
import { rememberPush } from './remember-push.ts'

export interface PushNameDeps extends PushContentDeps {
  publish: PublishImageEvent
}

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
  const tag = name.tag ?? ''
  const top = await pushManifests(repository, manifests, { tag }, signal)
  if (top === undefined) throw notFound(`content ${found.target?.digest ?? found.image}: not found`)
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
