import { conflict, EngineError } from '#errors'
import type { NetworkAttachment, PortRequest } from '#networks'
import type { Context } from './context.ts'
import { isActive, isRestarting, notRunning } from './state.ts'
import type { Container } from './types.ts'
import { networkOf } from './verify-config.ts'

/** Network of a container about to start. `release` of the network service undoes it. */
export async function attachNetwork(ctx: Context, container: Container): Promise<NetworkAttachment> {
  const { config, hostConfig, id } = container
  if (networkOf(hostConfig) === 'container') return { plan: joinNetwork(ctx, container), endpoints: [] }
  try {
    return await ctx.deps.networks.attach({
      containerId: id,
      containerName: container.name,
      hostname: config.hostname,
      networks: config.networkDisabled ? { none: {} } : container.networks,
      ports: portRequests(container),
    })
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    throw new EngineError(error.code, `failed to set up container networking: ${error.message}`, { cause: error })
  }
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

/** `-p`, and with `-P` every exposed port that has no binding of its own, on a port the engine chooses. */
export function portRequests({ config, hostConfig }: Pick<Container, 'config' | 'hostConfig'>): PortRequest[] {
  if (networkOf(hostConfig) === 'host') return []
  if (!hostConfig.publishAllPorts) return hostConfig.portBindings
  const bound = new Set(hostConfig.portBindings.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`))
  const open = config.exposedPorts.flatMap(expand).filter((port) => !bound.has(`${port.containerPort}/${port.protocol}`))
  return [...hostConfig.portBindings, ...open]
}

/** `80/tcp`, `80`, `8000-8010/udp`. */
function expand(exposed: string): PortRequest[] {
  const [range = '', protocol = 'tcp'] = exposed.split('/')
  const [first = 0, last = first] = range.split('-').map(Number)
  const ports: PortRequest[] = []
  for (let port = first; port <= last; port++) {
    ports.push({ containerPort: port, protocol: protocol as PortRequest['protocol'], hostIp: '', hostPort: '' })
  }
  return ports
}
