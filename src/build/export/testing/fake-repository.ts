import type { ContentStore } from '#content'
import { notFound } from '#errors'
import { fullString } from '#oci'
import type { Digest, Reference } from '#oci'
import type { RemoteRepository } from '#remotes'

/** A repository to pull from, whose content is another engine's. */
export function fakeRepository(
  name: Reference,
  { registry, tags }: { registry: ContentStore | undefined; tags: ReadonlyMap<string, Digest> },
): RemoteRepository {
  const read = (digest: Digest | undefined): Buffer => {
    if (digest === undefined || registry === undefined || !registry.has(digest)) throw notFound('manifest unknown')
    return registry.readAll(digest, 1 << 24)
  }
  const refuse = (): never => {
    throw new Error('this repository is for pulling')
  }
  return {
    name,
    resolve: refuse,
    async fetchManifest(place) {
      const digest = 'digest' in place ? place.digest : tags.get(fullString({ ...name, tag: place.tag }))
      const bytes = read(digest)
      return { descriptor: { mediaType: '', digest: digest ?? refuse(), size: bytes.length }, bytes }
    },
    async *fetchBlob({ digest }) {
      yield read(digest)
    },
    statBlob: refuse,
    hasBlob: refuse,
    pushBlob: refuse,
    pushManifest: refuse,
    tags: refuse,
    referrers: refuse,
  }
}
