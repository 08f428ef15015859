/** An imaginary host for the tests of the network service. */

import { createFakeConntrack, createFakeNetworkNamespaces, createFakeNftables, createFakeRouteNetlink, createFakeSysctls } from '#kernel'
import { createMemoryMetadata, type Metadata } from '#metadata'
import { createNetworkService, type NetworkDeps } from '../network-service.ts'
import type { NetworkAttachRequest, NetworkCreateRequest, NetworkOptions, NetworkService } from '../types.ts'

export const OPTIONS: NetworkOptions = {
  firewall: true,
  ipForward: true,
  ipMasq: true,
  icc: true,
  bip: '',
  bridge: 'gantry0',
  fixedCidr: '',
  defaultGateway: '',
  mtu: 1500,
  defaultAddressPools: [],
  defaultBindAddress: '0.0.0.0',
}

export interface FakeHost extends Omit<NetworkDeps, 'options' | 'nameServer'> {
  metadata: Metadata
  route: ReturnType<typeof createFakeRouteNetlink>
  namespaces: ReturnType<typeof createFakeNetworkNamespaces>
  nftables: ReturnType<typeof createFakeNftables>
  conntrack: ReturnType<typeof createFakeConntrack>
  sysctls: ReturnType<typeof createFakeSysctls>
  /** Another daemon on the same host. */
  restart: (alive?: string[], changed?: Partial<NetworkOptions>) => Promise<NetworkService>
}

/** A service on an imaginary host; `restart` is another daemon on the same host. */
export function host(options: Partial<NetworkOptions> = {}, occupied: number[] = []): FakeHost {
  const metadata = createMemoryMetadata()
  const route = createFakeRouteNetlink()
  const namespaces = createFakeNetworkNamespaces()
  const nftables = createFakeNftables()
  const conntrack = createFakeConntrack()
  const sysctls = createFakeSysctls({ 'net/ipv4/ip_forward': '0', 'net/ipv4/ip_local_port_range': '32768 60999' })
  const deps = {
    metadata,
    route,
    namespaces,
    nftables,
    conntrack,
    sysctls,
    probe: ({ port }: { port: number }) => !occupied.includes(port),
  }
  const restart = async (alive: string[] = [], changed: Partial<NetworkOptions> = {}): Promise<NetworkService> => {
    const service = createNetworkService({ ...deps, options: { ...OPTIONS, ...options, ...changed } })
    await service.restore(new Set(alive))
    return service
  }
  return { ...deps, restart }
}

export function request(containerId: string, more: Partial<NetworkAttachRequest> = {}): NetworkAttachRequest {
  return { containerId, containerName: containerId, hostname: containerId, networks: { bridge: {} }, ports: [], ...more }
}

export const WEB: Pick<NetworkAttachRequest, 'ports'> = { ports: [{ containerPort: 80, protocol: 'tcp', hostIp: '', hostPort: '8080' }] }

export function create(name: string): NetworkCreateRequest {
  return {
    name,
    driver: '',
    scope: '',
    internal: false,
    attachable: false,
    ingress: false,
    configOnly: false,
    configFrom: '',
    ipam: { driver: '', options: {}, config: [] },
    options: {},
    labels: {},
  }
}

export function endpointRows(metadata: Metadata): unknown[] {
  return metadata.repository('endpoints').all()
}
