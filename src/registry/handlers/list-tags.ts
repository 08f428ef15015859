import type { Exchange } from '../http/exchange.ts'
import { readPage } from '../http/pagination.ts'
import { RegistryError } from '../http/registry-error.ts'
import type { RouteParameters } from '../http/route-table.ts'
import type { HandlerDeps } from './types.ts'

/** All of them, unless the answer would be larger than clients take (distribution-spec v1.1 lets a registry give less, with a link). */
const PAGE = { standard: 10_000, max: 10_000 }

/** `GET /v2/<name>/tags/list` (end-8a, end-8b). */
export async function listTags(exchange: Exchange, { name }: RouteParameters, { repositories }: HandlerDeps): Promise<void> {
  const repository = repositories.open(name)
  const { items, link } = await readPage(exchange, PAGE, (options) => repository.tags(options))
  if (items.length === 0 && !(await repository.exists())) throw new RegistryError('NAME_UNKNOWN', { detail: { name } })
  exchange.sendJson(200, { name, tags: items }, link === undefined ? {} : { Link: link })
}
