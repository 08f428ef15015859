/** Calls of the volumes group. */
import type { Volume, VolumeCreateRequest, VolumeListResponse, VolumePruneResponse } from '#api'
import type { EngineClient } from './engine-client.ts'
import { unlessEmpty, type Filters } from './filters.ts'

export function listVolumes(client: EngineClient, filters: Filters): Promise<VolumeListResponse> {
  return client.call('GET', '/volumes', { query: { filters: unlessEmpty(filters) } })
}

export function createVolume(client: EngineClient, body: VolumeCreateRequest): Promise<Volume> {
  return client.call('POST', '/volumes/create', { json: body })
}

export function removeVolume(client: EngineClient, name: string, force: boolean): Promise<void> {
  return client.call('DELETE', volumePath(name), { query: { force } })
}

export function pruneVolumes(client: EngineClient, filters: Filters): Promise<VolumePruneResponse> {
  return client.call('POST', '/volumes/prune', { query: { filters: unlessEmpty(filters) } })
}

export function volumePath(name: string): string {
  return `/volumes/${encodeURIComponent(name)}`
}
