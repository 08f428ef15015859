/** Contracts of `networks/`. The manual is in `index.ts`. */

import type { NetnsPlan } from '#kernel'

export type PortProtocol = 'tcp' | 'udp' | 'sctp'

/** A published port as asked for. `hostPort` empty: choose one; a range `8000-8010`: choose one of it. `hostIp` empty: all addresses. */
export interface PortRequest {
  containerPort: number
  protocol: PortProtocol
  hostIp: string
  hostPort: string
}

/** A published port as given. */
export interface PortBinding {
  containerPort: number
  protocol: PortProtocol
  hostIp: string
  hostPort: number
}

export interface NetworkRecord {
  /** 64 hex digits. */
  id: string
  name: string
  driver: string
  scope: 'local'
  internal: boolean
  attachable: boolean
  enableIPv4: boolean
  enableIPv6: boolean
  ipam: { driver: string; options: Record<string, string>; config: IpamConfig[] }
  options: Record<string, string>
  labels: Record<string, string>
  /** RFC 3339 with nanoseconds. */
  created: string
}

export interface IpamConfig {
  subnet: string
  ipRange?: string
  gateway?: string
  auxAddresses?: Record<string, string>
}

/** What the user asked for on one network. */
export interface EndpointRequest {
  ipv4Address?: string
  ipv6Address?: string
  linkLocalIPs?: string[]
  macAddress?: string
  aliases?: string[]
  links?: string[]
  driverOpts?: Record<string, string>
  gwPriority?: number
}

export interface Endpoint {
  /** 64 hex digits. */
  id: string
  networkId: string
  networkName: string
  containerId: string
  /** Interface name inside the container, `eth0`. */
  interfaceName: string
  hostInterface: string
  macAddress: string
  ipv4Address: string
  ipv4PrefixLength: number
  ipv4Gateway: string
  ipv6Address: string
  ipv6PrefixLength: number
  ipv6Gateway: string
  aliases: string[]
  links: string[]
  dnsNames: string[]
  ports: PortBinding[]
}

export interface NetworkAttachRequest {
  containerId: string
  /** Without leading slash. */
  containerName: string
  hostname: string
  /** Network name or id → request; one entry in this first part (`bridge`, `none`, `host`). */
  networks: Record<string, EndpointRequest>
  ports: PortRequest[]
}

/** The result of a plan: give `plan` to the runtime, keep `endpoints` for inspect, undo with `release`. */
export interface NetworkAttachment {
  plan: NetnsPlan
  endpoints: Endpoint[]
}

/** Settings of daemon.json that concern networks. */
export interface NetworkOptions {
  /** `false`: touch no firewall rules (dockerd `--iptables=false`). */
  firewall: boolean
  ipForward: boolean
  ipMasq: boolean
  icc: boolean
  /** CIDR of the default bridge with the bridge's own address, e.g. `172.17.0.1/16`; empty: first free pool. */
  bip: string
  /** Name of the default bridge's interface. */
  bridge: string
  fixedCidr: string
  defaultGateway: string
  mtu: number
  defaultAddressPools: { base: string; size: number }[]
  /** Address published ports bind to when none is given (`--ip`). */
  defaultBindAddress: string
}

export interface NetworkService {
  /** Makes the default networks, reconciles interfaces, addresses and firewall with what is recorded. Containers given are alive. */
  restore(aliveContainerIds: ReadonlySet<string>): Promise<void>
  list(): NetworkRecord[]
  /** By full id, name, or unique id prefix. Throws NOT_FOUND `network x not found`. */
  get(ref: string): NetworkRecord
  /** Endpoints now on a network. */
  endpoints(networkId: string): Endpoint[]
  /** Allocates addresses and ports, prepares the firewall, and gives the messages that build the interfaces. */
  attach(request: NetworkAttachRequest): Promise<NetworkAttachment>
  /** Gives addresses and ports back and removes firewall elements. Idempotent. The interfaces die with the namespace. */
  release(containerId: string): Promise<void>
  close(): Promise<void>
}
