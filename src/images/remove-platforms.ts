import { conflict } from '#errors'
import { choosePlatform, hexOf, hostPlatform, platformMatches } from '#oci'
import type { Descriptor, Digest, Platform } from '#oci'
import type { Collector } from './collector.ts'
import { findTarget } from './find-image.ts'
import { REFERENCE_DIGEST } from './manifest-graph.ts'
import { isAvailable } from './manifest-summaries.ts'
import { imageAttributes } from './name-image.ts'
import { describeConflict, findConflict, removeImage } from './remove-image.ts'
import type { RemoveDeps } from './remove-image.ts'
import { chooseManifest, platformNotFound, unpackVariant } from './resolve-image.ts'
import type { AvailableManifest, ResolveDeps } from './resolve-image.ts'
import type { DeleteResult, RemoveOptions } from './types.ts'

export type RemovePlatformsDeps = RemoveDeps & ResolveDeps & { collector: Pick<Collector, 'drop'> }

/**
 * `docker rmi --platform`: content and image of single platforms go, the names and the index stay; what was removed can be pulled again. Without another
 * platform the whole image goes. Throws NOT_FOUND for a platform that is not here, CONFLICT when it is used or another name stands for it.
 */
export async function removePlatforms(
  deps: RemovePlatformsDeps,
  ref: string,
  platforms: readonly Platform[],
  options: RemoveOptions,
): Promise<DeleteResult[]> {
  const { store } = deps
  const { id, target } = findTarget(store, ref)
  if (target === undefined) {
    for (const platform of platforms) if (!platformMatches(platform, store.config(id))) throw platformNotFound(ref, platform)
    return removeImage(deps, ref, options)
  }
  const doomed = new Map<Digest, AvailableManifest>()
  for (const platform of platforms) {
    const found = chooseManifest(deps, target, platform)
    if (found === undefined) throw platformNotFound(ref, platform)
    doomed.set(found.descriptor.digest, found)
  }
  const heir = findHeir(deps, target, doomed)
  if (heir === undefined) return removeImage(deps, ref, options)
  refuse(deps, target, doomed, options)
  // What stands for the removed platform stands for another one from now on.
  const heirId = await unpackVariant(deps, heir.manifest)
  refuse(deps, target, doomed, options) // a container may have been made meanwhile
  await removeRows(deps, target, doomed, heirId)
  return [...doomed.keys()].map((deleted) => ({ deleted }))
}

/** This machine's platform, or any, among those that remain. */
function findHeir(deps: RemovePlatformsDeps, target: Descriptor, doomed: ReadonlyMap<Digest, unknown>): AvailableManifest | undefined {
  const remaining = deps.graph
    .leaves(target)
    .flatMap(({ descriptor, kind, manifest }) =>
      kind === 'image' && !doomed.has(descriptor.digest) && isAvailable(deps, manifest) ? [{ descriptor, manifest }] : [],
    )
  const best = choosePlatform(
    remaining.map(({ descriptor }) => descriptor),
    hostPlatform(),
  )
  return remaining.find(({ descriptor }) => descriptor === best) ?? remaining[0]
}

function refuse(
  deps: RemovePlatformsDeps,
  target: Descriptor,
  doomed: ReadonlyMap<Digest, AvailableManifest>,
  { force }: RemoveOptions,
): void {
  const { store, graph } = deps
  for (const { manifest } of doomed.values()) {
    const id = manifest.config.digest
    const found = store.has(id) ? findConflict(deps, id, force ? 'hard' : 'used') : undefined
    if (found !== undefined) throw describeConflict(id, found)
  }
  for (const other of store.targets()) {
    if (other.target.digest === target.digest) continue
    const shared = graph.leaves(other.target).find(({ descriptor }) => doomed.has(descriptor.digest))
    if (shared === undefined) continue
    const short = hexOf(shared.descriptor.digest).slice(0, 12)
    throw conflict(`conflict: unable to delete ${short} (cannot be forced) - image is referenced in multiple repositories`)
  }
}

/** Rows and content go in one turn of the event loop: see {@link Collector.drop}. */
async function removeRows(
  { store, graph, publish, collector }: RemovePlatformsDeps,
  target: Descriptor,
  doomed: ReadonlyMap<Digest, AvailableManifest>,
  heir: Digest,
): Promise<void> {
  const ids = [...doomed.values()].map(({ manifest }) => manifest.config.digest).filter((id) => store.has(id))
  const events = ids.map((id) => ['delete', id, imageAttributes(store, id, id)] as const)
  store.transaction(() => {
    for (const owner of store.targets().filter(({ image }) => ids.includes(image))) {
      if (owner.reference !== undefined) store.putReference(owner.reference, heir, owner.target)
      else store.setTarget(heir, owner.target)
    }
    for (const id of ids) store.deleteImage(id)
  })
  const leaves = graph.leaves(target).map(({ descriptor }) => descriptor)
  const statements = leaves.filter(({ annotations = {} }) => doomed.has(annotations[REFERENCE_DIGEST] as Digest))
  const freed = collector.drop(new Set([...doomed.keys(), ...statements.map(({ digest }) => digest)]))
  for (const event of events) publish(...event)
  await freed
}
