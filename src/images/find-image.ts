import { notFound } from '#errors'
import { familiarString, hexOf, parseAnyReference, withDefaultTag } from '#oci'
import type { Descriptor, Digest } from '#oci'
import type { ImageStore } from './image-store.ts'

/** What a user means by a word. */
export interface FoundImage {
  id: Digest
  /** Of the name that was given; for an id that of the image's first name, or its own. */
  target: Descriptor | undefined
}

/**
 * The image that a user means by `ref`: a name first, then a prefix of an id that fits one image only. Throws NOT_FOUND `No such image: x`,
 * INVALID_ARGUMENT for what is neither. Source: moby daemon/images/image.go, getImage.
 */
export function findTarget(store: ImageStore, ref: string): FoundImage {
  const parsed = parseAnyReference(ref)
  if ('id' in parsed) {
    if (store.has(parsed.id)) return byId(store, parsed.id)
    throw notFound(`No such image: ${parsed.id}`)
  }
  const reference = withDefaultTag(parsed.name)
  const name = store.find(reference)
  if (name !== undefined && store.has(name.image)) return { id: name.image, target: name.target }
  const id = findByPrefix(store, ref)
  if (id !== undefined) return byId(store, id)
  throw notFound(`No such image: ${familiarString(reference)}`)
}

/** Only the id of {@link findTarget}. */
export function findImage(store: ImageStore, ref: string): Digest {
  return findTarget(store, ref).id
}

function byId(store: ImageStore, id: Digest): FoundImage {
  return { id, target: store.namesOf(id).find(({ target }) => target !== undefined)?.target ?? store.row(id)?.target }
}

function findByPrefix(store: ImageStore, prefix: string): Digest | undefined {
  const fitting = store.ids().filter((id) => isIdPrefix(id, prefix))
  return fitting.length === 1 ? fitting[0] : undefined
}

/** Whether `text` is the beginning of an id, with `sha256:` or without. `sha256:` alone is the beginning of nothing, nor is `s`. */
export function isIdPrefix(id: Digest, text: string): boolean {
  const prefix = text.startsWith('sha256:') ? text.slice('sha256:'.length) : text
  return prefix !== '' && hexOf(id).startsWith(prefix)
}
