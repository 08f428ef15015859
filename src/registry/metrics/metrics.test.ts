import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { it } from 'node:test'
import type { RequestReport } from '../types.ts'
import { createMetrics, type Metrics } from './metrics.ts'

const REPORT: RequestReport = {
  id: 'x',
  address: '127.0.0.1:1',
  host: 'h',
  method: 'GET',
  userAgent: 'u',
  route: 'manifests',
  path: '/v2/a/manifests/1',
  status: 200,
  seconds: 0.02,
  received: 0,
  sent: 500,
  aborted: false,
}

async function scrape({ page }: Metrics): Promise<string> {
  let text = ''
  const response = { writeHead: () => response, end: (body: string) => void (text = body) }
  await page({} as IncomingMessage, response as unknown as ServerResponse)
  return text
}

it('Metrics counts requests by handler, method and status', async () => {
  const metrics = createMetrics({
    endpoints: () => [{ name: 'e', waiting: 4, sent: 0, failures: 0, dropped: 2 }],
    isHealthy: () => false,
    process: false,
  })
  metrics.observer.started()
  metrics.observer.started()
  metrics.observer.finished(REPORT)
  metrics.events.publish({ action: 'pull' } as never)
  metrics.collected({ repositories: 1, manifests: 1, blobs: 3, deletedManifests: 0, deletedBlobs: 1, freed: 1234 })
  const text = await scrape(metrics)
  const WANTED = [
    'registry_http_requests_total{handler="manifest",method="get",code="200"} 1',
    'registry_http_request_duration_seconds_bucket{le="0.025",handler="manifest",method="get"} 1',
    'registry_http_request_duration_seconds_bucket{le="0.005",handler="manifest",method="get"} 0',
    'registry_http_in_flight_requests 1',
    'registry_http_sent_bytes_total{handler="manifest"} 500',
    'registry_events_total{action="pull"} 1',
    'registry_gc_freed_bytes_total 1234',
    'registry_notifications_pending{endpoint="e"} 4',
    'registry_notifications_dropped{endpoint="e"} 2',
    'registry_healthy 0',
  ]
  for (const line of WANTED) assert.ok(text.includes(`${line}\n`), line)
})

it('Metrics lets clients make no series of their own', async () => {
  const metrics = createMetrics({ endpoints: () => [], isHealthy: () => true, process: false })
  for (const method of ['PROPFIND', 'X1', 'X2']) {
    metrics.observer.started()
    metrics.observer.finished({ ...REPORT, method, route: 'unknown', path: `/${method}`, status: 404 })
  }
  assert.match(await scrape(metrics), /^registry_http_requests_total\{handler="unknown",method="other",code="404"\} 3$/m)
})
