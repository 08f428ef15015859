import type { Exchange } from '../http/exchange.ts'
import type { RouteParameters } from '../http/route-table.ts'
import { publishEvent } from './publish-event.ts'
import { manifestUnknown, readReference } from './read-reference.ts'
import { requireDeletes } from './require-deletes.ts'
import type { HandlerDeps } from './types.ts'

/** `DELETE /v2/<name>/manifests/<reference>` (end-9): a tag alone, or by digest the manifest with all its tags. */
export async function deleteManifest(exchange: Exchange, { name, reference: text }: RouteParameters, deps: HandlerDeps): Promise<void> {
  requireDeletes(deps)
  const reference = readReference(text)
  const repository = deps.repositories.open(name)
  const path = `/v2/${name}/manifests/${text}`
  if (reference !== undefined && 'tag' in reference) {
    if (!(await repository.deleteTag(reference.tag))) throw manifestUnknown(name, text)
    exchange.send(202)
    return publishEvent(deps, exchange, 'delete', name, { tag: reference.tag, path })
  }
  if (reference === undefined || !(await repository.deleteManifest(reference.digest))) throw manifestUnknown(name, text)
  exchange.send(202)
  publishEvent(deps, exchange, 'delete', name, { digest: reference.digest, path })
}
