/**
 * `docker rmi`: which names go, when the image goes with them, and who may forbid it.
 * Source: moby daemon/images/image_delete.go, whose order of checks and texts clients know.
 */

import { codeOf, conflict } from '#errors'
import { chainIds, familiarString, parseReference, withDefaultTag } from '#oci'
import type { Digest, Reference } from '#oci'
import { findImage, isIdPrefix } from './find-image.ts'
import type { ImageStore } from './image-store.ts'
import type { ManifestGraph } from './manifest-graph.ts'
import { imageAttributes } from './name-image.ts'
import { variants } from './variants.ts'
import type { DeleteResult, ImageUsers, PublishImageEvent } from './types.ts'

export interface RemoveDeps {
  store: ImageStore
  graph: ManifestGraph
  users: ImageUsers
  publish: PublishImageEvent
}

/** What may stand against deleting an image. Hard conflicts stand even with force. */
export interface DeleteConflict {
  hard: boolean
  /** A container is in the way, not other images or names. */
  used: boolean
  message: string
}

/** Deletes a name, and the image when that was its last. Layers are freed by the collection that follows. */
export function removeImage(deps: RemoveDeps, ref: string, options: { force: boolean; prune: boolean }): DeleteResult[] {
  const events: Parameters<PublishImageEvent>[] = []
  // In one transaction: a daemon that is killed between name and image would leave an image without a name, which nobody asked for. What was done before a
  // conflict stays done, as in Docker.
  const outcome = deps.store.transaction(() => {
    try {
      return { results: remove({ ...deps, publish: (...event) => void events.push(event) }, ref, options) }
    } catch (error) {
      if (codeOf(error) !== 'CONFLICT') throw error
      return { error }
    }
  })
  for (const event of events) deps.publish(...event)
  if ('error' in outcome) throw outcome.error
  return outcome.results
}

function remove(deps: RemoveDeps, ref: string, options: { force: boolean; prune: boolean }): DeleteResult[] {
  const { store } = deps
  const id = findImage(store, ref)
  const results: DeleteResult[] = []
  const byName = !isIdPrefix(id, ref)
  const owned = ownedOnlyBy(deps, id)
  if (byName) {
    if (!options.force && isSingleReference(store.references(id))) refuseWhenUsed(deps, [id, ...owned], ref)
    untagWithDigests(deps, id, withDefaultTag(parseReference(ref)), results)
    if (store.references(id).length > 0) return results
  } else if (isSingleReference(store.references(id))) {
    const found = findConflict(deps, id, options.force ? 'hard' : 'used')
    if (found !== undefined) throw describeConflict(id, found)
    for (const reference of store.references(id)) untag(deps, id, reference, results)
  }
  // Another name's target has it for another platform: it goes with that one.
  if (!byName || !variants(store, deps.graph).has(id)) deleteImage(deps, id, options, byName, results)
  if (store.references(id).length > 0) return results
  for (const variant of owned) if (store.has(variant)) deleteImage(deps, variant, options, true, results)
  return results
}

/** Images without a name that belong to the names of this one and no others: its other platforms. */
function ownedOnlyBy({ store, graph }: RemoveDeps, id: Digest): Digest[] {
  const owned = [...variants(store, graph)].filter(([, { owners }]) => owners.every(({ image }) => image === id))
  return owned.map(([variant]) => variant)
}

function refuseWhenUsed({ users }: RemoveDeps, ids: readonly Digest[], ref: string): void {
  for (const id of ids) {
    const [user] = users.usersOf(id)
    if (user === undefined) continue
    throw conflict(
      `conflict: unable to remove repository reference "${ref}" (must force) - container ${short(user.id)} is using its referenced image ${short(id)}`,
    )
  }
}

/** Deletes a name, and the repository's digests with its last tag. */
function untagWithDigests(deps: RemoveDeps, id: Digest, reference: Reference, results: DeleteResult[]): void {
  const { store } = deps
  untag(deps, id, reference, results)
  if (reference.digest !== undefined) return
  const sameRepository = store.byName(reference.domain, reference.path)
  const tags = sameRepository.flatMap((name) => (name.digest === undefined ? (store.find(name) ?? []) : []))
  if (tags.some(({ image }) => image === id)) return
  for (const digested of sameRepository) {
    if (digested.digest === undefined || store.find(digested)?.image !== id) continue
    // Another tag for another platform of the same index: from now on the digest means that one's image.
    const heir = tags.find(({ target }) => target?.digest === digested.digest)
    if (heir === undefined) untag(deps, id, digested, results)
    else store.putReference(digested, heir.image, heir.target)
  }
}

function untag({ store, publish }: RemoveDeps, id: Digest, reference: Reference, results: DeleteResult[]): void {
  store.deleteReference(reference)
  publish('untag', id, imageAttributes(store, id, id))
  results.push({ untagged: familiarString(reference) })
}

/** `quiet`: a conflict ends it without an error, unless the image would be left without a name and nobody uses it. */
function deleteImage(
  deps: RemoveDeps,
  id: Digest,
  options: { force: boolean; prune: boolean },
  quiet: boolean,
  results: DeleteResult[],
): void {
  const { store } = deps
  const found = findConflict(deps, id, options.force ? 'hard' : 'all')
  if (found !== undefined) {
    if (quiet && (!isDangling(store, id) || found.used)) return
    throw describeConflict(id, found)
  }
  const parent = store.row(id)?.parent ?? ''
  const attributes = imageAttributes(store, id, id)
  const chains = chainIds(store.config(id).rootfs.diff_ids)
  store.transaction(() => {
    for (const reference of store.references(id)) untag(deps, id, reference, results)
    store.deleteImage(id)
  })
  deps.publish('delete', id, attributes)
  results.push({ deleted: id })
  const used = chainsOfAll(store)
  for (const chain of chains.toReversed()) if (!used.has(chain)) results.push({ deleted: chain })
  if (options.prune && parent !== '' && store.has(parent)) deleteImage(deps, parent, { force: false, prune: true }, true, results)
}

/** The first conflict among the hard ones, those plus containers that use it, or all. */
export function findConflict({ store, users }: RemoveDeps, id: Digest, extent: 'hard' | 'used' | 'all'): DeleteConflict | undefined {
  if (store.children(id).length > 0) return { hard: true, used: false, message: 'image has dependent child images' }
  const containers = users.usersOf(id)
  const running = containers.find((user) => user.running)
  if (running !== undefined) return { hard: true, used: true, message: `image is being used by running container ${short(running.id)}` }
  if (extent === 'all' && store.references(id).length > 0) {
    return { hard: false, used: false, message: 'image is referenced in multiple repositories' }
  }
  const [stopped] = containers
  if (extent !== 'hard' && stopped !== undefined) {
    return { hard: false, used: true, message: `image is being used by stopped container ${short(stopped.id)}` }
  }
  return undefined
}

/** Docker's words for it. */
export function describeConflict(id: Digest, { hard, message }: DeleteConflict): Error {
  return conflict(`conflict: unable to delete ${short(id)} (${hard ? 'cannot be forced' : 'must be forced'}) - ${message}`)
}

/** One tag at most, and all digests of the same repository. */
function isSingleReference(references: readonly Reference[]): boolean {
  if (references.length <= 1) return references.length === 1
  const tags = references.filter(({ digest }) => digest === undefined)
  const repositories = new Set(references.map(({ domain, path }) => `${domain}/${path}`))
  return tags.length <= 1 && repositories.size === 1
}

function isDangling(store: ImageStore, id: Digest): boolean {
  return store.references(id).length === 0 && store.children(id).length === 0
}

function chainsOfAll(store: ImageStore): Set<Digest> {
  return new Set(store.ids().flatMap((id) => chainIds(store.config(id).rootfs.diff_ids)))
}

/** Docker's short form of an id. */
function short(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12)
}
