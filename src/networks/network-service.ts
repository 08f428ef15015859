import type { Conntrack, NetworkNamespaces, Nftables, PortProbe, RouteNetlink, Sysctls } from '#kernel'
import type { Metadata } from '#metadata'
import { attach, release } from './attach.ts'
import { dnsNamesOf, type NetworksContext } from './context.ts'
import { isPredefined } from './create-network.ts'
import { createHostLinks } from './drivers/host-links.ts'
import { checkEndpointRequest } from './endpoint-request.ts'
import { createEndpointStore } from './endpoint-store.ts'
import { createFirewall } from './firewall/firewall.ts'
import { connect, disconnect } from './live-changes.ts'
import { createNetwork, pruneNetworks, removeNetwork } from './manage-networks.ts'
import { createNetworkRecords } from './network-records.ts'
import { createPortAllocator } from './ports/port-allocator.ts'
import { restore } from './restore.ts'
import type { Endpoint, NameDirectory, NameServer, NetworkOptions, NetworkRecord, NetworkService } from './types.ts'

export interface NetworkDeps {
  /** Uses the collections `networks` and `endpoints` (key: endpoint id). */
  metadata: Pick<Metadata, 'repository' | 'transaction'>
  options: NetworkOptions
  route: RouteNetlink
  namespaces: NetworkNamespaces
  nftables: Nftables
  conntrack: Conntrack
  sysctls: Sysctls
  probe: PortProbe
  /** Absent: containers get no resolver. */
  nameServer?: (directory: NameDirectory) => NameServer
}

/** Nothing happens before `restore`. Every change is made in one go, without await: requests cannot meet halfway. */
export function createNetworkService(deps: NetworkDeps): NetworkService {
  const { metadata, options } = deps
  const records = createNetworkRecords(metadata.repository<NetworkRecord>('networks'))
  const endpoints = createEndpointStore(metadata.repository<Endpoint>('endpoints'), (networkId) => records.get(networkId).internal)
  const nameServer = deps.nameServer?.(endpoints)
  const ctx: NetworksContext = {
    deps,
    records,
    endpoints,
    drivers: new Map(),
    failures: new Map(),
    ports: createPortAllocator(deps),
    firewall: createFirewall({
      ...deps,
      enabled: { 4: options.firewall, 6: options.firewall6 ?? options.firewall },
      ipForward: options.ipForward,
    }),
    links: createHostLinks([]),
    hasIPv6: false,
  }

  return {
    restore: (alive) => restore(ctx, alive),
    list: () => records.list(),
    get: (ref) => records.get(ref),
    endpoints: (networkId) => [...endpoints.endpointsOn(networkId)],
    endpointsOf: (containerId) => [...endpoints.endpointsOf(containerId)],
    create: async (request) => createNetwork(ctx, request),
    remove: (ref) => removeNetwork(ctx, ref),
    prune: (matches) => pruneNetworks(ctx, matches),
    validateEndpoint: (ref, request) => checkEndpointRequest(records.get(ref), request),
    async attach(request) {
      const { attachment, published } = attach(ctx, request)
      await ctx.firewall.forgetOldFlows(published)
      return attachment
    },
    async connect(request) {
      const { published, ...change } = connect(ctx, request)
      await ctx.firewall.forgetOldFlows(published)
      return change
    },
    async disconnect(request) {
      const {
        changed: { published, ...change },
        gone,
      } = disconnect(ctx, request)
      await Promise.all([gone, ctx.firewall.forgetOldFlows(published)])
      return change
    },
    rename(containerId, names) {
      const renamed = endpoints.endpointsOf(containerId).map((endpoint) => ({
        ...endpoint,
        dnsNames: dnsNamesOf(endpoint.networkName, { containerId, ...names }, endpoint.aliases),
      }))
      endpoints.set(containerId, renamed)
      return renamed
    },
    async release(containerId) {
      release(ctx, containerId)
      await nameServer?.stop(containerId)
    },
    async serveNames(request) {
      const served = endpoints.endpointsOf(request.containerId).find(({ networkName }) => !isPredefined(networkName))
      if (nameServer === undefined || served === undefined) return
      const resolver = await nameServer.serve({ ...request, ...(served.resolver !== undefined && { ports: served.resolver }) })
      // The container may have ended, or have got another endpoint, meanwhile.
      const now = endpoints.endpointsOf(request.containerId)
      endpoints.set(
        request.containerId,
        now.map((endpoint) => (isPredefined(endpoint.networkName) ? endpoint : { ...endpoint, resolver })),
      )
    },
    stopNames: async (containerId) => nameServer?.stop(containerId),
    // Interfaces, rules and namespaces outlive the daemon; the sockets belong to who passed them in.
    close: async () => nameServer?.close(),
  }
}
