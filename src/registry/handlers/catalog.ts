import type { Exchange } from '../http/exchange.ts'
import { readPage } from '../http/pagination.ts'
import type { HandlerDeps } from './types.ts'

/** As docker-registry: 100 without `n`, at most 1000. */
const PAGE = { standard: 100, max: 1000 }

/** `GET /v2/_catalog`: not of the OCI specification; docker-registry's. */
export async function listCatalog(exchange: Exchange, { repositories }: HandlerDeps): Promise<void> {
  const { items, link } = await readPage(exchange, PAGE, (options) => repositories.names(options))
  exchange.sendJson(200, { repositories: items }, link === undefined ? {} : { Link: link })
}
