import { internal } from '#errors'
import { familiarString } from '#oci'
import type { Digest, Reference } from '#oci'
import type { ImageStore } from './image-store.ts'
import type { Image } from './types.ts'

/** The image with the given names, all by default. */
export function describeImage(store: ImageStore, id: Digest, references: readonly Reference[] = store.references(id)): Image {
  const row = store.row(id)
  if (row === undefined) throw internal(`Cannot describe image ${id}: it has no row`)
  return {
    id,
    config: store.config(id),
    chain: row.chain,
    repoTags: references.filter(({ digest }) => digest === undefined).map(familiarString),
    repoDigests: references.filter(({ digest }) => digest !== undefined).map(familiarString),
    size: row.size,
    parent: row.parent,
    lastTagged: row.lastTagged,
  }
}
