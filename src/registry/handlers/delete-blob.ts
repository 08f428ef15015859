import type { Exchange } from '../http/exchange.ts'
import type { RouteParameters } from '../http/route-table.ts'
import { publishEvent } from './publish-event.ts'
import { blobUnknown, readDigest } from './read-reference.ts'
import { requireDeletes } from './require-deletes.ts'
import type { HandlerDeps } from './types.ts'

/** `DELETE /v2/<name>/blobs/<digest>` (end-10): the repository forgets the blob; the bytes go with the next collection if nobody else has it. */
export async function deleteBlob(exchange: Exchange, { name, reference }: RouteParameters, deps: HandlerDeps): Promise<void> {
  requireDeletes(deps)
  const digest = readDigest(reference)
  if (!(await deps.repositories.open(name).unlinkBlob(digest))) throw blobUnknown(digest)
  exchange.send(202)
  publishEvent(deps, exchange, 'delete', name, { digest, mediaType: 'application/octet-stream', path: exchange.path })
}
