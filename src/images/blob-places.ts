import type { Metadata } from '#metadata'
import { fullName, parseReference } from '#oci'
import type { Digest, Reference } from '#oci'

/** Repositories remembered for a blob: more would not make a better candidate likelier. */
const MAX_PLACES = 8

/**
 * Which repositories of which registries have a blob, as pulls and pushes have seen it: a push to another repository of the same registry asks for a
 * mount instead of sending it. A place may be out of date; a registry that does not find the blob there just wants it sent.
 */
export interface BlobPlaces {
  /** A pull from or a push to `repository` has just seen the blob there. */
  add(blob: Digest, repository: Reference): void
  /** Path of the repository to mount the blob from for `repository`: of the same registry, another, the most alike. */
  mountSource(blob: Digest, repository: Reference): string | undefined
  /** Forgets all blobs but these. */
  retain(blobs: ReadonlySet<Digest>): void
}

export function createBlobPlaces({ metadata }: { metadata: Metadata }): BlobPlaces {
  /** Full names of repositories, the latest last. */
  const repository = metadata.repository<string[]>('blobPlaces')
  const rows = new Map(repository.all().map(({ key, value }) => [key as Digest, value]))

  return {
    add(blob, place) {
      const name = fullName(place)
      const known = rows.get(blob) ?? []
      if (known.at(-1) === name) return
      const places = [...known.filter((other) => other !== name), name].slice(-MAX_PLACES)
      repository.put(blob, places)
      rows.set(blob, places)
    },
    mountSource(blob, { domain, path }) {
      const candidates = (rows.get(blob) ?? [])
        .map((name) => parseReference(name))
        .filter((place) => place.domain === domain && place.path !== path)
        .map((place) => place.path)
      // The most alike probably has the same owner: the user may read it.
      return candidates.toReversed().sort((a, b) => commonParts(b, path) - commonParts(a, path))[0]
    },
    retain(blobs) {
      const gone = [...rows.keys()].filter((blob) => !blobs.has(blob))
      if (gone.length === 0) return
      metadata.transaction(() => gone.forEach((blob) => repository.delete(blob)))
      for (const blob of gone) rows.delete(blob)
    },
  }
}

/** Components at the beginning that two paths share. */
function commonParts(a: string, b: string): number {
  const others = b.split('/')
  const different = a.split('/').findIndex((part, index) => part !== others[index])
  return different < 0 ? others.length : different
}
