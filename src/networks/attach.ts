import { EngineError, invalidArgument, notFound } from '#errors'
import { randomId } from '#lib'
import { dnsNamesOf, type NetworksContext, publishedPorts } from './context.ts'
import { type NamespaceRequest, FIRST_LINK_INDEX, newNamespace } from './drivers/netns-plan.ts'
import type { LinkConfiguration } from './drivers/driver.ts'
import { byGatewayOrder, gatewayEndpoints, type OrderedEndpoint } from './endpoint-order.ts'
import { checkEndpointRequest, interfaceNameOf, interfaceSysctls, linkLocalAddresses } from './endpoint-request.ts'
import type { PublishedPort } from './firewall/firewall-elements.ts'
import { parseAddress } from './ipam/ip-address.ts'
import { publishAll } from './publish.ts'
import type { EndpointRequest, NetworkAttachment, NetworkAttachRequest, NetworkRecord, SandboxRequest } from './types.ts'

/** An endpoint with what was asked for it. */
export interface PlacedEndpoint extends OrderedEndpoint {
  asked: EndpointRequest
}

/** Puts a container that is about to start on its networks; see `NetworkService.attach`. All in one go: requests cannot meet halfway. */
export function attach(ctx: NetworksContext, request: NetworkAttachRequest): { attachment: NetworkAttachment; published: PublishedPort[] } {
  const networks = Object.entries(request.networks).map(([ref, asked]) => ({ record: ctx.records.get(ref), asked }))
  checkCombination(request, networks)
  for (const { record, asked } of networks) checkEndpointRequest(record, asked)
  // A container that is started again may not have been released, if the daemon died in between.
  release(ctx, request.containerId)
  using undo = new DisposableStack()
  const ordered = networks.map(({ record, asked }) => place(ctx, request, record, asked, undo)).toSorted(byGatewayOrder)
  nameInterfaces(ordered)
  const published = publishAll(ctx, request, ordered, undo)
  const endpoints = ordered.map(({ endpoint }) => endpoint)
  ctx.endpoints.set(request.containerId, endpoints)
  const plan = ordered.some(({ driver }) => driver.record.driver === 'host')
    ? { mode: 'host' as const }
    : newNamespace(namespaceOf(ctx, ordered))
  undo.move()
  return { attachment: { plan, endpoints }, published }
}

/** Gives back all that a container has; see `NetworkService.release`. */
export function release(ctx: NetworksContext, containerId: string): void {
  const endpoints = ctx.endpoints.endpointsOf(containerId)
  const withdraw = endpoints.flatMap((endpoint) => publishedPorts(endpoint, ctx.drivers.get(endpoint.networkId)))
  ctx.endpoints.set(containerId, [])
  for (const endpoint of endpoints) {
    for (const binding of endpoint.ports) ctx.ports.release(binding)
    ctx.drivers.get(endpoint.networkId)?.remove(endpoint)
  }
  if (withdraw.length > 0) ctx.firewall.change({ withdraw })
}

/** Takes addresses on one network; given back by `undo`. The interface has no name yet. */
export function place(
  ctx: NetworksContext,
  request: SandboxRequest,
  record: NetworkRecord,
  asked: EndpointRequest,
  undo: DisposableStack,
): PlacedEndpoint {
  const driver = ctx.drivers.get(record.id)
  if (driver === undefined) {
    const failure = ctx.failures.get(record.id)
    if (failure === undefined) throw notFound(`network ${record.name} not found`) // on its way out
    throw new EngineError('UNAVAILABLE', `network ${record.name} is not available: ${failure}`)
  }
  const placement = driver.place(asked, request.disableIPv6 === true)
  undo.defer(() => driver.remove(placement))
  const { aliases = [], links = [], gwPriority = 0 } = asked
  const endpoint = {
    id: randomId(),
    networkId: record.id,
    networkName: record.name,
    containerId: request.containerId,
    interfaceName: '',
    ...placement,
    aliases,
    links,
    dnsNames: dnsNamesOf(record.name, request, aliases),
    ports: [],
    ...(gwPriority !== 0 && { gwPriority }),
  }
  return { endpoint, driver, asked }
}

/** Inside of one endpoint's link. */
export function configurationOf(ctx: NetworksContext, { endpoint, asked }: PlacedEndpoint, index: number): LinkConfiguration {
  const { interfaceName: name, ipv4Address, ipv4PrefixLength, ipv6Address, ipv6PrefixLength } = endpoint
  const own = [
    { text: ipv4Address, prefixLength: ipv4PrefixLength },
    { text: ipv6Address, prefixLength: ipv6PrefixLength },
  ]
  const addresses = own.filter(({ text }) => text !== '').map(({ text, prefixLength }) => ({ address: parseAddress(text), prefixLength }))
  const linkLocal = linkLocalAddresses(asked)
  const hasIPv6 = [...addresses, ...linkLocal].some(({ address }) => address.family === 6)
  return {
    index,
    name,
    addresses: [...addresses, ...linkLocal],
    disableIPv6: !hasIPv6 && ctx.hasIPv6,
    sysctls: interfaceSysctls(asked, name),
  }
}

function namespaceOf(ctx: NetworksContext, ordered: readonly PlacedEndpoint[]): NamespaceRequest {
  const linked = ordered.filter(({ driver }) => driver.interfacePrefix !== '')
  const gateways = gatewayEndpoints(linked)
  const bindings = linked.flatMap(({ endpoint }) => endpoint.ports)
  return {
    links: linked.map((placed, position) => {
      const { endpoint, driver } = placed
      const index = FIRST_LINK_INDEX + position
      const wanted = { index, name: endpoint.interfaceName, publishes: endpoint.ports.length > 0 }
      return { host: driver.link(endpoint, wanted), configuration: configurationOf(ctx, placed, index) }
    }),
    routes: ([4, 6] as const).flatMap((family) => {
      const placed = gateways[family]
      return placed === undefined ? [] : [defaultRoute(placed, family, FIRST_LINK_INDEX + linked.indexOf(placed))]
    }),
    reserve: bindings.filter(({ protocol }) => protocol !== 'sctp' || hasSctp(ctx)),
  }
}

/** Translation knows SCTP without the kernel having it; a socket to hold the port with cannot be had then, nor can anybody else have one. */
function hasSctp({ deps }: NetworksContext): boolean {
  return deps.sysctls.read('net/sctp/sack_timeout') !== undefined
}

export function defaultRoute({ endpoint }: OrderedEndpoint, family: 4 | 6, linkIndex: number): NamespaceRequest['routes'][number] {
  const gateway = family === 4 ? endpoint.ipv4Gateway : endpoint.ipv6Gateway
  return { family, linkIndex, ...(gateway !== '' && { gateway: parseAddress(gateway) }) }
}

/** `eth0`, `eth1` … in order, unless a name was asked for. */
function nameInterfaces(ordered: readonly PlacedEndpoint[]): void {
  const taken = new Set<string>()
  for (const { endpoint, driver, asked } of ordered) {
    if (driver.interfacePrefix === '') continue
    const name = interfaceNameOf(asked) ?? nextName(driver.interfacePrefix, taken)
    if (taken.has(name)) throw invalidArgument(`interface name ${name} is asked for twice`)
    taken.add(name)
    endpoint.interfaceName = name
  }
}

/** The number after the highest in use: a name that was free a moment ago may still be on its way out. */
export function nextName(prefix: string, taken: ReadonlySet<string>): string {
  const numbers = [...taken].filter((name) => name.startsWith(prefix)).map((name) => Number(name.slice(prefix.length)))
  return `${prefix}${Math.max(-1, ...numbers.filter(Number.isInteger)) + 1}`
}

/** Docker's texts: moby runconfig/errors.go. */
function checkCombination({ containerName }: NetworkAttachRequest, networks: readonly { record: NetworkRecord }[]): void {
  if (networks.length === 0) throw invalidArgument(`container ${containerName} has no network to attach to`)
  if (networks.length === 1) return
  const drivers = networks.map(({ record }) => record.driver)
  if (drivers.includes('host')) {
    throw invalidArgument('container sharing network namespace with another container or host cannot be connected to any other network')
  }
  if (drivers.includes('null')) {
    throw invalidArgument('container cannot be connected to multiple networks with one of the networks in private (none) mode')
  }
  if (new Set(networks.map(({ record }) => record.id)).size < networks.length) {
    throw invalidArgument(`container ${containerName} is to be attached to the same network twice`)
  }
}
