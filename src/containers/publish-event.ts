import type { NetworkRecord } from '#networks'
import type { Context } from './context.ts'
import type { Container } from './types.ts'

/** Publishes a container event with Docker's attributes: labels, then image and name, then what is special to the action. */
export function publishEvent(
  ctx: Pick<Context, 'deps'>,
  container: Container,
  action: string,
  attributes: Record<string, string> = {},
): void {
  ctx.deps.events.publish('container', action, container.id, {
    ...container.config.labels,
    image: container.config.image,
    name: container.name,
    ...attributes,
  })
}

/** `mount` or `unmount` of each of its volumes. */
export function publishVolumeEvents(ctx: Pick<Context, 'deps'>, container: Container, action: 'mount' | 'unmount'): void {
  for (const { type, name, driver, destination, rw, propagation } of container.mounts) {
    if (type !== 'volume') continue
    const details = action === 'mount' ? { destination, 'read/write': String(rw), propagation } : {}
    ctx.deps.events.publish('volume', action, name, { driver, container: container.id, ...details })
  }
}

/** `connect` or `disconnect` of each network it has an endpoint on. */
export function publishNetworkEvents(ctx: Pick<Context, 'deps'>, container: Container, action: 'connect' | 'disconnect'): void {
  const known = ctx.deps.networks.list()
  for (const { networkId, networkName } of container.endpoints) {
    const driver = known.find(({ id }) => id === networkId)?.driver ?? ''
    publishNetworkEvent(ctx, container.id, { id: networkId, name: networkName, driver }, action)
  }
}

export function publishNetworkEvent(
  ctx: Pick<Context, 'deps'>,
  container: string,
  { id, name, driver }: Pick<NetworkRecord, 'id' | 'name' | 'driver'>,
  action: 'connect' | 'disconnect',
): void {
  ctx.deps.events.publish('network', action, id, { container, name, type: driver })
}
