import { existsSync } from 'node:fs'
import { EngineError, forbidden, internal, invalidArgument } from '#errors'
import { MessageWriter, type RouteNetlink, encodeDeleteLink } from '#kernel'
import { configurationOf, defaultRoute, nextName, place, type PlacedEndpoint } from './attach.ts'
import type { NetworksContext } from './context.ts'
import { FIRST_LINK_INDEX, configureLink, deleteDefaultRoute, linkSysctls, setDefaultRoute } from './drivers/netns-plan.ts'
import { byGatewayOrder, gatewayEndpoints, type OrderedEndpoint } from './endpoint-order.ts'
import { checkEndpointRequest, interfaceNameOf } from './endpoint-request.ts'
import type { PublishedPort } from './firewall/firewall-elements.ts'
import { movePorts } from './publish.ts'
import type { Endpoint, EndpointChange, NetworkConnectRequest, NetworkDisconnectRequest } from './types.ts'

type Changed = EndpointChange & { published: PublishedPort[] }

/** Puts a running container on one network more; see `NetworkService.connect`. All in one go: requests cannot meet halfway. */
export function connect(ctx: NetworksContext, request: NetworkConnectRequest): Changed {
  const { containerId, containerName } = request
  const record = ctx.records.get(request.network)
  const existing = orderedEndpoints(ctx, containerId)
  if (record.driver === 'host' || existing.some(({ driver }) => driver.record.driver === 'host')) {
    throw invalidArgument('container cannot be disconnected from host network or connected to host network')
  }
  if (record.driver === 'null' || existing.some(({ driver }) => driver.record.driver === 'null')) {
    throw invalidArgument('container cannot be connected to multiple networks with one of the networks in private (none) mode')
  }
  if (existing.some(({ endpoint }) => endpoint.networkId === record.id)) {
    throw forbidden(`endpoint with name ${containerName} already exists in network ${record.name}`)
  }
  checkEndpointRequest(record, request.endpoint)
  using undo = new DisposableStack()
  const placed = place(ctx, request, record, request.endpoint, undo)
  const ordered = [...existing, placed].toSorted(byGatewayOrder)
  const before = gatewayEndpoints(existing)
  const after = gatewayEndpoints(ordered)
  enter(ctx, request.pid, (inside) => {
    buildLink(ctx, request, placed, inside, undo)
    moveRoutes(inside, before, after)
    undo.defer(() => enter(ctx, request.pid, (again) => moveRoutes(again, after, before)))
  })
  const moved = movePorts(ctx, request, before, after, undo)
  const endpoints = ordered.map(({ endpoint }) => moved.apply(endpoint))
  ctx.endpoints.set(containerId, endpoints)
  undo.move()
  return { network: record, endpoint: moved.apply(placed.endpoint), endpoints, published: moved.published }
}

/** Takes it from one; see `NetworkService.disconnect`. The promise is for the interface, which goes last. */
export function disconnect(ctx: NetworksContext, request: NetworkDisconnectRequest): { changed: Changed; gone: Promise<void> } {
  const { containerId, pid } = request
  const record = ctx.records.get(request.network)
  const existing = orderedEndpoints(ctx, containerId)
  const leaving = existing.find(({ endpoint }) => endpoint.networkId === record.id)
  if (leaving === undefined) throw internal(`container ${containerId} is not connected to network ${record.name}`)
  if (record.driver === 'host') throw invalidArgument('container cannot be disconnected from host network or connected to host network')
  const staying = existing.filter((candidate) => candidate !== leaving)
  const before = gatewayEndpoints(existing)
  const after = gatewayEndpoints(staying)
  using undo = new DisposableStack()
  const moved = movePorts(ctx, request, before, after, undo)
  let gone = Promise.resolve()
  if (pid !== undefined) {
    enter(ctx, pid, (inside) => {
      moveRoutes(inside, before, after)
      gone = removeLink(ctx, inside, leaving.endpoint)
    })
  }
  const endpoints = staying.map(({ endpoint }) => moved.apply(endpoint))
  ctx.endpoints.set(containerId, endpoints)
  leaving.driver.remove(leaving.endpoint)
  undo.move()
  return { changed: { network: record, endpoint: leaving.endpoint, endpoints, published: moved.published }, gone }
}

function orderedEndpoints(ctx: NetworksContext, containerId: string): OrderedEndpoint[] {
  return ctx.endpoints
    .endpointsOf(containerId)
    .flatMap((endpoint: Endpoint) => {
      const driver = ctx.drivers.get(endpoint.networkId)
      return driver === undefined ? [] : [{ endpoint, driver }]
    })
    .toSorted(byGatewayOrder)
}

/** The process by which the container's namespace was to be found has ended. */
export class ProcessEndedError extends EngineError {
  constructor(cause: unknown) {
    super('INTERNAL', 'the container ended meanwhile', { cause })
    this.name = 'ProcessEndedError'
  }
}

function enter(ctx: NetworksContext, pid: number, action: (inside: RouteNetlink) => void): void {
  const path = `/proc/${pid}/ns/net`
  try {
    ctx.deps.namespaces.run(path, action)
  } catch (error) {
    if (error instanceof EngineError) throw error
    const { code, message } = error as NodeJS.ErrnoException
    if ((code === 'ENOENT' || code === 'ESRCH') && !existsSync(path)) throw new ProcessEndedError(error)
    throw internal(`cannot change the network of the container: ${message}`, error)
  }
}

/**
 * The link comes up with `arp_notify` and `ndisc_notify` on, so that the kernel tells the neighbours who has the addresses now: they may know them from
 * another container, with another MAC.
 */
function buildLink(
  ctx: NetworksContext,
  { pid, ports }: NetworkConnectRequest,
  placed: PlacedEndpoint,
  inside: RouteNetlink,
  undo: DisposableStack,
): void {
  const { endpoint, driver, asked } = placed
  const { route, sysctls } = ctx.deps
  const links = inside.links()
  const index = Math.max(FIRST_LINK_INDEX - 1, ...links.map((link) => link.index)) + 1
  const name = interfaceNameOf(asked) ?? nextName(driver.interfacePrefix, new Set(links.map((link) => link.name)))
  endpoint.interfaceName = name
  for (const { bytes, pidOffsets } of driver.link(endpoint, { index, name, publishes: ports.length > 0 })) {
    for (const offset of pidOffsets) bytes.writeUInt32LE(pid, offset)
    route.send(bytes)
  }
  undo.defer(() => enter(ctx, pid, (again) => void removeLink(ctx, again, endpoint).catch(() => {}))) // dies with the namespace at the latest
  const configuration = configurationOf(ctx, placed, index)
  for (const setting of [`ipv4/conf/${name}/arp_notify`, `ipv6/conf/${name}/ndisc_notify`]) {
    if (sysctls.read(`net/${setting}`) !== undefined) sysctls.write(`net/${setting}`, '1')
  }
  const writer = new MessageWriter()
  configureLink(writer, configuration)
  inside.send(writer.finish())
  for (const { path, value } of linkSysctls(configuration)) sysctls.write(path, value)
}

/** Gives the default routes to those who have them now. */
function moveRoutes(inside: RouteNetlink, before: ReturnType<typeof gatewayEndpoints>, after: ReturnType<typeof gatewayEndpoints>): void {
  for (const family of [4, 6] as const) {
    const [old, now] = [before[family], after[family]]
    if (old?.endpoint.id === now?.endpoint.id) continue
    const writer = new MessageWriter()
    const link = inside.link({ name: (now ?? old)?.endpoint.interfaceName ?? '' })
    if (link === undefined) continue // somebody inside has taken it away
    if (now !== undefined) setDefaultRoute(writer, defaultRoute(now, family, link.index), true)
    else if (old !== undefined) deleteDefaultRoute(writer, defaultRoute(old, family, link.index))
    try {
      inside.send(writer.finish())
    } catch (error) {
      // A program inside with the right to do so may have its own routes.
      if ((error as { code?: string }).code !== 'ESRCH') throw error
    }
  }
}

/**
 * A pair is deleted by the host's end: a container that may rename its interfaces could hide the other one and stay on the network. A macvlan or ipvlan
 * has no other end.
 */
async function removeLink(ctx: NetworksContext, inside: RouteNetlink, { hostInterface, interfaceName }: Endpoint): Promise<void> {
  await (hostInterface === '' ? deleteLink(inside, interfaceName) : deleteLink(ctx.deps.route, hostInterface))
}

/** From one end, which takes the other along. Waits on the thread pool: the kernel takes 10 to 30 ms. */
async function deleteLink(inside: RouteNetlink, name: string): Promise<void> {
  const link = inside.link({ name })
  if (link === undefined) return
  const writer = new MessageWriter()
  encodeDeleteLink(writer, { index: link.index })
  await inside.sendInBackground(writer.finish()).catch((error: { code?: string }) => {
    if (error.code !== 'ENODEV') throw error
  })
}
