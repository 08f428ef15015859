import { EngineError, invalidArgument } from '#errors'
import { decodeManifest, hexOf } from '#oci'
import type { Digest } from '#oci'
import { RegistryError, registryError } from '../session/registry-error.ts'
import { fetchManifest } from './manifests.ts'
import { MAX_PAGES, nextPage, readPage } from './pages.ts'
import type { Referrer } from '../types.ts'
import { onHosts, repositoryScope } from './repository-context.ts'
import type { RepositoryContext } from './repository-context.ts'

/** They are held in memory, and anybody who may push makes them. */
const MAX_REFERRERS = 100_000

/**
 * Manifests whose subject is `subject`. A registry without the referrers API answers 404: the index under the fallback tag counts then, and
 * its absence means none.
 * Source: distribution-spec v1.1, "Listing Referrers" and "Referrers Tag Schema".
 */
export async function listReferrers(
  context: RepositoryContext,
  subject: Digest,
  artifactType: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Referrer[]> {
  const { path } = context.name
  const query = artifactType === undefined ? '' : `?${new URLSearchParams({ artifactType }).toString()}`
  const listed = await onHosts(context, 'resolve', signal, async (session, signal) => {
    const found: Referrer[] = []
    let page: string | URL | undefined = `/${path}/referrers/${subject}${query}`
    for (let count = 0; page !== undefined; count++) {
      if (count >= MAX_PAGES) throw invalidArgument(`the list of referrers of ${subject} does not end`)
      const response = await session.send({ method: 'GET', path: page, scopes: [repositoryScope(path, 'pull')], signal })
      if (response.status === 404 && count === 0) {
        response.discard()
        return undefined
      }
      if (response.status !== 200) throw await registryError(response)
      found.push(...ofType(await readPage(response), artifactType))
      if (found.length > MAX_REFERRERS) throw invalidArgument(`${subject} has more than ${MAX_REFERRERS} referrers`)
      page = nextPage(response)
    }
    return found
  })
  return listed ?? (await listFallback(context, subject, artifactType, signal))
}

async function listFallback(
  context: RepositoryContext,
  subject: Digest,
  artifactType: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Referrer[]> {
  try {
    const { bytes } = await fetchManifest(context, { tag: `sha256-${hexOf(subject)}` }, signal)
    return ofType(JSON.parse(bytes.toString('utf8')) as Record<string, unknown>, artifactType)
  } catch (error) {
    if (error instanceof RegistryError && error.status === 404) return []
    if (error instanceof EngineError && error.code === 'NOT_FOUND') return []
    throw error
  }
}

/** The index's entries, filtered here whether the registry did it or not. */
function ofType(document: Record<string, unknown>, wanted: string | undefined): Referrer[] {
  const decoded = decodeManifest(Buffer.from(JSON.stringify(document)))
  if (decoded.kind !== 'index') throw invalidArgument('the registry answers with referrers that are no index')
  const entries = document['manifests'] as { artifactType?: unknown }[]
  return decoded.index.manifests
    .map((descriptor, index): Referrer => {
      const artifactType = entries[index]?.artifactType
      return typeof artifactType === 'string' ? { ...descriptor, artifactType } : descriptor
    })
    .filter(({ artifactType }) => wanted === undefined || artifactType === wanted)
}
