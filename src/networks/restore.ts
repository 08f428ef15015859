import { MessageWriter, encodeDeleteLink } from '#kernel'
import { formatNano, nowNano } from '#lib'
import { type NetworksContext, publishedPorts } from './context.ts'
import { subnetsOf } from './create-network.ts'
import { type DefaultNetworkName, newDefaultNetwork, withBridgeOptions } from './default-networks.ts'
import { startBridgeDriver } from './drivers/bridge-driver.ts'
import { isOurBridge } from './drivers/bridge-interface.ts'
import { bridgeSettings } from './drivers/bridge-settings.ts'
import { decideDefaultBridge } from './drivers/default-bridge.ts'
import type { NetworkDriver } from './drivers/driver.ts'
import { createHostLinks, isOurLink } from './drivers/host-links.ts'
import { startParentDriver } from './drivers/parent-driver.ts'
import { createPlainDriver } from './drivers/plain-driver.ts'
import type { Endpoint, IpamConfig, NetworkRecord } from './types.ts'

const DEFAULT_NETWORKS: readonly DefaultNetworkName[] = ['bridge', 'host', 'none']

/** Makes the kernel agree with what is recorded; see `NetworkService.restore`. After a reboot of the machine that is everything. */
export async function restore(ctx: NetworksContext, alive: ReadonlySet<string>): Promise<void> {
  const { records, deps } = ctx
  for (const name of DEFAULT_NETWORKS) ensureRecord(ctx, name)
  const recorded = ctx.endpoints.recorded()
  const isAlive = ({ containerId }: Endpoint): boolean => alive.has(containerId)
  ctx.links = createHostLinks(deps.route.links())
  ctx.hasIPv6 = deps.sysctls.read('net/ipv6/conf/default/disable_ipv6') !== undefined
  ctx.drivers.clear()
  ctx.failures.clear()
  const bridge = records.get('bridge')
  const config = decideDefaultBridge({
    route: deps.route,
    options: deps.options,
    before: bridge.ipam.config,
    inUse: recorded.some((endpoint) => endpoint.networkId === bridge.id && isAlive(endpoint)),
    taken: subnetsOf(records.list().filter(({ id }) => id !== bridge.id)),
    hostId: bridge.id,
  })
  const wanted = withBridgeOptions(bridge, deps.options, config)
  ctx.drivers.set(bridge.id, startDriver(ctx, wanted, bridge.ipam.config))
  records.put(wanted)
  for (const record of records.list()) if (record.id !== bridge.id && record.configOnly !== true) startOrRemember(ctx, record)
  await removeStrayLinks(ctx, recorded)
  // Who has an address now counts more than who had it: comes later.
  for (const endpoint of recorded) if (!isAlive(endpoint)) ctx.drivers.get(endpoint.networkId)?.adopt(endpoint, false)
  ctx.endpoints.restore(alive)
  for (const endpoint of ctx.endpoints.all()) {
    ctx.drivers.get(endpoint.networkId)?.adopt(endpoint, true)
    for (const binding of endpoint.ports) ctx.ports.adopt(binding)
  }
  const networks = [...ctx.drivers.values()].flatMap(({ firewall }) => (firewall === undefined ? [] : [firewall]))
  ctx.firewall.rebuild(
    networks,
    ctx.endpoints.all().flatMap((endpoint) => publishedPorts(endpoint, ctx.drivers.get(endpoint.networkId))),
  )
}

/** Brings a recorded network into being. `former`: its configuration until now, whose addresses go. */
export function startDriver(ctx: NetworksContext, record: NetworkRecord, former: readonly IpamConfig[] = []): NetworkDriver {
  const { deps } = ctx
  if (record.driver === 'bridge') {
    const { options } = deps
    return startBridgeDriver(
      {
        route: deps.route,
        sysctls: deps.sysctls,
        links: { next: () => ctx.links.next() },
        firewall: options.firewall,
        allowDirectRouting: options.allowDirectRouting === true,
      },
      record,
      former,
    )
  }
  if (record.driver === 'macvlan' || record.driver === 'ipvlan') {
    return startParentDriver({ route: deps.route, others: () => ctx.records.list().filter(({ id }) => id !== record.id) }, record)
  }
  return createPlainDriver(record)
}

/** One network that cannot be made, for want of its parent say, is no reason to keep the daemon down: who wants to use it is told. */
function startOrRemember(ctx: NetworksContext, record: NetworkRecord): void {
  try {
    ctx.drivers.set(record.id, startDriver(ctx, record))
  } catch (error) {
    ctx.failures.set(record.id, (error as Error).message)
  }
}

function ensureRecord({ records }: NetworksContext, name: DefaultNetworkName): void {
  if (!records.list().some((record) => record.name === name)) records.put(newDefaultNetwork(name, formatNano(nowNano())))
}

/**
 * Deletes links on our bridges that belong to none of `known` (their namespace is kept alive by something we know nothing of), and bridges of ours
 * without a network (the daemon ended between making the one and recording the other).
 */
async function removeStrayLinks({ deps, records, drivers }: NetworksContext, known: readonly Endpoint[]): Promise<void> {
  const ends = new Set(known.map(({ hostInterface }) => hostInterface))
  const bridges = new Set([...drivers.values()].map(({ firewall }) => firewall?.bridge))
  const recorded = new Set(records.list().flatMap((record) => (record.driver === 'bridge' ? [bridgeSettings(record).bridge] : [])))
  const links = deps.route.links()
  const masters = new Set(links.filter(({ name }) => bridges.has(name)).map(({ index }) => index))
  const strays = links.filter(
    (link) => (isOurLink(link) && masters.has(link.master) && !ends.has(link.name)) || (isOurBridge(link) && !recorded.has(link.name)),
  )
  for (const { index } of strays) {
    const writer = new MessageWriter()
    encodeDeleteLink(writer, { index })
    await deps.route.sendInBackground(writer.finish()).catch((error: { code?: string }) => {
      if (error.code !== 'ENODEV') throw error // gone by itself meanwhile
    })
  }
}
