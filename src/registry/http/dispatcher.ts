import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AccessController, Page, RegistryLog, RequestObserver } from '../types.ts'
import { authorise } from './authorise.ts'
import { errorOf } from './error-of.ts'
import { ClientGoneError, Exchange } from './exchange.ts'
import { RegistryError } from './registry-error.ts'
import { accessOf, endpointOf, matchRoute, type Route } from './route-table.ts'

export interface DispatcherDeps {
  routes: readonly Route[]
  /** By path. */
  pages: Readonly<Record<string, Page>>
  access: AccessController | undefined
  observer: RequestObserver | undefined
  log: RegistryLog
  /** Why nothing may be changed, or undefined. */
  readOnly: string | undefined
  /** Aborted when the server ends. */
  shutdown: AbortSignal
}

export interface Dispatcher {
  /** Never rejects. */
  dispatch(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): Promise<void>
  /** Requests that are not answered in full. */
  readonly open: ReadonlySet<Exchange>
}

/** From a request to its handler: path, rights, read-only mode, errors, reports. */
export function createDispatcher({ routes, pages, access, observer, log, readOnly, shutdown }: DispatcherDeps): Dispatcher {
  const open = new Set<Exchange>()

  async function handle(exchange: Exchange): Promise<void> {
    const page = Object.hasOwn(pages, exchange.path) ? pages[exchange.path] : undefined
    if (page !== undefined) {
      exchange.route = 'page'
      exchange.admitBody()
      return await page(exchange.request, exchange.response)
    }
    if (exchange.path === '/v2' || exchange.path.startsWith('/v2/')) {
      exchange.response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0')
      exchange.response.setHeader('X-Content-Type-Options', 'nosniff')
    }
    const match = matchRoute(routes, exchange.path)
    if (match === undefined) throw new RegistryError('NOT_FOUND')
    const { route, parameters } = match
    exchange.route = route.name
    exchange.repository = parameters.name || undefined
    const endpoint = endpointOf(route, exchange.method)
    await authorise(exchange, access, accessOf(endpoint, parameters.name))
    if (readOnly !== undefined && (endpoint.needs === 'push' || endpoint.needs === 'delete')) {
      throw new RegistryError('UNSUPPORTED', { message: readOnly, headers: { Allow: 'GET, HEAD' } })
    }
    await endpoint.handle(exchange, parameters)
  }

  function answerError(exchange: Exchange, error: unknown): void {
    const { response, info, path } = exchange
    if (error instanceof ClientGoneError) return void response.destroy()
    const answer = errorOf(error)
    if (answer.status >= 500) log.error(`${info.method} ${path} failed (request ${info.id})`, error)
    // Too late for a status: breaking the connection is the only way to say that the body is not whole.
    if (response.headersSent) response.destroy()
    else exchange.sendError(answer)
  }

  function observe(exchange: Exchange): void {
    const begun = performance.now()
    open.add(exchange)
    observer?.started()
    const { response, request } = exchange
    response.once('close', () => {
      open.delete(exchange)
      observer?.finished({
        ...exchange.info,
        route: exchange.route,
        ...(exchange.repository === undefined ? {} : { repository: exchange.repository }),
        ...(exchange.actor === undefined ? {} : { actor: exchange.actor }),
        path: request.url ?? '',
        status: response.headersSent ? response.statusCode : 0,
        seconds: (performance.now() - begun) / 1000,
        received: exchange.received,
        sent: exchange.sent,
        aborted: !exchange.isAnswered,
      })
    })
  }

  return {
    open,
    async dispatch(request, response, expectsContinue) {
      let exchange: Exchange
      try {
        exchange = new Exchange(request, response, { expectsContinue, shutdown })
      } catch (error) {
        const { status } = errorOf(error)
        return void response.writeHead(status, { 'Content-Length': 0, Connection: 'close' }).end()
      }
      observe(exchange)
      try {
        await handle(exchange)
      } catch (error) {
        answerError(exchange, error)
      }
    },
  }
}
