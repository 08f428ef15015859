import type { Descriptor, Digest } from '#oci'
import type { ImageStore, TargetOwner } from './image-store.ts'
import type { ManifestGraph } from './manifest-graph.ts'

/** An image without a name that belongs to another's target: another platform of the same image. */
export interface Variant {
  /** The manifest that it is unpacked from. */
  descriptor: Descriptor
  /** Names, and images without one, that own it although they stand for another image. In no order. */
  owners: TargetOwner[]
}

/**
 * Images without a name that the targets of others reach, by image id: they are *owned*, which is to say not dangling, not listed, and removed with the
 * last of their owners.
 */
export function variants(store: ImageStore, graph: ManifestGraph): Map<Digest, Variant> {
  const found = new Map<Digest, Variant>()
  const named = new Set(store.names().map(({ image }) => image))
  const unnamed = new Set(store.ids()).difference(named)
  // Mostly there are none, and looking through all indexes costs a system call for each manifest that is not here.
  if (unnamed.size === 0) return found
  for (const owner of store.targets()) {
    for (const { descriptor, manifest } of graph.leaves(owner.target)) {
      const id = manifest?.config.digest
      if (id === undefined || id === owner.image || !unnamed.has(id)) continue
      const variant = found.get(id) ?? { descriptor, owners: [] }
      variant.owners.push(owner)
      found.set(id, variant)
    }
  }
  return found
}
