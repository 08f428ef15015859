import { setTimeout as sleep } from 'node:timers/promises'
import { envelope, EVENTS_MEDIA_TYPE, type WireEvent } from './event-envelope.ts'
import type { EndpointOptions } from './types.ts'

/** Events that wait for an endpoint that does not answer: some 20 MB. After that the oldest are lost. */
const MAX_WAITING = 10_000
/** Sent in one request when more have come meanwhile. */
const BATCH = 50

export interface EndpointState {
  readonly name: string
  readonly waiting: number
  readonly sent: number
  /** Attempts that failed. */
  readonly failures: number
  /** Events that were lost, being too many. */
  readonly dropped: number
}

export interface EndpointQueue extends AsyncDisposable {
  push(event: WireEvent): void
  readonly state: EndpointState
}

export interface EndpointQueueDeps {
  endpoint: EndpointOptions
  failed: (error: Error) => void
  /** `fetch`; replaceable for tests. */
  send?: typeof fetch
  maxWaiting?: number
}

/**
 * Brings events to one endpoint, in their order, again and again until it answers with 2xx or 3xx. After `threshold` failures in a row it waits for
 * `backoff` before each attempt. Disposing gives the rest one more attempt.
 */
export function createEndpointQueue({ endpoint, failed, send = fetch, maxWaiting = MAX_WAITING }: EndpointQueueDeps): EndpointQueue {
  const events: WireEvent[] = []
  const ending = new AbortController()
  const state = { name: endpoint.name, waiting: 0, sent: 0, failures: 0, dropped: 0 }
  const headers = new Headers()
  for (const [name, values] of Object.entries(endpoint.headers)) for (const value of values) headers.append(name, value)
  headers.set('Content-Type', EVENTS_MEDIA_TYPE)
  let failuresInRow = 0
  let running: Promise<void> | undefined

  async function attempt(batch: readonly WireEvent[]): Promise<void> {
    const response = await send(endpoint.url, {
      method: 'POST',
      headers,
      body: envelope(batch),
      redirect: 'manual',
      signal: AbortSignal.timeout(endpoint.timeout),
    })
    await response.body?.cancel()
    if (response.status >= 400) throw new Error(`${endpoint.name} answered ${response.status}`)
  }

  async function drain(): Promise<void> {
    try {
      while (events.length > 0) {
        const batch = events.slice(0, BATCH)
        try {
          await attempt(batch)
          events.splice(0, batch.length)
          state.sent += batch.length
          failuresInRow = 0
        } catch (error) {
          state.failures++
          failuresInRow++
          // Once per outage, not with each attempt.
          if (failuresInRow === endpoint.threshold) failed(error as Error)
          if (ending.signal.aborted) return
          const pause = failuresInRow >= endpoint.threshold ? endpoint.backoff : Math.min(endpoint.backoff, 100 * failuresInRow)
          await sleep(pause, undefined, { signal: ending.signal }).catch(() => undefined)
        }
      }
    } finally {
      // In the turn in which the list was seen empty: an event that comes next starts a drain of its own.
      running = undefined
    }
  }

  return {
    push(event) {
      if (ending.signal.aborted) return
      const { mediaType } = event.target
      if (mediaType !== undefined && endpoint.ignoredMediaTypes.includes(mediaType)) return
      if (endpoint.ignoredActions.includes(event.action)) return
      events.push(event)
      if (events.length > maxWaiting) {
        // The first one may be on its way: the one behind the batch goes.
        events.splice(BATCH, 1)
        state.dropped++
      }
      running ??= drain()
    },
    get state() {
      return { ...state, waiting: events.length }
    },
    async [Symbol.asyncDispose]() {
      ending.abort()
      await running
    },
  }
}
