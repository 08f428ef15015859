/** Calls of the system group. */
import type { SystemDiskUsage, SystemInfo, SystemVersion } from '#api'
import type { HttpResponse } from './connection.ts'
import type { EngineClient } from './engine-client.ts'
import { unlessEmpty, type Filters } from './filters.ts'
import { compareVersions } from './negotiation.ts'

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

/** Removes build cache; `all` includes what images use, too. `keep`: bytes that may stay, 0 for none. */
export async function pruneBuilds(
  client: EngineClient,
  filters: Filters,
  { all, keep }: { all: boolean; keep: number },
): Promise<{ CachesDeleted: string[] | null; SpaceReclaimed: number }> {
  const name = compareVersions(await client.version(), '1.48') < 0 ? 'keep-storage' : 'reserved-space'
  return await client.call('POST', '/build/prune', { query: { all, filters: unlessEmpty(filters), ...(keep > 0 && { [name]: keep }) } })
}

/** Check of the engine's store, and repair: a stream of `FsckLine`. Only Gantry has it. */
export function checkStore(client: EngineClient, options: { repair: boolean }): Promise<HttpResponse> {
  return client.open('POST', '/gantry/fsck', { query: options })
}
