import { conflict, EngineError, invalidArgument } from '#errors'
import { AddressLeavingError, type Endpoint, type NetworkAttachment, type PortRequest, type SandboxRequest } from '#networks'
import type { Context } from '../context.ts'
import { isActive, isRestarting, notRunning } from '../state.ts'
import type { Container, ContainerNetwork } from '../types.ts'
import { networkOf } from '../verify-config.ts'
import { isPredefined } from './predefined.ts'

/** Networks of a container about to start. `release` of the network service undoes it. */
export async function attachNetwork(ctx: Context, container: Container): Promise<NetworkAttachment> {
  const { config, hostConfig, networks } = container
  if (networkOf(hostConfig) === 'container') return { plan: joinNetwork(ctx, container), endpoints: [] }
  const asked = Object.entries(networks).map(([name, { networkId = name, ...request }]) => {
    return [isPredefined(name) ? name : networkId, request] as const
  })
  // A container that was taken from its last network has a loopback and nothing else.
  const isAlone = config.networkDisabled || asked.length === 0
  try {
    return await whenAddressIsFree(ctx, () =>
      ctx.deps.networks.attach({ ...sandboxRequest(container), networks: isAlone ? { none: {} } : Object.fromEntries(asked) }),
    )
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    throw new EngineError(error.code, `failed to set up container networking: ${error.message}`, { cause: error })
  }
}

/** Milliseconds that the kernel gets to end a namespace, and between two looks at it. */
const LEAVE_TIME = 2000
const LOOK_INTERVAL = 10

/** A container with a fixed address that is started right after its end meets its own last interface, which takes the kernel a moment to remove. */
export async function whenAddressIsFree<T>(ctx: Context, take: () => Promise<T>): Promise<T> {
  for (let waited = 0; ; waited += LOOK_INTERVAL) {
    try {
      return await take()
    } catch (error) {
      if (!(error instanceof AddressLeavingError) || waited >= LEAVE_TIME) throw error
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    using _timer = ctx.deps.clock.after(LOOK_INTERVAL, resolve)
    await promise
  }
}

/** What the network service has to know of a container, whichever of its networks it is about. */
export function sandboxRequest(container: Container): SandboxRequest {
  const { sysctls } = container.hostConfig
  const disableIPv6 = ['all', 'lo'].some((device) => sysctls[`net.ipv6.conf.${device}.disable_ipv6`] === '1')
  return {
    containerId: container.id,
    containerName: container.name,
    hostname: container.config.hostname,
    ports: portRequests(container),
    ...(disableIPv6 && { disableIPv6 }),
  }
}

/** The container's networks by name, each with the id that its name meant when the container was put on it. */
export function settleNetworks(container: Pick<Container, 'networks'>, endpoints: readonly Endpoint[]): Container['networks'] {
  const settled: Record<string, ContainerNetwork> = {}
  for (const [name, network] of Object.entries(container.networks)) {
    const known = network.networkId ?? name
    const endpoint = endpoints.find(({ networkId, networkName }) => networkId === known || networkName === known)
    if (endpoint === undefined) settled[name] = network
    else settled[endpoint.networkName] = { ...network, networkId: endpoint.networkId }
  }
  return settled
}

/** Makes the names of its networks be answered in a container, between the creation of its process and the start of its program. */
export async function openResolver(ctx: Context, { id, hostConfig }: Container, pid: number): Promise<void> {
  if (networkOf(hostConfig) === 'container') return
  const servers = hostConfig.dns.length > 0 ? hostConfig.dns : ctx.deps.defaults().dns
  await ctx.deps.networks.serveNames({ containerId: id, pid, servers })
}

/** Docker's texts: moby daemon/container_operations.go, getNetworkedContainer. */
function joinNetwork(ctx: Context, container: Container): NetworkAttachment['plan'] {
  const ref = container.hostConfig.networkMode.slice('container:'.length)
  const peer = ctx.store.find(ref)
  if (peer.id === container.id) throw conflict('cannot join own network namespace')
  const { state } = peer.record
  if (state.status === 'restarting') throw isRestarting(ref)
  if (!isActive(state))
    throw conflict(`cannot join network namespace of a non running container: ${notRunning(`/${peer.record.name}`).message}`)
  return { mode: 'join', path: `/proc/${state.pid}/ns/net` }
}

const MAX_PORT = 65_535

/** `-p`, and with `-P` every exposed port that has no binding of its own, on a port the engine chooses. */
export function portRequests({ config, hostConfig }: Pick<Container, 'config' | 'hostConfig'>): PortRequest[] {
  if (networkOf(hostConfig) === 'host') return []
  if (!hostConfig.publishAllPorts) return hostConfig.portBindings
  const bound = new Set(hostConfig.portBindings.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`))
  const open = config.exposedPorts.flatMap(expand).filter((port) => !bound.has(`${port.containerPort}/${port.protocol}`))
  return [...hostConfig.portBindings, ...open]
}

/** `80/tcp`, `80`, `8000-8010/udp`. Attack: an image may expose `1-999999999999`. */
function expand(exposed: string): PortRequest[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(exposed)
  const first = Number(match?.[1])
  const last = Number(match?.[2] ?? match?.[1])
  if (match === null || last < first || last > MAX_PORT) throw invalidArgument(`invalid port specification: ${JSON.stringify(exposed)}`)
  const protocol = (match[3] ?? 'tcp').toLowerCase() as PortRequest['protocol']
  return Array.from({ length: last - first + 1 }, (_, index) => ({ containerPort: first + index, protocol, hostIp: '', hostPort: '' }))
}
