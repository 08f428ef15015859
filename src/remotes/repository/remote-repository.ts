import type { Digest, Reference } from '#oci'
import { checkCancelled } from '../transport/cancel.ts'
import { engineError } from '../session/engine-error.ts'
import type { RemoteRepository } from '../types.ts'
import { fetchBlob } from './fetch-blob.ts'
import { hasBlob, statBlob } from './head-blob.ts'
import { listReferrers } from './list-referrers.ts'
import { listTags } from './list-tags.ts'
import { fetchManifest, pushManifest, resolveManifest } from './manifests.ts'
import { pushBlob } from './push-blob.ts'
import type { RepositoryContext } from './repository-context.ts'

/** {@link RemoteRepository}: the operations, with their errors put into the user's words. */
export function createRemoteRepository(context: RepositoryContext, intent: 'pull' | 'push'): RemoteRepository {
  const { name } = context

  async function told<T>(work: Promise<T>, asked: Reference = name): Promise<T> {
    try {
      return await work
    } catch (error) {
      checkCancelled(context.signal)
      throw engineError(error, asked, intent)
    }
  }

  /** What a sentence about a manifest names: the tag that was asked for; of digests the user may not know, the name as it was given. */
  function asked(reference: { tag: string } | { digest: Digest }): Reference {
    const { domain, path, tag } = name
    return 'tag' in reference && reference.tag !== tag ? { domain, path, tag: reference.tag } : name
  }

  async function* toldAll<T>(items: AsyncIterable<T>): AsyncGenerator<T, void, void> {
    try {
      yield* items
    } catch (error) {
      throw engineError(error, name, intent)
    }
  }

  return {
    name,
    resolve: (reference, options) => told(resolveManifest(context, reference, options?.signal), asked(reference)),
    fetchManifest: (reference, options) => told(fetchManifest(context, reference, options?.signal), asked(reference)),
    fetchBlob: (descriptor, options = {}) => toldAll(fetchBlob(context, descriptor, options)),
    statBlob: (digest, options) => told(statBlob(context, digest, options?.signal)),
    hasBlob: (digest, options) => told(hasBlob(context, digest, options?.signal)),
    pushBlob: (options) => told(pushBlob(context, options)),
    pushManifest: (reference, manifest, options) => told(pushManifest(context, reference, manifest, options?.signal)),
    tags: (options) => toldAll(listTags(context, options?.signal)),
    referrers: (subject, options) => told(listReferrers(context, subject, options?.artifactType, options?.signal)),
  }
}
