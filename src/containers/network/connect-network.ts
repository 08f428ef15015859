import { codeOf, EngineError, internal, invalidArgument, notFound } from '#errors'
import { ProcessEndedError, type Endpoint, type EndpointRequest, type NetworkRecord } from '#networks'
import type { Context } from '../context.ts'
import type { ContainerEntry, Run } from '../entry.ts'
import { publishNetworkEvent } from '../publish-event.ts'
import { isActive } from '../state.ts'
import type { Container } from '../types.ts'
import { networkOf } from '../verify-config.ts'
import { whenSettled } from '../when-settled.ts'
import { openResolver, sandboxRequest, settleNetworks, whenAddressIsFree } from './attach-network.ts'
import { addHosts, ownHosts, removeHosts } from './live-hosts.ts'
import { followResolver } from './name-files.ts'
import { isPredefined } from './predefined.ts'

const SHARED_NAMESPACE = 'container sharing network namespace with another container or host cannot be connected to any other network'
const NONE_AND_OTHERS = 'container cannot be connected to multiple networks with one of the networks in private (none) mode'

/**
 * `docker network connect`. A container that does not run is put on the network by its record alone, and on one that does not exist yet, too: as with
 * Docker it is looked for at the start. Source: moby daemon/container_operations.go, ConnectToNetwork.
 */
export async function connectNetwork(ctx: Context, ref: string, networkRef: string, endpoint: EndpointRequest): Promise<void> {
  const entry = ctx.store.find(ref)
  await changeNetworks(ctx, entry, () => connectEntry(ctx, entry, networkRef, endpoint))
}

/**
 * Runs `change` under the lock, and once more when it meets a process that has just ended: then the container is one that does not run. Throws for one that is
 * removed.
 */
async function changeNetworks(ctx: Context, entry: ContainerEntry, change: () => Promise<void>): Promise<void> {
  for (;;) {
    let run: Run | undefined
    try {
      using _lock = await entry.mutex.lock()
      refuseLeaving(entry)
      run = entry.run
      return await change()
    } catch (error) {
      if (!(error instanceof ProcessEndedError) || run === undefined) throw error
    }
    await whenSettled(ctx, entry, run)
  }
}

async function connectEntry(ctx: Context, entry: ContainerEntry, networkRef: string, endpoint: EndpointRequest): Promise<void> {
  const { record } = entry
  if (isActive(record.state)) {
    await connectRunning(ctx, entry, record.state.pid, ctx.deps.networks.get(networkRef), endpoint)
    return
  }
  const network = findNetwork(ctx, networkRef)
  if (network !== undefined) {
    ctx.deps.networks.validateEndpoint(network.id, endpoint)
    refuseMixed(ctx, record, network)
    // What it was put there with stays.
    if (Object.hasOwn(record.networks, network.name)) return
  }
  ctx.store.save(entry, { networks: { ...record.networks, [network?.name ?? networkRef]: endpoint } })
}

async function connectRunning(
  ctx: Context,
  entry: ContainerEntry,
  pid: number,
  network: NetworkRecord,
  endpoint: EndpointRequest,
): Promise<void> {
  const { record } = entry
  if (networkOf(record.hostConfig) === 'container') throw invalidArgument(SHARED_NAMESPACE)
  ctx.deps.networks.validateEndpoint(network.id, endpoint)
  refuseMixed(ctx, record, network)
  if (record.endpoints.some(({ networkId }) => networkId === network.id))
    throw new EngineError('FORBIDDEN', `endpoint with name ${record.name} already exists in network ${network.name}`)
  const change = await whenAddressIsFree(ctx, () =>
    ctx.deps.networks.connect({ ...sandboxRequest(record), network: network.id, endpoint, pid }),
  )
  const networks = { ...record.networks, [network.name]: { ...endpoint, networkId: network.id } }
  ctx.store.save(entry, { networks, endpoints: change.endpoints })
  addHosts(record.hostsPath, ownHosts(record, change.endpoint))
  await openResolver(ctx, record, pid)
  followResolver(ctx, record, record.endpoints, change.endpoints)
  publishNetworkEvent(ctx, record.id, network, 'connect')
}

/** `docker network disconnect`. Source: moby daemon/container_operations.go, DisconnectFromNetwork. */
export async function disconnectNetwork(ctx: Context, ref: string, networkRef: string, { force }: { force: boolean }): Promise<void> {
  const entry = forcedFind(ctx, ref, networkRef, force)
  await changeNetworks(ctx, entry, () => disconnectEntry(ctx, entry, networkRef, force))
}

async function disconnectEntry(ctx: Context, entry: ContainerEntry, networkRef: string, force: boolean): Promise<void> {
  const { record } = entry
  const network = findNetwork(ctx, networkRef)
  const name = network?.name ?? networkRef
  if (isActive(record.state) && (network !== undefined || !force)) {
    await disconnectRunning(ctx, entry, record.state.pid, network ?? ctx.deps.networks.get(networkRef))
    return
  }
  if (!Object.hasOwn(record.networks, name)) throw internal(`container ${record.id} is not connected to the network ${name}`)
  ctx.store.save(entry, { networks: without(record.networks, name) })
}

async function disconnectRunning(ctx: Context, entry: ContainerEntry, pid: number, network: NetworkRecord): Promise<void> {
  const { record } = entry
  if (networkOf(record.hostConfig) === 'host' && network.driver === 'host')
    throw invalidArgument('cannot disconnect container from host network - container was created in host network mode')
  if (!record.endpoints.some(({ networkId }) => networkId === network.id))
    throw internal(`container ${record.id} is not connected to network ${network.name}`)
  const change = await ctx.deps.networks.disconnect({ ...sandboxRequest(record), network: network.id, pid })
  ctx.store.save(entry, { networks: without(record.networks, network.name), endpoints: change.endpoints })
  removeHosts(record.hostsPath, ownHosts(record, change.endpoint))
  publishNetworkEvent(ctx, record.id, network, 'disconnect')
}

/**
 * A daemon may have ended between a change of a running container's interfaces and its row: the endpoints are what is. Networks that the container is
 * no more on are left out, others get the settings that their endpoints tell.
 */
export function networksOf(container: Container, endpoints: readonly Endpoint[]): Container['networks'] {
  const settled = settleNetworks(container, endpoints)
  const present = Object.entries(settled).filter(([, { networkId }]) => endpoints.some((endpoint) => endpoint.networkId === networkId))
  const networks = Object.fromEntries(present)
  for (const { networkName, networkId, aliases, links, gwPriority } of endpoints) {
    // `none` in place of no network at all is nothing the container was put on.
    if (networkName === 'none' && !Object.hasOwn(container.networks, 'none')) continue
    networks[networkName] ??= { networkId, aliases, links, ...(gwPriority !== undefined && { gwPriority }) }
  }
  return networks
}

/** Networks at create, by the names of those that exist. Throws INVALID_ARGUMENT with Docker's texts for what no endpoint could be. */
export function requestedNetworks(ctx: Context, requested: Record<string, EndpointRequest>): Container['networks'] {
  const networks: Container['networks'] = {}
  for (const [ref, endpoint] of Object.entries(requested)) {
    const network = findNetwork(ctx, ref)
    try {
      if (network !== undefined) ctx.deps.networks.validateEndpoint(network.id, endpoint)
    } catch (error) {
      if (!(error instanceof EngineError)) throw error
      throw invalidArgument(`invalid config for network ${ref}: ${error.message}`, error)
    }
    networks[network?.name ?? ref] = endpoint
  }
  return networks
}

/** undefined: there is none of that name, prefix or id. */
function findNetwork(ctx: Context, ref: string): NetworkRecord | undefined {
  try {
    return ctx.deps.networks.get(ref)
  } catch (error) {
    if (codeOf(error) === 'NOT_FOUND') return undefined
    throw error
  }
}

/** By force an endpoint may be taken off that has no container any more; here endpoints go with their containers. */
function forcedFind(ctx: Context, ref: string, networkRef: string, force: boolean): ContainerEntry {
  try {
    return ctx.store.find(ref)
  } catch (error) {
    if (!force || codeOf(error) !== 'NOT_FOUND') throw error
    ctx.deps.networks.get(networkRef)
    throw notFound(`endpoint ${ref} not found`, error)
  }
}

function refuseLeaving({ id, record, removed }: ContainerEntry): void {
  if (removed || record.state.status === 'removing' || record.state.status === 'dead')
    throw internal(`Container ${id} is marked for removal and cannot be connected or disconnected to the network`)
}

/** `host`, `none` and others' namespaces go with no other network. */
function refuseMixed(ctx: Context, { hostConfig, networks }: Container, network: NetworkRecord): void {
  if (networkOf(hostConfig) !== 'host' && network.driver === 'host')
    throw invalidArgument('cannot connect container to host network - container must be created in host network mode')
  for (const name of Object.keys(networks)) {
    const driver = isPredefined(name) ? name : findNetwork(ctx, name)?.driver
    if (driver === undefined || name === network.name) continue
    if (driver === 'host' || network.driver === 'host') throw invalidArgument(SHARED_NAMESPACE)
    if (name === 'none' || network.name === 'none') throw invalidArgument(NONE_AND_OTHERS)
  }
}

function without(networks: Container['networks'], name: string): Container['networks'] {
  return Object.fromEntries(Object.entries(networks).filter(([key]) => key !== name))
}
