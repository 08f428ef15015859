import type { EventBus } from '#events'
import type { NetworkRecord, NetworkService } from '#networks'

/** The service with Docker's events for what it makes and removes; `networks/` itself knows of no event bus. */
export function withNetworkEvents(networks: NetworkService, events: Pick<EventBus, 'publish'>): NetworkService {
  const publish = (action: string, { id, name, driver }: NetworkRecord): void =>
    events.publish('network', action, id, { name, type: driver })
  return {
    ...networks,
    async create(request) {
      const network = await networks.create(request)
      publish('create', network)
      return network
    },
    async remove(ref) {
      const network = await networks.remove(ref)
      // As with Docker a template comes with an event and goes without.
      if (network.configOnly !== true) publish('destroy', network)
      return network
    },
    async prune(matches) {
      const removed = await networks.prune(matches)
      for (const network of removed) publish('destroy', network)
      events.publish('network', 'prune', '', { reclaimed: '0' })
      return removed
    },
  }
}
