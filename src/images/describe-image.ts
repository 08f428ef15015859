import { internal } from '#errors'
import { familiarString } from '#oci'
import type { Digest } from '#oci'
import type { ImageName, ImageStore } from './image-store.ts'
import type { Image } from './types.ts'

/** The image with the given names, all by default. Its descriptor is what the first of them points to. */
export function describeImage(store: ImageStore, id: Digest, names: readonly ImageName[] = store.namesOf(id)): Image {
  const row = store.row(id)
  if (row === undefined) throw internal(`Cannot describe image ${id}: it has no row`)
  const references = names.map(({ reference }) => reference)
  const descriptor = names.find(({ target }) => target !== undefined)?.target ?? row.target
  return {
    id,
    config: store.config(id),
    chain: row.chain,
    repoTags: references.filter(({ digest }) => digest === undefined).map(familiarString),
    repoDigests: references.filter(({ digest }) => digest !== undefined).map(familiarString),
    size: row.size,
    parent: row.parent,
    lastTagged: row.lastTagged,
    ...(descriptor === undefined ? {} : { descriptor }),
  }
}
