/** Calls of the system group. */
import type { SystemDiskUsage, SystemInfo, SystemVersion } from '#api'
import type { HttpResponse } from './connection.ts'
import type { EngineClient } from './engine-client.ts'
import { unlessEmpty, type Filters } from './filters.ts'

export function systemVersion(client: EngineClient): Promise<SystemVersion> {
  return client.call('GET', '/version')
}

export function systemInfo(client: EngineClient): Promise<SystemInfo> {
  return client.call('GET', '/info')
}

export function diskUsage(client: EngineClient): Promise<SystemDiskUsage> {
  return client.call('GET', '/system/df')
}

/** A stream of events; it ends by itself only with `until`. */
export function systemEvents(client: EngineClient, options: { since?: string; until?: string; filters?: Filters }): Promise<HttpResponse> {
  return client.open('GET', '/events', { query: { ...options, filters: unlessEmpty(options.filters) } })
}

/** Removes build cache; `all` includes what is still referenced by images. */
export function pruneBuilds(
  client: EngineClient,
  filters: Filters,
  all: boolean,
): Promise<{ CachesDeleted: string[] | null; SpaceReclaimed: number }> {
  return client.call('POST', '/build/prune', { query: { all, filters: unlessEmpty(filters) } })
}

/** Check of the engine's store, and repair: a stream of `FsckLine`. Only Gantry has it. */
export function checkStore(client: EngineClient, options: { repair: boolean }): Promise<HttpResponse> {
  return client.open('POST', '/gantry/fsck', { query: options })
}
