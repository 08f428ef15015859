import { createServer } from 'node:http'
import type { RegistryConfig } from '../config/registry-config.ts'
import { createCollector } from '../gc/collector.ts'
import type { CollectOptions, CollectReport } from '../gc/types.ts'
import { createHealth } from '../health/health.ts'
import { serverOptions } from '../http/registry-server.ts'
import { createMetrics } from '../metrics/metrics.ts'
import { createEventSource } from '../notifications/event-envelope.ts'
import { createNotifier } from '../notifications/notifier.ts'
import { createCachedUpstream } from '../proxy/cached-upstream.ts'
import { openUpstream } from '../proxy/open-upstream.ts'
import { createRegistry } from '../registry.ts'
import type { Page, RegistryEvents, RegistryLog, RequestObserver, Upstream } from '../types.ts'
import { createAccessLog } from './access-log.ts'
import { buildAccess } from './build-access.ts'
import { serveCollect } from './collect-protocol.ts'
import { createMainServer, listenAt } from './listeners.ts'
import { startMaintenance } from './maintenance.ts'
import { openStorage } from './open-storage.ts'
import { createPublicUrl } from './public-url.ts'

/** Sent to upstreams. */
const USER_AGENT = 'gantry-registry'

export interface ServeDeps {
  config: RegistryConfig
  log: RegistryLog
  /** Takes the lines of the access log. */
  access: (line: string) => void
}

/** A server that runs. Disposing ends it in order: requests are answered, notifications sent, the storage given back. */
export interface RunningRegistry extends AsyncDisposable {
  /** URL of the main address, for people. */
  readonly address: string
  /** Of the second address, for health and metrics. */
  readonly debugAddress: string | undefined
  /** Reads the certificates again. Failures go to the log. */
  reload(): Promise<void>
}

/** Puts the parts together as the configuration says, and serves. Throws what keeps it from starting; nothing is left behind then. */
export async function serve({ config, log, access }: ServeDeps): Promise<RunningRegistry> {
  const { http, storage: storageConfig, proxy } = config
  await using owned = new AsyncDisposableStack()
  const url = createPublicUrl(http)
  let collect: ((options: Pick<CollectOptions, 'deleteUntagged' | 'dryRun' | 'removed' | 'signal'>) => Promise<CollectReport>) | undefined

  const { storage, lock, minGrace } = owned.use(
    await openStorage(storageConfig, (request, response) => {
      if (collect === undefined) response.writeHead(503).end()
      else void serveCollect(request, response, collect)
    }),
  )
  const built = await buildAccess(config, url, log)
  const port = http.listen.kind === 'tcp' ? http.listen.port : 0
  const notifier = owned.use(
    createNotifier({
      endpoints: config.notifications.endpoints,
      source: createEventSource(port),
      baseUrl: (host) => url.ofHost(host),
      log,
    }),
  )
  const health = owned.use(createHealth({ checks: config.health, storage: () => storage.check() }))
  const metrics =
    http.metricsPath === undefined
      ? undefined
      : createMetrics({ endpoints: () => notifier.states(), isHealthy: () => Object.keys(health.failures()).length === 0, process: true })
  const monitoring = (isPublic: boolean): Record<string, Page> => ({
    '/debug/health': health.page({ isPublic }),
    ...(metrics && http.metricsPath !== undefined && { [http.metricsPath]: metrics.page }),
  })

  let cache: (Upstream & AsyncDisposable) | undefined
  const upstream = proxy && owned.use(openUpstream(proxy, USER_AGENT))
  const registry = createRegistry({
    storage,
    log,
    ...(built.access && { access: built.access }),
    events: allEvents([notifier, ...(metrics ? [metrics.events] : [])]),
    observer: allObservers([...(config.log.accessLog ? [createAccessLog(access)] : []), ...(metrics ? [metrics.observer] : [])]),
    ...(proxy &&
      upstream && {
        upstream: (model) => (cache = createCachedUpstream({ ...model, upstream, storage, tagTtl: proxy.tagTtl, log })),
      }),
    pages: { ...built.pages, ...(http.debug === undefined && monitoring(true)) },
    readOnly: storageConfig.readOnly,
    deletes: storageConfig.deleteEnabled,
  })
  if (cache !== undefined) owned.use(cache)

  const collector = createCollector({ storage, repositories: registry.repositories, keeper: registry.keeper, lock })
  const grace = Math.max(storageConfig.garbageCollection.grace, minGrace)
  collect = async (options) => {
    const report = await collector.collect({ ...options, grace })
    if (!options.dryRun) metrics?.collected(report)
    return report
  }

  const { server, reload } = await createMainServer(http, serverOptions())
  registry.attach(server)
  owned.defer(() => registry.close({ grace: http.drainTimeout }))
  const address = await listenAt(server, http.listen, http.tls === undefined ? 'http' : 'https')
  const debugAddress = http.debug && (await serveMonitoring(http.debug, monitoring(false), log, owned))
  const reloadTls = async (): Promise<void> => {
    try {
      if (await reload()) log.info('the certificates were read again')
    } catch (error) {
      log.error('the certificates cannot be read; the old ones stay', error)
    }
  }
  owned.use(startMaintenance({ config, collector, collect, grace, reloadTls, log }))

  const running = owned.move()
  return { address, debugAddress, reload: reloadTls, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() }
}

async function serveMonitoring(
  place: NonNullable<RegistryConfig['http']['debug']>,
  pages: Readonly<Record<string, Page>>,
  log: RegistryLog,
  owned: AsyncDisposableStack,
): Promise<string> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace(/\?.*$/s, '')
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined
    if (page === undefined) return void response.writeHead(404, { 'Content-Length': 0 }).end()
    Promise.resolve(page(request, response)).catch((error: unknown) => {
      log.error(`${path} failed`, error)
      response.destroy()
    })
  })
  const address = await listenAt(server, place, 'http')
  owned.defer(async () => {
    server.closeAllConnections()
    await server[Symbol.asyncDispose]()
  })
  return address
}

function allEvents(listeners: readonly RegistryEvents[]): RegistryEvents {
  return { publish: (event) => listeners.forEach((listener) => listener.publish(event)) }
}

function allObservers(observers: readonly RequestObserver[]): RequestObserver {
  return {
    started: () => observers.forEach((observer) => observer.started()),
    finished: (report) => observers.forEach((observer) => observer.finished(report)),
  }
}
