import type { Repository } from '#metadata'
import type { Endpoint, NameDirectory } from './types.ts'

/** Endpoints of living containers, in memory and recorded. */
export interface EndpointStore extends NameDirectory {
  all(): Endpoint[]
  /** Replaces all endpoints of the container, in this order; none: it has no more. */
  set(containerId: string, endpoints: readonly Endpoint[]): void
  /** What is recorded, before anything is known in memory. */
  recorded(): Endpoint[]
  /** Takes over what is recorded for these containers, and deletes the rest. */
  restore(alive: ReadonlySet<string>): void
}

/** `isInternal` is asked for networks that have endpoints. */
export function createEndpointStore(repository: Repository<Endpoint>, isInternal: (networkId: string) => boolean): EndpointStore {
  const byContainer = new Map<string, readonly Endpoint[]>()
  const byNetwork = new Map<string, Map<string, Endpoint>>()
  /** What `endpointsOn` answered, until something changes. */
  const listed = new Map<string, readonly Endpoint[]>()

  function remember(containerId: string, endpoints: readonly Endpoint[]): void {
    for (const { networkId, id } of byContainer.get(containerId) ?? []) {
      byNetwork.get(networkId)?.delete(id)
      listed.delete(networkId)
    }
    for (const endpoint of endpoints) {
      const { networkId } = endpoint
      listed.delete(networkId)
      byNetwork.set(networkId, (byNetwork.get(networkId) ?? new Map<string, Endpoint>()).set(endpoint.id, endpoint))
    }
    if (endpoints.length === 0) byContainer.delete(containerId)
    else byContainer.set(containerId, endpoints)
  }

  return {
    all: () => [...byContainer.values()].flat(),
    endpointsOf: (containerId) => byContainer.get(containerId) ?? [],
    endpointsOn(networkId) {
      const known = listed.get(networkId)
      if (known !== undefined) return known
      const list = [...(byNetwork.get(networkId)?.values() ?? [])]
      listed.set(networkId, list)
      return list
    },
    isInternal,
    set(containerId, endpoints) {
      const before = byContainer.get(containerId) ?? []
      for (const { id } of before) if (!endpoints.some((endpoint) => endpoint.id === id)) repository.delete(id)
      for (const endpoint of endpoints) if (!before.includes(endpoint)) repository.put(endpoint.id, endpoint)
      remember(containerId, endpoints)
    },
    recorded: () => repository.all().map(({ value }) => value),
    restore(alive) {
      byContainer.clear()
      byNetwork.clear()
      listed.clear()
      const kept = new Map<string, Endpoint[]>()
      for (const { value } of repository.all()) {
        if (!alive.has(value.containerId)) repository.delete(value.id)
        else kept.set(value.containerId, [...(kept.get(value.containerId) ?? []), value])
      }
      for (const [containerId, endpoints] of kept) remember(containerId, endpoints)
    },
  }
}
