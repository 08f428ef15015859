import { invalidArgument } from '#errors'
import type { Digest } from '#oci'
import { registryError } from '../session/registry-error.ts'
import { onHosts, repositoryScope } from './repository-context.ts'
import type { RepositoryContext } from './repository-context.ts'

/** Size of a blob in the repository that is pulled from. Undefined where it is not there. Throws INVALID_ARGUMENT when the registry does not tell. */
export async function statBlob(
  context: RepositoryContext,
  digest: Digest,
  signal: AbortSignal | undefined,
): Promise<{ size: number } | undefined> {
  const { path } = context.name
  return await onHosts(context, 'pull', signal, async (session, signal) => {
    const response = await session.send({
      method: 'HEAD',
      path: `/${path}/blobs/${digest}`,
      scopes: [repositoryScope(path, 'pull')],
      signal,
    })
    if (response.status !== 404 && response.status !== 200) throw await registryError(response)
    response.discard()
    if (response.status === 404) return undefined
    const size = Number(response.headers['content-length'] ?? NaN)
    if (!Number.isSafeInteger(size)) throw invalidArgument(`blob ${digest}: the registry does not tell its size`)
    return { size }
  })
}
