import type { Digest } from '#oci'
import { registryError } from '../session/registry-error.ts'
import { onHosts, repositoryScope } from './repository-context.ts'
import type { RepositoryContext } from './repository-context.ts'

/** Whether the repository that is pushed to has a blob. */
export async function hasBlob(context: RepositoryContext, digest: Digest, signal: AbortSignal | undefined): Promise<boolean> {
  const { path } = context.name
  return await onHosts(context, 'push', signal, async (session, signal) => {
    const response = await session.send({
      method: 'HEAD',
      path: `/${path}/blobs/${digest}`,
      scopes: [repositoryScope(path, 'pull,push')],
      signal,
    })
    if (response.status === 404) {
      response.discard()
      return false
    }
    if (response.status !== 200) throw await registryError(response)
    response.discard()
    return true
  })
}
