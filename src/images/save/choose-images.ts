import { notFound } from '#errors'
import { familiarString, fullString, parseAnyReference, withDefaultTag } from '#oci'
import type { Descriptor, Digest, Reference } from '#oci'
import { findTarget } from '../find-image.ts'
import type { ImageStore } from '../image-store.ts'

/** An image to save, with the names it was asked for by. */
export interface SavedImage {
  /** As the user wrote it (the first time), for errors. */
  ref: string
  id: Digest
  target: Descriptor | undefined
  names: Reference[]
}

/**
 * The images that `docker save x y` means, in order: a name with a tag is that name, one without is all tags of the repository, an id or a digest has
 * no name. Names of one image that stand for different manifests are different images here. Throws NOT_FOUND.
 * Source: moby image/tarexport/save.go, parseNames.
 */
export function chooseImages(store: ImageStore, refs: readonly string[]): SavedImage[] {
  const chosen = new Map<string, SavedImage>()
  const add = (ref: string, id: Digest, target: Descriptor | undefined, name?: Reference): void => {
    const key = `${id} ${target?.digest}`
    const image = chosen.get(key) ?? { ref, id, target, names: [] }
    if (name !== undefined && !image.names.some((known) => fullString(known) === fullString(name))) image.names.push(name)
    chosen.set(key, image)
  }
  for (const ref of refs) {
    const names = namesMeant(store, ref)
    if (names.length === 0) {
      const { id, target } = findTarget(store, ref)
      add(ref, id, target)
    }
    for (const name of names) {
      const found = store.find(name)
      if (found === undefined) throw notFound(`No such image: ${familiarString(name)}`)
      add(ref, found.image, found.target, name.digest === undefined ? name : undefined)
    }
  }
  return [...chosen.values()]
}

function namesMeant(store: ImageStore, ref: string): Reference[] {
  const parsed = parseAnyReference(ref)
  if ('id' in parsed) return []
  const { name } = parsed
  if (name.tag === undefined && name.digest === undefined) {
    const tags = store.byName(name.domain, name.path).filter(({ digest }) => digest === undefined)
    if (tags.length > 0) return tags
  }
  return store.find(withDefaultTag(name)) === undefined ? [] : [withDefaultTag(name)]
}
