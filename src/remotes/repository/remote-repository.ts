import { checkCancelled } from '../transport/cancel.ts'
import { engineError } from '../session/engine-error.ts'
import type { RemoteRepository } from '../types.ts'
import { fetchBlob } from './fetch-blob.ts'
import { hasBlob } from './has-blob.ts'
import { listReferrers } from './list-referrers.ts'
import { listTags } from './list-tags.ts'
import { fetchManifest, pushManifest, resolveManifest } from './manifests.ts'
import { pushBlob } from './push-blob.ts'
import type { RepositoryContext } from './repository-context.ts'

/** {@link RemoteRepository}: the operations, with their errors put into the user's words. */
export function createRemoteRepository(context: RepositoryContext, intent: 'pull' | 'push'): RemoteRepository {
  const { name } = context

  async function told<T>(work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      checkCancelled(context.signal)
      throw engineError(error, name, intent)
    }
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
    resolve: (reference, options) => told(resolveManifest(context, reference, options?.signal)),
    fetchManifest: (reference, options) => told(fetchManifest(context, reference, options?.signal)),
    fetchBlob: (descriptor, options = {}) => toldAll(fetchBlob(context, descriptor, options)),
    hasBlob: (digest, options) => told(hasBlob(context, digest, options?.signal)),
    pushBlob: (options) => told(pushBlob(context, options)),
    pushManifest: (reference, manifest, options) => told(pushManifest(context, reference, manifest, options?.signal)),
    tags: (options) => toldAll(listTags(context, options?.signal)),
    referrers: (subject, options) => told(listReferrers(context, subject, options?.artifactType, options?.signal)),
  }
}
