import { EngineError, notImplemented } from '#errors'
import { type NetworksContext, publishedPorts } from './context.ts'
import { gatewayEndpoints, type OrderedEndpoint } from './endpoint-order.ts'
import type { PublishedPort } from './firewall/firewall-elements.ts'
import type { Family } from './ipam/ip-address.ts'
import { isUnreachable, type PublishSide, type PublishSides, wantedPorts } from './ports/port-request.ts'
import type { Endpoint, PortBinding, SandboxRequest } from './types.ts'

const FAMILIES: readonly Family[] = [4, 6]

type Gateways = Partial<Record<Family, OrderedEndpoint>>

/**
 * Publishes for a container that is about to start: its endpoints get the ports of the families whose default route they have. Undone by `undo`. Throws
 * Docker's texts.
 */
export function publishAll(
  ctx: NetworksContext,
  request: SandboxRequest,
  ordered: readonly OrderedEndpoint[],
  undo: DisposableStack,
): PublishedPort[] {
  const gateways = gatewayEndpoints(ordered)
  const sides = sidesOf(ctx, gateways, FAMILIES)
  for (const port of request.ports) {
    if (ordered.some(({ driver }) => Object.keys(driver.sides).length > 0) && isUnreachable(port, sides)) {
      throw notImplemented(`publishing a port on ${port.hostIp} is not supported for a container without an address of that family`)
    }
  }
  return failingAsConnectivity(request, gateways, () => {
    for (const binding of allocate(ctx, request, sides, undo)) gateways[familyOf(binding)]?.endpoint.ports.push(binding)
    const published = ordered.flatMap(({ endpoint, driver }) => publishedPorts(endpoint, driver))
    if (published.length > 0) ctx.firewall.change({ publish: published })
    undo.defer(() => ctx.firewall.change({ withdraw: published }))
    return published
  })
}

/** What became of the ports of a container whose default routes moved. */
export interface MovedPorts {
  /** Published anew. */
  published: PublishedPort[]
  /** The endpoint with the ports it has now; itself when they are the same. */
  apply(endpoint: Endpoint): Endpoint
}

/**
 * Lets ports follow when other endpoints have the default routes now. A family that went from one network to another like it keeps its host ports, so
 * that nobody outside notices; the sockets that hold them are the monitor's and stay. Ports that come new are held by nobody: another program could
 * bind them, but would see no packet.
 */
export function movePorts(
  ctx: NetworksContext,
  request: SandboxRequest,
  before: Gateways,
  after: Gateways,
  undo: DisposableStack,
): MovedPorts {
  const moved = FAMILIES.filter((family) => before[family]?.endpoint.id !== after[family]?.endpoint.id)
  const kept = moved.filter((family) => isAlike(before[family]?.driver.sides[family], after[family]?.driver.sides[family]))
  const ports = new Map<string, PortBinding[]>()
  const list = (endpoint: Endpoint): PortBinding[] => ports.get(endpoint.id) ?? endpoint.ports
  return failingAsConnectivity(request, after, () => {
    const fresh = allocate(
      ctx,
      request,
      sidesOf(
        ctx,
        after,
        moved.filter((family) => !kept.includes(family)),
      ),
      undo,
    )
    const withdraw: PublishedPort[] = []
    const publish: PublishedPort[] = []
    for (const family of moved) {
      const ofFamily = (binding: PortBinding): boolean => familyOf(binding) === family
      const [from, to] = [before[family], after[family]]
      const old = from?.endpoint.ports.filter(ofFamily) ?? []
      const now = to === undefined ? [] : kept.includes(family) ? old : fresh.filter(ofFamily)
      if (from !== undefined) {
        withdraw.push(...publishedPorts({ ...from.endpoint, ports: old }, from.driver))
        ports.set(
          from.endpoint.id,
          list(from.endpoint).filter((binding) => !ofFamily(binding)),
        )
      }
      if (to === undefined) continue
      publish.push(...publishedPorts({ ...to.endpoint, ports: now }, to.driver))
      ports.set(to.endpoint.id, [...list(to.endpoint), ...now])
    }
    if (publish.length + withdraw.length > 0) {
      ctx.firewall.change({ publish, withdraw })
      undo.defer(() => ctx.firewall.change({ publish: withdraw, withdraw: publish }))
    }
    for (const { binding } of withdraw) if (!kept.includes(familyOf(binding))) ctx.ports.release(binding)
    return { published: publish, apply: (endpoint) => (ports.has(endpoint.id) ? { ...endpoint, ports: list(endpoint) } : endpoint) }
  })
}

/** Both publish, and in the same way. */
function isAlike(from: PublishSide | undefined, to: PublishSide | undefined): boolean {
  return from !== undefined && to !== undefined && from.routed === to.routed && from.defaultIp === to.defaultIp
}

function allocate(ctx: NetworksContext, request: SandboxRequest, sides: PublishSides, undo: DisposableStack): PortBinding[] {
  return wantedPorts(request.ports, sides).flatMap((wanted) => {
    const bindings = ctx.ports.allocate(wanted)
    undo.defer(() => bindings.forEach((binding) => ctx.ports.release(binding)))
    return bindings
  })
}

/** A host without IPv6 has nothing to bind to. */
function sidesOf({ hasIPv6 }: NetworksContext, gateways: Gateways, families: readonly Family[]): PublishSides {
  const sides: PublishSides = {}
  for (const family of families) {
    const side = gateways[family]?.driver.sides[family]
    if (side !== undefined && (family === 4 || hasIPv6)) sides[family] = side
  }
  return sides
}

function familyOf({ hostIp }: PortBinding): Family {
  return hostIp.includes(':') ? 6 : 4
}

/** Docker wraps whatever goes wrong with ports in this sentence; clients search for it. */
function failingAsConnectivity<T>({ containerName }: SandboxRequest, gateways: Gateways, action: () => T): T {
  try {
    return action()
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const code = error instanceof EngineError ? error.code : 'INTERNAL'
    if (code === 'NOT_IMPLEMENTED' || code === 'INVALID_ARGUMENT') throw error
    const id = (gateways[4] ?? gateways[6])?.endpoint.id ?? ''
    const what = `driver failed programming external connectivity on endpoint ${containerName} (${id}): ${error.message}`
    throw new EngineError(code, what, { cause: error })
  }
}
