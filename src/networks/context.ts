import type { NetworkDeps } from './network-service.ts'
import type { NetworkDriver } from './drivers/driver.ts'
import type { HostLinks } from './drivers/host-links.ts'
import type { EndpointStore } from './endpoint-store.ts'
import type { Firewall } from './firewall/firewall.ts'
import type { PublishedPort } from './firewall/firewall-elements.ts'
import type { NetworkRecords } from './network-records.ts'
import type { PortAllocator } from './ports/port-allocator.ts'
import { isPredefined } from './create-network.ts'
import type { Endpoint } from './types.ts'

/** What the operations of one network service share. */
export interface NetworksContext {
  deps: NetworkDeps
  records: NetworkRecords
  endpoints: EndpointStore
  /** By network id: networks in being. */
  drivers: Map<string, NetworkDriver>
  /** By network id: why a network could not be brought into being at the last start. */
  failures: Map<string, string>
  ports: PortAllocator
  firewall: Firewall
  /** Replaced at `restore`, when the links of the host are known. */
  links: HostLinks
  /** The kernel has IPv6; looked up at `restore`. */
  hasIPv6: boolean
}

/** Ports of an endpoint as the firewall wants them. */
export function publishedPorts(endpoint: Endpoint, driver: NetworkDriver | undefined): PublishedPort[] {
  return endpoint.ports.map((binding) => ({
    binding,
    containerAddress: binding.hostIp.includes(':') ? endpoint.ipv6Address : endpoint.ipv4Address,
    open: binding.hostPort === 0 || driver?.open === true,
    trusted: driver?.trusted ?? [],
  }))
}

/** The names others on a user-defined network know a container by. Source: moby daemon/container_operations.go, buildEndpointDNSNames. */
export function dnsNamesOf(
  networkName: string,
  container: { containerId: string; containerName: string; hostname: string },
  aliases: readonly string[],
): string[] {
  if (isPredefined(networkName)) return []
  const { containerId, containerName, hostname } = container
  return [...new Set([containerName, ...aliases, containerId.slice(0, 12), hostname].filter((name) => name !== ''))]
}
