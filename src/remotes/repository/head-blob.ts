import { invalidArgument } from '#errors'
import type { Digest } from '#oci'
import { registryError } from '../session/registry-error.ts'
import type { RegistrySession } from '../session/registry-session.ts'
import type { HttpResponse } from '../transport/http-transport.ts'
import { onHosts, repositoryScope } from './repository-context.ts'
import type { RepositoryContext } from './repository-context.ts'

/** Whether the repository that is pushed to has a blob. */
export async function hasBlob(context: RepositoryContext, digest: Digest, signal: AbortSignal | undefined): Promise<boolean> {
  return await onHosts(context, 'push', signal, async (session, signal) => {
    const scope = repositoryScope(context.name.path, 'pull,push')
    return (await headBlob(context, session, { digest, scope, signal })) !== undefined
  })
}

/**
 * Size of a blob in the repository that is pulled from. Undefined where it is not there. Throws INVALID_ARGUMENT when the registry does not
 * tell.
 */
export async function statBlob(
  context: RepositoryContext,
  digest: Digest,
  signal: AbortSignal | undefined,
): Promise<{ size: number } | undefined> {
  return await onHosts(context, 'pull', signal, async (session, signal) => {
    const response = await headBlob(context, session, { digest, scope: repositoryScope(context.name.path, 'pull'), signal })
    if (response === undefined) return undefined
    const size = Number(response.headers['content-length'] ?? NaN)
    if (!Number.isSafeInteger(size)) throw invalidArgument(`the registry does not tell the size of blob ${digest}`)
    return { size }
  })
}

async function headBlob(
  { name }: RepositoryContext,
  session: RegistrySession,
  { digest, scope, signal }: { digest: Digest; scope: string; signal: AbortSignal | undefined },
): Promise<HttpResponse | undefined> {
  const response = await session.send({ method: 'HEAD', path: `/${name.path}/blobs/${digest}`, scopes: [scope], signal })
  if (response.status !== 200 && response.status !== 404) throw await registryError(response)
  response.discard()
  return response.status === 404 ? undefined : response
}
