/**
 * Networks of containers: the default networks `bridge`, `host` and `none`, addresses, published ports, the firewall that goes with them, and the
 * name files a container gets.
 *
 * Lifecycle: `restore` once at start makes the kernel agree with what is recorded; `attach` before a container starts gives the plan that its
 * launcher carries out, and an endpoint to show; `release` after it ended. Nothing here creates or destroys a container's interfaces: messages in the
 * plan do the one, the death of the namespace the other. What was built works on while no daemon runs.
 *
 * Glossary
 * - endpoint: a container's place on one network: address, MAC, interface names, published ports.
 * - published port: a port of the host that leads to one of a container, by destination NAT. One element of an nftables map.
 * - host link: the host's end of a container's pair of interfaces, `veth1a2b3c4`; its index is the number in its name.
 * - reservation: a bound socket, held by the container's monitor, so that no program of the host takes a published port.
 *
 * ```ts
 * const networks = createNetworkService({ metadata, options, route, nftables, conntrack, sysctls, probe })
 * await networks.restore(new Set(runningContainerIds))
 * const { plan, endpoints } = await networks.attach({
 *   containerId, containerName: 'web', hostname: 'web', networks: { bridge: {} },
 *   ports: [{ containerPort: 80, protocol: 'tcp', hostIp: '', hostPort: '8080' }],
 * })
 * await runtime.create({ ...spec, network: plan })
 * await networks.release(containerId)
 * ```
 *
 * docs/networking.md draws the packets' ways; docs/generated/nftables.md is the table as the kernel shows it.
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
