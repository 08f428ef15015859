import { isDigest, MEDIA_TYPES, type Digest } from '#oci'
import type { Exchange } from '../http/exchange.ts'
import { nextLink } from '../http/pagination.ts'
import type { RouteParameters } from '../http/route-table.ts'
import type { ReferrerDescriptor } from '../repositories/types.ts'
import { readDigest } from './read-reference.ts'
import type { HandlerDeps } from './types.ts'

/** An answer is an index and has to stay under the 4 MiB that clients take as one. Characters of JSON. */
const MAX_LENGTH = 3 * 1024 * 1024
const MAX_ENTRIES = 1000

/** `GET /v2/<name>/referrers/<digest>` (end-12a, end-12b): always an index; an empty one where there is nothing, also for unknown subjects. */
export async function listReferrers(exchange: Exchange, { name, reference }: RouteParameters, deps: HandlerDeps): Promise<void> {
  const subject = readDigest(reference)
  const artifactType = exchange.query.get('artifactType')
  const last = exchange.query.get('last')
  const after = isDigest(last) ? last : undefined
  const manifests: ReferrerDescriptor[] = []
  let length = 0
  let link: string | undefined
  for await (const referrer of await findReferrers(exchange, name, { subject, after }, deps)) {
    if (artifactType && referrer.artifactType !== artifactType) continue
    const previous = manifests.at(-1)
    const grown = length + JSON.stringify(referrer).length
    if (previous !== undefined && (manifests.length === MAX_ENTRIES || grown > MAX_LENGTH)) {
      link = nextLink(exchange.path, { ...(artifactType ? { artifactType } : {}), last: previous.digest })
      break
    }
    manifests.push(referrer)
    length = grown
  }
  exchange.sendJson(
    200,
    { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests },
    {
      'Content-Type': MEDIA_TYPES.ociIndex,
      ...(artifactType ? { 'OCI-Filters-Applied': 'artifactType' } : {}),
      ...(link === undefined ? {} : { Link: link }),
    },
  )
}

/** By digest, those behind `after`: the upstream's, or those here. */
async function findReferrers(
  exchange: Exchange,
  name: string,
  { subject, after }: { subject: Digest; after: Digest | undefined },
  { repositories, upstream }: HandlerDeps,
): Promise<AsyncIterable<ReferrerDescriptor> | Iterable<ReferrerDescriptor>> {
  const known = await upstream?.referrers(name, subject, { signal: exchange.signal })
  if (known === undefined) return repositories.open(name).referrers(subject, after === undefined ? {} : { after })
  return known.filter(({ digest }) => after === undefined || digest > after).toSorted((a, b) => (a.digest < b.digest ? -1 : 1))
}
