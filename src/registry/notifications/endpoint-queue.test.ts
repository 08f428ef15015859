import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createEndpointQueue, type EndpointQueue } from './endpoint-queue.ts'
import { wireEvent, type WireEvent } from './event-envelope.ts'
import type { EndpointOptions } from './types.ts'
import { until } from '../testing/until.ts'

const ENDPOINT: EndpointOptions = {
  name: 'test',
  url: 'http://listener/',
  headers: { Authorization: ['Bearer x'] },
  timeout: 1000,
  threshold: 3,
  backoff: 5,
  ignoredMediaTypes: ['application/octet-stream'],
  ignoredActions: ['pull'],
}

function event(number: number, action: 'push' | 'pull' = 'push', mediaType?: string): WireEvent {
  return wireEvent(
    {
      action,
      time: 0,
      repository: 'a',
      target: { path: `/v2/a/manifests/${number}`, tag: String(number), ...(mediaType !== undefined && { mediaType }) },
      request: { id: 'r', address: '127.0.0.1:1', host: 'h', method: 'PUT', userAgent: 'u' },
    },
    { addr: 'here:5000', instanceID: 'i' },
    'http://h',
  )
}

/** A listener that answers with `statuses`, and 200 from then on; what it took, in order. */
function listener(...statuses: number[]): { send: typeof fetch; taken: string[]; attempts: () => number } {
  const taken: string[] = []
  let attempts = 0
  const send: typeof fetch = async (_url, init) => {
    attempts++
    const status = statuses.shift() ?? 200
    if (status === 0) throw new TypeError('fetch failed')
    const { events } = JSON.parse(init?.body as string) as { events: WireEvent[] }
    assert.equal(new Headers(init?.headers).get('authorization'), 'Bearer x')
    if (status < 400) taken.push(...events.map(({ target }) => target.tag ?? ''))
    return Promise.resolve(new Response(null, { status }))
  }
  return { send, taken, attempts: () => attempts }
}

async function drained(queue: EndpointQueue): Promise<void> {
  await until(() => queue.state.waiting === 0)
}

describe('EndpointQueue', () => {
  it('brings every event once and in order, whatever fails in between', async () => {
    const { send, taken, attempts } = listener(500, 0, 200, 503)
    const failures: Error[] = []
    await using queue = createEndpointQueue({ endpoint: ENDPOINT, failed: (error) => failures.push(error), send })
    for (let number = 0; number < 120; number++) queue.push(event(number))
    await drained(queue)
    assert.deepEqual(
      taken,
      Array.from({ length: 120 }, (_, number) => String(number)),
    )
    assert.ok(attempts() >= 6 && attempts() < 15, `${attempts()} attempts`)
    assert.equal(queue.state.failures, 3)
    assert.deepEqual(failures, [])
  })

  it('tells once that an endpoint is down, when the threshold is reached', async () => {
    const { send } = listener(500, 500, 500, 500, 500)
    const failures: string[] = []
    await using queue = createEndpointQueue({ endpoint: ENDPOINT, failed: (error) => failures.push(error.message), send })
    queue.push(event(1))
    await drained(queue)
    assert.deepEqual(failures, ['test answered 500'])
  })

  it('leaves out what the endpoint does not want', async () => {
    const { send, taken } = listener()
    await using queue = createEndpointQueue({ endpoint: ENDPOINT, failed: () => {}, send })
    queue.push(event(1, 'pull'))
    queue.push(event(2, 'push', 'application/octet-stream'))
    queue.push(event(3, 'push', 'application/json'))
    await drained(queue)
    assert.deepEqual(taken, ['3'])
  })

  it('keeps no more than it may, and counts what is lost', async () => {
    const gate = Promise.withResolvers<Response>()
    const queue = createEndpointQueue({ endpoint: ENDPOINT, failed: () => {}, send: () => gate.promise, maxWaiting: 100 })
    for (let number = 0; number < 150; number++) queue.push(event(number))
    assert.deepEqual([queue.state.waiting, queue.state.dropped], [100, 50])
    gate.resolve(new Response())
    await queue[Symbol.asyncDispose]()
  })

  it('gives the rest one more attempt when it is disposed, and no more', async () => {
    const { send, attempts } = listener(...Array<number>(1000).fill(500))
    const queue = createEndpointQueue({ endpoint: { ...ENDPOINT, backoff: 60_000, threshold: 1 }, failed: () => {}, send })
    queue.push(event(1))
    await until(() => queue.state.failures > 0)
    await queue[Symbol.asyncDispose]()
    assert.equal(attempts(), 2)
    assert.equal(queue.state.waiting, 1)
  })
})
