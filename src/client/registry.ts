/** Calls about registries. */
import type { AuthConfig, AuthResponse, ImageSearchItem } from '#api'
import type { EngineClient } from './engine-client.ts'
import { unlessEmpty, type Filters } from './filters.ts'

/** Checks credentials. Rejects with a DaemonError of status 401 when they are not accepted. */
export function registryLogin(client: EngineClient, auth: AuthConfig): Promise<AuthResponse> {
  return client.call('POST', '/auth', { json: auth })
}

export function searchImages(
  client: EngineClient,
  options: { term: string; limit: number; filters: Filters; auth: string },
): Promise<ImageSearchItem[]> {
  const { term, limit, filters, auth } = options
  return client.call('GET', '/images/search', {
    query: { term, limit: limit === 0 ? undefined : limit, filters: unlessEmpty(filters) },
    headers: { 'X-Registry-Auth': auth },
  })
}
