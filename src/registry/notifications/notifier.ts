import type { RegistryEvents, RegistryLog } from '../types.ts'
import { createEndpointQueue, type EndpointState } from './endpoint-queue.ts'
import { wireEvent, type EventSource } from './event-envelope.ts'
import type { EndpointOptions } from './types.ts'

export interface NotifierDeps {
  endpoints: readonly EndpointOptions[]
  source: EventSource
  /** Scheme and host that clients see, for the URLs of targets; `host` is what the client called us. */
  baseUrl: (host: string) => string
  log: RegistryLog
  send?: typeof fetch
}

export interface Notifier extends RegistryEvents, AsyncDisposable {
  states(): EndpointState[]
}

/** Tells every endpoint what happens. Each has its own queue: one that does not answer holds up no other, and no request. */
export function createNotifier({ endpoints, source, baseUrl, log, send }: NotifierDeps): Notifier {
  const queues = endpoints.map((endpoint) =>
    createEndpointQueue({
      endpoint,
      failed: (error) => log.error(`notifications for ${endpoint.name} cannot be delivered`, error),
      ...(send && { send }),
    }),
  )
  return {
    publish(event) {
      const wire = wireEvent(event, source, baseUrl(event.request.host))
      for (const queue of queues) queue.push(wire)
    },
    states: () => queues.map((queue) => queue.state),
    async [Symbol.asyncDispose]() {
      await Promise.all(queues.map((queue) => queue[Symbol.asyncDispose]()))
    },
  }
}
