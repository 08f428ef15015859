import { invalidArgument } from '#errors'
import { familiarName, familiarString, parseReference, parseTag, withDefaultTag } from '#oci'
import type { Descriptor, Digest, Reference } from '#oci'
import type { ImageStore } from './image-store.ts'
import type { PublishImageEvent } from './types.ts'

/** A name to give, from the API's two parameters; undefined when `repo` is empty. Source: moby daemon/server/httputils, RepoTagReference. */
export function parseNewName(repo: string, tag: string): Reference | undefined {
  if (repo === '') return undefined
  const reference = parseReference(repo)
  if (reference.digest !== undefined) throw invalidArgument('cannot import digest reference')
  const name = tag === '' ? withDefaultTag(reference) : { ...reference, tag: parseTag(tag) }
  // It could not be told from an id afterwards.
  if (familiarName(name) === 'sha256') throw invalidArgument('refusing to create an ambiguous tag using digest algorithm as name')
  return name
}

/**
 * Inside a transaction: gives an image a name, which another image may lose by it. Without `target` the one stays that the name has had for the same
 * image. Returns the event to publish afterwards.
 */
export function giveName(store: ImageStore, id: Digest, name: Reference, target?: Descriptor): () => Parameters<PublishImageEvent> {
  const before = store.find(name)
  store.putReference(name, id, target ?? (before?.image === id ? before.target : undefined))
  const row = store.row(id)
  if (row !== undefined) store.putImage(id, { ...row, lastTagged: Date.now() })
  return () => ['tag', id, imageAttributes(store, id, familiarString(name))]
}

/** What events about an image carry: its labels, and the name under which it was spoken of. */
export function imageAttributes(store: ImageStore, id: Digest, name: string): Record<string, string> {
  return { ...store.config(id).config?.Labels, name }
}
