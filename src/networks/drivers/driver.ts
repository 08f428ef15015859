import type { FirewallNetwork } from '../firewall/firewall-elements.ts'
import type { IpAddress } from '../ipam/ip-address.ts'
import type { PublishSides } from '../ports/port-request.ts'
import type { Endpoint, EndpointRequest, NetworkRecord } from '../types.ts'

/** Where a container is on a network, before anything exists in the kernel. */
export type Placement = Pick<
  Endpoint,
  'hostInterface' | 'macAddress' | 'ipv4Address' | 'ipv4PrefixLength' | 'ipv4Gateway' | 'ipv6Address' | 'ipv6PrefixLength' | 'ipv6Gateway'
>

/** rtnetlink requests for the host's namespace; `pidOffsets` are where the pid of the container goes. */
export interface HostMessages {
  bytes: Buffer
  pidOffsets: number[]
}

/** A link as it shall be inside the container. */
export interface WantedLink {
  index: number
  name: string
  /** Something is published on this endpoint. */
  publishes: boolean
}

/** One network in being: its part of the host, its addresses, and the plans that put containers on it. Synchronous: requests cannot meet halfway. */
export interface NetworkDriver {
  readonly record: NetworkRecord
  /** Absent: nothing of it passes our firewall. */
  readonly firewall?: FirewallNetwork
  /** Beginning of interface names inside; empty: containers get no interface. */
  readonly interfacePrefix: string
  /** How its endpoints publish ports, by family. */
  readonly sides: PublishSides
  /** Host interfaces behind which containers are reached by their own addresses; see `PublishedPort`. */
  readonly trusted: readonly string[]
  readonly open: boolean
  /** Default routes name the link alone. */
  readonly routesByLink: boolean
  /** Chooses addresses, MAC and host link. Throws RESOURCE_EXHAUSTED, FORBIDDEN for an address in use. Undone by `remove`. */
  place(asked: EndpointRequest, disableIPv6: boolean): Placement
  /** After a restart: the endpoint has its addresses, or had them and may still have its link. */
  adopt(endpoint: Placement, isAlive: boolean): void
  remove(endpoint: Placement): void
  link(endpoint: Placement, wanted: WantedLink): HostMessages[]
  /** Takes the network's part of the host away. */
  delete(): Promise<void>
}

/** A link made ready inside: messages for its addresses, and settings that follow. */
export interface LinkConfiguration {
  index: number
  name: string
  addresses: { address: IpAddress; prefixLength: number }[]
  /** The kernel has IPv6 and the endpoint has not: off on the interface, else it would give itself a link-local address. */
  disableIPv6: boolean
  /** Below /proc/sys/net. */
  sysctls: { path: string; value: string }[]
}
