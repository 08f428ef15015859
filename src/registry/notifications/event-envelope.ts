import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { RegistryEvent } from '../types.ts'

/** Source: distribution notifications/event.go and docs/notifications.md. */
export const EVENTS_MEDIA_TYPE = 'application/vnd.docker.distribution.events.v1+json'

/** What listeners of docker-registry get: names and casing are distribution's. */
export interface WireEvent {
  id: string
  timestamp: string
  action: string
  target: {
    mediaType?: string
    size?: number
    digest?: string
    length?: number
    repository: string
    fromRepository?: string
    url?: string
    tag?: string
    references?: { mediaType: string; size: number; digest: string }[]
  }
  request: { id: string; addr?: string; host?: string; method: string; useragent: string }
  actor: { name?: string }
  source: { addr: string; instanceID: string }
}

/** This server, as listeners see it. */
export interface EventSource {
  addr: string
  instanceID: string
}

export function createEventSource(port: number): EventSource {
  return { addr: `${hostname()}:${port}`, instanceID: randomUUID() }
}

/** `baseUrl`: scheme and host that clients see. */
export function wireEvent(event: RegistryEvent, source: EventSource, baseUrl: string): WireEvent {
  const { target, request } = event
  return {
    id: randomUUID(),
    timestamp: new Date(event.time).toISOString(),
    action: event.action,
    target: {
      ...(target.mediaType !== undefined && { mediaType: target.mediaType }),
      // `length` is the old name of `size`; both are sent.
      ...(target.size !== undefined && { size: target.size, length: target.size }),
      ...(target.digest !== undefined && { digest: target.digest }),
      repository: event.repository,
      ...(target.fromRepository !== undefined && { fromRepository: target.fromRepository }),
      ...(event.action !== 'delete' && { url: baseUrl + target.path }),
      ...(target.tag !== undefined && { tag: target.tag }),
    },
    request: { id: request.id, addr: request.address, host: request.host, method: request.method, useragent: request.userAgent },
    actor: event.actor === undefined ? {} : { name: event.actor },
    source,
  }
}

export function envelope(events: readonly WireEvent[]): string {
  return JSON.stringify({ events })
}
