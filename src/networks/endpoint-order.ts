import type { NetworkDriver } from './drivers/driver.ts'
import type { Family } from './ipam/ip-address.ts'
import type { Endpoint } from './types.ts'

/** What decides which of a container's endpoints comes first. */
export interface OrderedEndpoint {
  endpoint: Endpoint
  driver: NetworkDriver
}

/** Better candidates for the default routes first, as Docker: by priority, not internal, number of families with a way out, name of the network. */
export function byGatewayOrder(one: OrderedEndpoint, other: OrderedEndpoint): number {
  return (
    (other.endpoint.gwPriority ?? 0) - (one.endpoint.gwPriority ?? 0) ||
    Number(one.driver.record.internal) - Number(other.driver.record.internal) ||
    routesOf(other) - routesOf(one) ||
    (one.endpoint.networkName < other.endpoint.networkName ? -1 : 1)
  )
}

/** For each family the endpoint that has the container's default route: the first, in order, with a way out. */
export function gatewayEndpoints<T extends OrderedEndpoint>(ordered: readonly T[]): Partial<Record<Family, T>> {
  const gateways: Partial<Record<Family, T>> = {}
  for (const family of [4, 6] as const) {
    const found = ordered.find((candidate) => hasRoute(candidate, family))
    if (found !== undefined) gateways[family] = found
  }
  return gateways
}

function hasRoute({ endpoint, driver }: OrderedEndpoint, family: Family): boolean {
  const [address, gateway] = family === 4 ? [endpoint.ipv4Address, endpoint.ipv4Gateway] : [endpoint.ipv6Address, endpoint.ipv6Gateway]
  return gateway !== '' || (driver.routesByLink && address !== '')
}

function routesOf(candidate: OrderedEndpoint): number {
  return Number(hasRoute(candidate, 4)) + Number(hasRoute(candidate, 6))
}
