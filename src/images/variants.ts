import type { Descriptor, Digest } from '#oci'
import type { ImageStore, TargetOwner } from './image-store.ts'
import type { ManifestGraph } from './manifest-graph.ts'

/** An image that belongs to another's target: another platform of the same image. */
export interface Variant {
  /** The manifest that it is unpacked from. */
  descriptor: Descriptor
  /** Names (and images without one) that own it although they stand for another image. In no order. */
  owners: TargetOwner[]
}

/**
 * Images that the targets of others reach, by image id. One of them that has no name of its own is *owned*: it is not dangling, not listed, and goes with
 * the last of its owners.
 */
export function variants(store: ImageStore, graph: ManifestGraph): Map<Digest, Variant> {
  const found = new Map<Digest, Variant>()
  for (const owner of store.targets()) {
    for (const { descriptor, manifest } of graph.leaves(owner.target)) {
      const id = manifest?.config.digest
      if (id === undefined || id === owner.image || !store.has(id)) continue
      const variant = found.get(id) ?? { descriptor, owners: [] }
      variant.owners.push(owner)
      found.set(id, variant)
    }
  }
  return found
}
