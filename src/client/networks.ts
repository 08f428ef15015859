/** Calls of the networks group. */
import type { EndpointSettings, NetworkCreateRequest, NetworkCreateResponse, NetworkPruneResponse, NetworkSummary } from '#api'
import type { EngineClient } from './engine-client.ts'
import { unlessEmpty, type Filters } from './filters.ts'

export function listNetworks(client: EngineClient, filters: Filters): Promise<NetworkSummary[]> {
  return client.call('GET', '/networks', { query: { filters: unlessEmpty(filters) } })
}

export function createNetwork(client: EngineClient, body: NetworkCreateRequest): Promise<NetworkCreateResponse> {
  return client.call('POST', '/networks/create', { json: body })
}

export function removeNetwork(client: EngineClient, name: string): Promise<void> {
  return client.call('DELETE', networkPath(name))
}

export function connectNetwork(
  client: EngineClient,
  name: string,
  body: { Container: string; EndpointConfig?: Partial<EndpointSettings> },
): Promise<void> {
  return client.call('POST', networkPath(name, '/connect'), { json: body })
}

export function disconnectNetwork(client: EngineClient, name: string, body: { Container: string; Force: boolean }): Promise<void> {
  return client.call('POST', networkPath(name, '/disconnect'), { json: body })
}

export function pruneNetworks(client: EngineClient, filters: Filters): Promise<NetworkPruneResponse> {
  return client.call('POST', '/networks/prune', { query: { filters: unlessEmpty(filters) } })
}

export function networkPath(name: string, rest = ''): string {
  return `/networks/${encodeURIComponent(name)}${rest}`
}
