import { EngineError, invalidArgument, notFound, notImplemented } from '#errors'
import type { Conntrack, NetnsPlan, Nftables, PortProbe, RouteNetlink, Sysctls } from '#kernel'
import { formatNano, nowNano, randomId } from '#lib'
import type { Metadata } from '#metadata'
import { type BridgeDriver, startBridgeDriver } from './drivers/bridge-driver.ts'
import { type DefaultNetworkName, newDefaultNetwork, withBridgeOptions } from './default-networks.ts'
import { checkEndpointRequest } from './endpoint-request.ts'
import type { PublishedPort } from './firewall/firewall-rules.ts'
import { createFirewall } from './firewall/firewall.ts'
import { loopbackNamespace } from './drivers/netns-plan.ts'
import { createPortAllocator } from './ports/port-allocator.ts'
import { byExactness, parsePortRequest } from './ports/port-request.ts'
import type {
  Endpoint,
  EndpointRequest,
  NameDirectory,
  NameServer,
  NetworkAttachRequest,
  NetworkOptions,
  NetworkRecord,
  NetworkService,
  PortBinding,
} from './types.ts'

export interface NetworkDeps {
  /** Uses the collections `networks` and `endpoints` (key: endpoint id). */
  metadata: Pick<Metadata, 'repository' | 'transaction'>
  options: NetworkOptions
  route: RouteNetlink
  nftables: Nftables
  conntrack: Conntrack
  sysctls: Sysctls
  probe: PortProbe
  /** Absent: containers get no resolver. */
  nameServer?: (directory: NameDirectory) => NameServer
}

const DEFAULT_NETWORKS: readonly DefaultNetworkName[] = ['bridge', 'host', 'none']

/** Nothing happens before `restore`. Every change is made in one go, without await: requests cannot meet halfway. */
export function createNetworkService(deps: NetworkDeps): NetworkService {
  const { metadata, options } = deps
  const records = metadata.repository<NetworkRecord>('networks')
  const stored = metadata.repository<Endpoint>('endpoints')
  const byContainer = new Map<string, Endpoint[]>()
  const ports = createPortAllocator(deps)
  const firewall = createFirewall({ ...deps, enabled: options.firewall, ipForward: options.ipForward })
  let bridge: BridgeDriver | undefined
  /** As stored: each start and each end of a container asks for them several times. */
  let known: readonly NetworkRecord[] | undefined

  function list(): NetworkRecord[] {
    known ??= records.all().map(({ value }) => value)
    return [...known]
  }

  function put(record: NetworkRecord): void {
    records.put(record.id, record)
    known = undefined
  }

  function get(ref: string): NetworkRecord {
    const all = list()
    const exact = all.find(({ id }) => id === ref) ?? all.find(({ name }) => name === ref)
    if (exact !== undefined) return exact
    const [found, ...more] = ref === '' ? [] : all.filter(({ id }) => id.startsWith(ref))
    if (found === undefined) throw notFound(`network ${ref} not found`)
    if (more.length > 0) throw invalidArgument(`network ${ref} is ambiguous (${more.length + 1} matches found based on ID prefix)`)
    return found
  }

  function allEndpoints(): Endpoint[] {
    return [...byContainer.values()].flat()
  }

  function ensureRecord(name: DefaultNetworkName): NetworkRecord {
    const existing = list().find((record) => record.name === name)
    if (existing !== undefined) return existing
    const record = newDefaultNetwork(name, formatNano(nowNano()))
    put(record)
    return record
  }

  function restore(alive: ReadonlySet<string>): void {
    for (const name of DEFAULT_NETWORKS) ensureRecord(name)
    const endpoints = stored.all().map(({ value }) => value)
    const isAlive = (endpoint: Endpoint): boolean => alive.has(endpoint.containerId)
    const onBridge = endpoints.filter((endpoint) => endpoint.hostInterface !== '')
    const record = get('bridge')
    bridge = startBridgeDriver(deps, record, {
      alive: onBridge.filter(isAlive),
      dead: onBridge.filter((endpoint) => !isAlive(endpoint)),
    })
    put(withBridgeOptions(record, options, bridge.ipam))
    byContainer.clear()
    for (const endpoint of endpoints) {
      if (!isAlive(endpoint)) {
        stored.delete(endpoint.id)
        continue
      }
      byContainer.set(endpoint.containerId, [...(byContainer.get(endpoint.containerId) ?? []), endpoint])
      for (const binding of endpoint.ports) ports.adopt(binding)
    }
    firewall.rebuild([bridge.firewallNetwork], allEndpoints().flatMap(publishedPorts))
  }

  /** An endpoint without interface of its own: the container is on the network in name. */
  function emptyEndpoint(request: NetworkAttachRequest, network: NetworkRecord, asked: EndpointRequest): Endpoint {
    return {
      id: randomId(),
      networkId: network.id,
      networkName: network.name,
      containerId: request.containerId,
      interfaceName: '',
      hostInterface: '',
      macAddress: '',
      ipv4Address: '',
      ipv4PrefixLength: 0,
      ipv4Gateway: '',
      ipv6Address: '',
      ipv6PrefixLength: 0,
      ipv6Gateway: '',
      aliases: asked.aliases ?? [],
      links: asked.links ?? [],
      dnsNames: [],
      ports: [],
    }
  }

  function attachToBridge(
    request: NetworkAttachRequest,
    network: NetworkRecord,
    asked: EndpointRequest,
  ): { plan: NetnsPlan; endpoint: Endpoint } {
    if (bridge === undefined) throw new EngineError('UNAVAILABLE', 'networks are not restored yet')
    const driver = bridge
    using undo = new DisposableStack()
    const placement = driver.place(asked.macAddress === '' ? undefined : asked.macAddress)
    undo.defer(() => driver.remove(placement))
    const endpoint: Endpoint = { ...emptyEndpoint(request, network, asked), ...placement }
    try {
      const wanted = request.ports.map((port) => parsePortRequest(port, options.defaultBindAddress)).toSorted(byExactness)
      for (const port of wanted) {
        const binding = ports.allocate(port)
        endpoint.ports.push(binding)
        undo.defer(() => ports.release(binding))
      }
      firewall.publish(publishedPorts(endpoint))
      undo.defer(() => firewall.withdraw(publishedPorts(endpoint)))
    } catch (error) {
      throw asConnectivityError(error, request.containerName, endpoint.id)
    }
    const plan = driver.plan(endpoint, endpoint.ports)
    remember(endpoint)
    undo.move()
    return { plan, endpoint }
  }

  function remember(endpoint: Endpoint): void {
    stored.put(endpoint.id, endpoint)
    byContainer.set(endpoint.containerId, [...(byContainer.get(endpoint.containerId) ?? []), endpoint])
  }

  function attach(request: NetworkAttachRequest): { plan: NetnsPlan; endpoints: Endpoint[] } {
    const [entry, ...more] = Object.entries(request.networks)
    if (entry === undefined) throw invalidArgument(`container ${request.containerName} has no network to attach to`)
    if (more.length > 0) throw notImplemented('attaching a container to more than one network is not supported yet')
    const network = get(entry[0])
    checkEndpointRequest(network, entry[1])
    // A container that is started again may not have been released, if the daemon died in between.
    release(request.containerId)
    if (network.driver === 'bridge') {
      const { plan, endpoint } = attachToBridge(request, network, entry[1])
      return { plan, endpoints: [endpoint] }
    }
    // Ports of a container on `host` or `none` are not published, as with Docker.
    const endpoint = emptyEndpoint(request, network, entry[1])
    remember(endpoint)
    return { plan: network.driver === 'host' ? { mode: 'host' } : loopbackNamespace(), endpoints: [endpoint] }
  }

  function release(containerId: string): void {
    for (const endpoint of byContainer.get(containerId) ?? []) {
      stored.delete(endpoint.id)
      for (const binding of endpoint.ports) ports.release(binding)
      if (endpoint.hostInterface !== '') bridge?.remove(endpoint)
      firewall.withdraw(publishedPorts(endpoint))
    }
    byContainer.delete(containerId)
  }

  const unfinished = async (): Promise<never> => {
    throw notImplemented('user-defined networks are not supported yet')
  }

  return {
    create: unfinished,
    remove: unfinished,
    prune: unfinished,
    connect: unfinished,
    disconnect: unfinished,
    validateEndpoint: (ref, request) => checkEndpointRequest(get(ref), request),
    endpointsOf: (containerId) => byContainer.get(containerId) ?? [],
    rename: (containerId) => byContainer.get(containerId) ?? [],
    serveNames: async () => {},
    stopNames: async () => {},
    restore: async (alive) => restore(alive),
    list,
    get,
    endpoints: (networkId) => allEndpoints().filter((endpoint) => endpoint.networkId === networkId),
    async attach(request) {
      const attachment = attach(request)
      await firewall.forgetOldFlows(attachment.endpoints.flatMap(publishedPorts))
      return attachment
    },
    release: async (containerId) => release(containerId),
    // Interfaces, rules and namespaces outlive the daemon; the sockets belong to who passed them in.
    close: async () => {},
  }
}

function publishedPorts(endpoint: Endpoint): PublishedPort[] {
  return endpoint.ports.map((binding: PortBinding) => ({ binding, containerAddress: endpoint.ipv4Address }))
}

/** Docker wraps whatever goes wrong with ports in this sentence; clients search for it. */
function asConnectivityError(error: unknown, containerName: string, endpointId: string): unknown {
  if (!(error instanceof Error)) return error
  const code = error instanceof EngineError ? error.code : 'INTERNAL'
  if (code === 'NOT_IMPLEMENTED' || code === 'INVALID_ARGUMENT') return error
  return new EngineError(
    code,
    `driver failed programming external connectivity on endpoint ${containerName} (${endpointId}): ${error.message}`,
    {
      cause: error,
    },
  )
}
