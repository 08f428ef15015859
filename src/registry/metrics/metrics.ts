import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { CollectReport } from '../gc/types.ts'
import type { EndpointState } from '../notifications/endpoint-queue.ts'
import type { Page, RegistryEvents, RequestObserver, RouteName } from '../types.ts'

/** Names of handlers as docker-registry's dashboards know them. */
const HANDLERS: Readonly<Record<RouteName, string>> = {
  base: 'base',
  catalog: 'catalog',
  tags: 'tags',
  manifests: 'manifest',
  blobs: 'blob',
  uploads: 'blob_upload',
  upload: 'blob_upload_chunk',
  referrers: 'referrers',
  page: 'page',
  unknown: 'unknown',
}

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE'])
/** Seconds: from a manifest in memory to a layer over a slow line. */
const SECONDS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

export interface Metrics {
  readonly observer: RequestObserver
  readonly events: RegistryEvents
  collected(report: CollectReport): void
  /** The text format of Prometheus. */
  page: Page
}

export interface MetricsDeps {
  /** Asked at each scrape. */
  endpoints: () => readonly EndpointState[]
  isHealthy: () => boolean
  /** Memory, processor time and event loop of the process, too; for the one registry of a process. */
  process: boolean
}

/** Prometheus metrics. Where docker-registry has the same, the names are its own. */
export function createMetrics({ endpoints, isHealthy, process: ofProcess }: MetricsDeps): Metrics {
  const registry = new Registry()
  const registers = [registry]
  if (ofProcess) collectDefaultMetrics({ register: registry })
  const inFlight = new Gauge({ registers, name: 'registry_http_in_flight_requests', help: 'The in-flight HTTP requests' })
  const requests = new Counter({
    registers,
    name: 'registry_http_requests_total',
    help: 'Total number of HTTP requests made.',
    labelNames: ['handler', 'method', 'code'],
  })
  const duration = new Histogram({
    registers,
    name: 'registry_http_request_duration_seconds',
    help: 'The HTTP request latencies in seconds.',
    labelNames: ['handler', 'method'],
    buckets: SECONDS,
  })
  const received = new Counter({
    registers,
    name: 'registry_http_received_bytes_total',
    help: 'Bytes of request bodies',
    labelNames: ['handler'],
  })
  const sent = new Counter({ registers, name: 'registry_http_sent_bytes_total', help: 'Bytes of response bodies', labelNames: ['handler'] })
  const aborted = new Counter({ registers, name: 'registry_http_aborted_total', help: 'Requests that broke off', labelNames: ['handler'] })
  const actions = new Counter({
    registers,
    name: 'registry_events_total',
    help: 'Pushes, pulls, deletions and mounts of content',
    labelNames: ['action'],
  })
  const freed = new Counter({ registers, name: 'registry_gc_freed_bytes_total', help: 'Bytes freed by garbage collections' })
  const collectedAt = new Gauge({
    registers,
    name: 'registry_gc_last_success_timestamp_seconds',
    help: 'End of the last garbage collection',
  })
  void new Gauge({
    registers,
    name: 'registry_healthy',
    help: '1 when all health checks pass',
    collect() {
      this.set(isHealthy() ? 1 : 0)
    },
  })
  void new Gauge({
    registers,
    name: 'registry_notifications_pending',
    help: 'The gauge of pending events in queue',
    labelNames: ['endpoint'],
    collect() {
      for (const { name, waiting } of endpoints()) this.set({ endpoint: name }, waiting)
    },
  })
  void new Gauge({
    registers,
    name: 'registry_notifications_dropped',
    help: 'Events that were lost because their endpoint did not answer',
    labelNames: ['endpoint'],
    collect() {
      for (const { name, dropped } of endpoints()) this.set({ endpoint: name }, dropped)
    },
  })

  return {
    observer: {
      started: () => inFlight.inc(),
      finished(report) {
        const handler = HANDLERS[report.route]
        // The client chooses the method: unknown ones may not make series without end.
        const method = METHODS.has(report.method) ? report.method.toLowerCase() : 'other'
        inFlight.dec()
        requests.inc({ handler, method, code: String(report.status) })
        duration.observe({ handler, method }, report.seconds)
        received.inc({ handler }, report.received)
        sent.inc({ handler }, report.sent)
        if (report.aborted) aborted.inc({ handler })
      },
    },
    events: { publish: ({ action }) => actions.inc({ action }) },
    collected(report) {
      freed.inc(report.freed)
      collectedAt.setToCurrentTime()
    },
    async page(_request, response) {
      const body = await registry.metrics()
      response.writeHead(200, { 'Content-Type': registry.contentType, 'Content-Length': Buffer.byteLength(body) })
      response.end(body)
    },
  }
}
