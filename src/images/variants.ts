import type { Descriptor, Digest } from '#oci'
import type { ImageName, ImageStore } from './image-store.ts'
import type { ManifestGraph } from './manifest-graph.ts'

/** An image that has no name of its own, but belongs to a name's target: another platform of the same image. */
export interface Variant {
  /** The manifest that it is unpacked from. */
  descriptor: Descriptor
  /** The names that own it, in no order. */
  owners: ImageName[]
}

/**
 * Images that names reach through their targets, by image id; the images the names point to are among them. Owned images are not dangling:
 * they are not listed, and go with the last name that owns them.
 */
export function variants(store: ImageStore, graph: ManifestGraph): Map<Digest, Variant> {
  const found = new Map<Digest, Variant>()
  for (const name of store.names()) {
    if (name.target === undefined) continue
    for (const { descriptor, manifest } of graph.leaves(name.target)) {
      const id = manifest?.config.digest
      if (id === undefined || !store.has(id)) continue
      const variant = found.get(id) ?? { descriptor, owners: [] }
      variant.owners.push(name)
      found.set(id, variant)
    }
  }
  return found
}
