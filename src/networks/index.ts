/**
 * Networks of containers: the default networks `bridge`, `host` and `none` and those that users make, addresses of both families, published ports, the
 * firewall that goes with them, and the name files a container gets.
 *
 * Lifecycle: `restore` once at start makes the kernel agree with what is recorded. `create` and `remove` make and unmake networks. `attach` before a
 * container starts gives the plan that its launcher carries out, and endpoints to show; `connect` and `disconnect` change the networks of one that runs;
 * `release` after it ended. At a start nothing here creates or destroys a container's interfaces: messages in the plan do the one, the death of the
 * namespace the other. What was built works on while no daemon runs.
 *
 * Folders: `drivers/` bring networks into being and plan links; `ipam/` has addresses and pools; `ports/` host ports; `firewall/` the tables; `dns/` the
 * resolver of containers.
 *
 * Glossary
 * - endpoint: a container's place on one network: addresses, MAC, interface names, published ports.
 * - driver: one network in being, see `drivers/driver.ts`.
 * - gateway endpoint: the one of a container's endpoints that has its default route of a family, and with it the published ports.
 * - published port: a port of the host that leads to one of a container, by destination NAT. One element of an nftables map.
 * - host link: the host's end of a container's pair of interfaces, `veth1a2b3c4`; its index is the number in its name.
 * - reservation: a bound socket, held by the container's monitor, so that no program of the host takes a published port.
 *
 * ```ts
 * const networks = createNetworkService({ metadata, options, route, namespaces, nftables, conntrack, sysctls, probe, nameServer })
 * await networks.restore(new Set(runningContainerIds))
 * await networks.create({ name: 'app', driver: 'bridge', enableIPv6: true, ipam, … })
 * const { plan, endpoints } = await networks.attach({
 *   containerId, containerName: 'web', hostname: 'web', networks: { app: { aliases: ['www'] } },
 *   ports: [{ containerPort: 80, protocol: 'tcp', hostIp: '', hostPort: '8080' }],
 * })
 * await runtime.create({ ...spec, network: plan })
 * await networks.connect({ …, network: 'other', endpoint: {}, pid })
 * await networks.release(containerId)
 * ```
 *
 * docs/networking.md draws the packets' ways; docs/generated/nftables.md has the tables as the kernel shows them.
 */
export type {
  Endpoint,
  EndpointChange,
  EndpointRequest,
  IpamConfig,
  NameDirectory,
  NameServer,
  NameServerPorts,
  NameServerRequest,
  NetworkAttachment,
  NetworkAttachRequest,
  NetworkConnectRequest,
  NetworkCreateRequest,
  NetworkDisconnectRequest,
  NetworkOptions,
  NetworkRecord,
  NetworkService,
  PortBinding,
  PortProtocol,
  PortRequest,
  SandboxRequest,
} from './types.ts'
export { AddressLeavingError } from './ipam/address-pool.ts'
export { ProcessEndedError } from './live-changes.ts'
export { createNameServer, type NameServerDeps } from './dns/name-server.ts'
export { createNetworkService, type NetworkDeps } from './network-service.ts'
export { joinedNamespace } from './drivers/netns-plan.ts'
export { hostsFile, type HostsFileRequest } from './hosts-file.ts'
export {
  ETC_RESOLV_CONF,
  hostResolvConf,
  hostServers,
  RESOLVER_ADDRESS,
  resolvConf,
  SYSTEMD_RESOLV_CONF,
  type ResolvConfRequest,
} from './resolv-conf.ts'
