import type { EventBus } from '#events'
import type { VolumeService } from '#volumes'

/** The service with Docker's events for what it makes and removes; `volumes/` itself knows of no event bus. */
export function withVolumeEvents(volumes: VolumeService, events: Pick<EventBus, 'publish'>): VolumeService {
  const publish = (action: string, name: string, driver: string): void => events.publish('volume', action, name, { driver })
  return {
    known: () => volumes.known(),
    list: () => volumes.list(),
    get: (name) => volumes.get(name),
    async create(request) {
      const result = await volumes.create(request)
      if (result.created) publish('create', result.volume.name, result.volume.driver)
      return result
    },
    async remove(name, options) {
      const removed = await volumes.remove(name, options)
      if (removed !== undefined) publish('destroy', name, removed.driver)
      return removed
    },
    async prune(filters) {
      const result = await volumes.prune(filters)
      for (const name of result.deleted) publish('destroy', name, 'local')
      events.publish('volume', 'prune', '', { reclaimed: String(result.reclaimed) })
      return result
    },
    drivers: () => volumes.drivers(),
    usage: (name) => volumes.usage(name),
    reference: (name, containerId) => volumes.reference(name, containerId),
    dereference: (name, containerId) => volumes.dereference(name, containerId),
    users: (name) => volumes.users(name),
    activate: (name, containerId) => volumes.activate(name, containerId),
    deactivate: (name, containerId) => volumes.deactivate(name, containerId),
    populate: (name, source, subpath) => volumes.populate(name, source, subpath),
    restore: () => volumes.restore(),
  }
}
