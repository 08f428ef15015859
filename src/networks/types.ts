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

/** A published port as given, one per family. */
export interface PortBinding {
  containerPort: number
  protocol: PortProtocol
  /** `0.0.0.0` and `::` for all addresses of a family. */
  hostIp: string
  /** 0: opened at the container's own address, without translation (routed networks). */
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
  /** A template for `configFrom`, no network of its own. Absent: false. */
  configOnly?: boolean
  /** Name of the network this one's configuration was taken from. Absent: none. */
  configFrom?: string
  /** False: its bridge was there before, made by somebody else, and stays when the network goes. Absent: true. */
  ownsLink?: boolean
}

/** A network as asked for; names and meaning of the options are Docker's. */
export interface NetworkCreateRequest {
  name: string
  /** `bridge` (also when empty), `macvlan`, `ipvlan`. */
  driver: string
  /** Empty or `local`. */
  scope: string
  internal: boolean
  attachable: boolean
  ingress: boolean
  configOnly: boolean
  /** Name of a config-only network; empty: none. */
  configFrom: string
  /** Absent: what the daemon's default options for the driver say, else true. */
  enableIPv4?: boolean
  /** Absent: what the daemon's default options for the driver say, else false. */
  enableIPv6?: boolean
  /** `driver` empty: `default`. `subnet` of an entry may not be empty. */
  ipam: NetworkRecord['ipam']
  options: Record<string, string>
  labels: Record<string, string>
}

export interface IpamConfig {
  /** In CIDR notation, either family. */
  subnet: string
  ipRange?: string
  gateway?: string
  auxAddresses?: Record<string, string>
  /** Chosen from the pools, not by the user: containers cannot ask for addresses in it, as with Docker. Absent: false. */
  automatic?: boolean
}

/** What the user asked for on one network. `driverOpts` that no driver knows are kept and have no effect, as with Docker. */
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
  /** The host's end of the pair; empty where there is none (macvlan, ipvlan, host, none). */
  hostInterface: string
  macAddress: string
  /** Empty, with length 0, for a family the endpoint has not. */
  ipv4Address: string
  ipv4PrefixLength: number
  ipv4Gateway: string
  ipv6Address: string
  ipv6PrefixLength: number
  ipv6Gateway: string
  aliases: string[]
  links: string[]
  /** On user-defined networks: container's name, aliases, short id, host name; without doubles, as Docker shows them. Else empty. */
  dnsNames: string[]
  /** Those of the container, on the endpoint that has its default route. */
  ports: PortBinding[]
  /** Of two endpoints the one with the higher number has the container's default routes. Absent: 0. */
  gwPriority?: number
  /** Where the container's resolver listens inside its namespace; the next daemon takes the same ports. Absent: it has none. */
  resolver?: NameServerPorts
}

/** What all endpoints of a container have in common. */
export interface SandboxRequest {
  containerId: string
  /** Without leading slash. */
  containerName: string
  hostname: string
  /** All that the container publishes; they go with the endpoint that has the default route. */
  ports: PortRequest[]
  /** The container's own sysctls turn IPv6 off: it gets no addresses of that family. Absent: false. */
  disableIPv6?: boolean
}

export interface NetworkAttachRequest extends SandboxRequest {
  /** Network name or id → request. `host` and `none` go with no other. */
  networks: Record<string, EndpointRequest>
}

/** A running container is put on one network more. */
export interface NetworkConnectRequest extends SandboxRequest {
  /** Name or id. */
  network: string
  endpoint: EndpointRequest
  /** Of a process in the container's network namespace. */
  pid: number
}

export interface NetworkDisconnectRequest extends SandboxRequest {
  /** Name or id. */
  network: string
  /** Of a process in the container's network namespace; absent: the container does not run, and only records go. */
  pid?: number
}

/** What a live change made of a container's endpoints: `endpoint` is the one that came or went, `endpoints` are all it has now. */
export interface EndpointChange {
  network: NetworkRecord
  endpoint: Endpoint
  endpoints: Endpoint[]
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
  /** Address published ports bind to when none is given (`--ip`). `0.0.0.0` stands for all addresses of both families. */
  defaultBindAddress: string
  /** IPv6 on the default bridge (`ipv6`). Absent: false. */
  ipv6?: boolean
  /** `false`: no firewall rules for IPv6 (`ip6tables`). Absent: as `firewall`. */
  firewall6?: boolean
  /** As `bip`, for IPv6 (`bip6`). Absent or empty: `fixedCidrV6`, else a free pool. */
  bip6?: string
  /** Part of the default bridge's IPv6 subnet that containers get addresses of; the subnet itself when there is no `bip6`. */
  fixedCidrV6?: string
  defaultGatewayV6?: string
  /** Containers may be reached past their published ports from outside (`allow-direct-routing`). Absent: false. */
  allowDirectRouting?: boolean
  /** Options of new networks by driver (`default-network-opts`). Absent: none. */
  defaultNetworkOptions?: Record<string, Record<string, string>>
}

/** Ports chosen by the kernel at 127.0.0.11 inside the container. */
export interface NameServerPorts {
  udp: number
  tcp: number
}

/** The resolver of one container. */
export interface NameServerRequest {
  containerId: string
  /** Of a process in the container's network namespace. */
  pid: number
  /** Servers of `--dns`; empty: the host's. */
  servers: string[]
  /** The ports of the resolver that the daemon before this one had there. */
  ports?: NameServerPorts
}

/** Resolvers inside containers' namespaces; `dns/` has the real one. */
export interface NameServer {
  /** Opens the sockets at 127.0.0.11 and sends port 53 to them. A container that is served already is left as it is. */
  serve(request: NameServerRequest): Promise<NameServerPorts>
  /** Closes the sockets of a container. Idempotent. */
  stop(containerId: string): Promise<void>
  /** Closes all sockets; the rules inside the namespaces stay. */
  close(): Promise<void>
}

/** Where a name server finds who is where; always as it is now. */
export interface NameDirectory {
  /** Of a container, in the order of its interfaces. */
  endpointsOf(containerId: string): readonly Endpoint[]
  /** The same array for as long as nobody comes, goes or is renamed: what is made of it is kept with it. */
  endpointsOn(networkId: string): readonly Endpoint[]
  /** Containers do not get out by this network. */
  isInternal(networkId: string): boolean
}

export interface NetworkService {
  /** Makes the default networks and the bridges of all others, reconciles interfaces, addresses and firewall with what is recorded. Containers given are alive. */
  restore(aliveContainerIds: ReadonlySet<string>): Promise<void>
  list(): NetworkRecord[]
  /** By full id, name, or unique id prefix. Throws NOT_FOUND `network x not found`. */
  get(ref: string): NetworkRecord
  /** Endpoints now on a network. */
  endpoints(networkId: string): Endpoint[]
  /** Endpoints of a container, in the order of its interfaces: the one with the default route first. */
  endpointsOf(containerId: string): Endpoint[]
  /** Throws Docker's texts: INVALID_ARGUMENT for what is malformed, CONFLICT for a name in use, FORBIDDEN for a predefined one. */
  create(request: NetworkCreateRequest): Promise<NetworkRecord>
  /** Answers what was removed. Throws NOT_FOUND; FORBIDDEN for a predefined network or one with endpoints. */
  remove(ref: string): Promise<NetworkRecord>
  /** Removes the networks without endpoints that `matches` says yes to, predefined ones and templates never, and answers them. */
  prune(matches: (network: NetworkRecord) => boolean): Promise<NetworkRecord[]>
  /** Whether such an endpoint could be on the network. Throws INVALID_ARGUMENT with Docker's texts, NOT_FOUND. For containers that do not run. */
  validateEndpoint(ref: string, request: EndpointRequest): void
  /** Allocates addresses and ports, prepares the firewall, and gives the messages that build the interfaces. */
  attach(request: NetworkAttachRequest): Promise<NetworkAttachment>
  /** Puts a running container on one network more; default routes and published ports move when the new endpoint wins them. */
  connect(request: NetworkConnectRequest): Promise<EndpointChange>
  /** Takes it from one. Throws INTERNAL, as Docker, when it is not on it. */
  disconnect(request: NetworkDisconnectRequest): Promise<EndpointChange>
  /** The container has another name now; answers its endpoints. */
  rename(containerId: string, names: Pick<SandboxRequest, 'containerName' | 'hostname'>): Endpoint[]
  /** Gives addresses and ports back and removes firewall elements. Idempotent. The interfaces die with the namespace. */
  release(containerId: string): Promise<void>
  /**
   * Makes names be answered inside a container, if it is on a user-defined network; nothing else. After `runtime.create` and before the start of its
   * program, and again after `restore`, and after `connect`.
   */
  serveNames(request: Omit<NameServerRequest, 'ports'>): Promise<void>
  stopNames(containerId: string): Promise<void>
  close(): Promise<void>
}
