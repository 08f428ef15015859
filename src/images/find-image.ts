import { notFound } from '#errors'
import { familiarString, parseAnyReference, withDefaultTag } from '#oci'
import type { Digest } from '#oci'
import type { ImageStore } from './image-store.ts'

/**
 * The id that a user means by `ref`: a name first, then a prefix of an id that fits one image only. Throws NOT_FOUND `No such image: x`,
 * INVALID_ARGUMENT for what is neither. Source: moby daemon/images/image.go, getImage.
 */
export function findImage(store: ImageStore, ref: string): Digest {
  const parsed = parseAnyReference(ref)
  if ('id' in parsed) {
    if (store.has(parsed.id)) return parsed.id
    throw notFound(`No such image: ${parsed.id}`)
  }
  const reference = withDefaultTag(parsed.name)
  const id = store.find(reference) ?? findByPrefix(store, ref)
  if (id !== undefined && store.has(id)) return id
  throw notFound(`No such image: ${familiarString(reference)}`)
}

function findByPrefix(store: ImageStore, prefix: string): Digest | undefined {
  const fitting = store.ids().filter((id) => isIdPrefix(id, prefix))
  return fitting.length === 1 ? fitting[0] : undefined
}

/** Whether `text` is the beginning of an id, with `sha256:` or without. */
export function isIdPrefix(id: Digest, text: string): boolean {
  return text !== '' && (id.startsWith(text) || id.slice('sha256:'.length).startsWith(text))
}
