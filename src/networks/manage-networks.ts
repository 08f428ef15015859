import { EngineError, forbidden, notFound } from '#errors'
import { formatNano, nowNano, randomId } from '#lib'
import type { NetworksContext } from './context.ts'
import { isPredefined, planNetwork } from './create-network.ts'
import { hostSubnets } from './drivers/bridge-interface.ts'
import { bridgeSettings } from './drivers/bridge-settings.ts'
import { poolsOf } from './ipam/choose-subnet.ts'
import { startDriver } from './restore.ts'
import type { NetworkCreateRequest, NetworkRecord } from './types.ts'

/** See `NetworkService.create`. All in one go: two requests cannot take the same name or subnet. */
export function createNetwork(ctx: NetworksContext, request: NetworkCreateRequest): NetworkRecord {
  const { deps, records } = ctx
  const networks = records.list()
  const record = planNetwork(request, {
    networks,
    hostSubnets: hostSubnets(deps.route),
    pools: poolsOf(deps.options.defaultAddressPools, records.get('bridge').id),
    defaultOptions: deps.options.defaultNetworkOptions ?? {},
    id: randomId(),
    created: formatNano(nowNano()),
  })
  if (record.configOnly === true) {
    records.put(record)
    return record
  }
  refuseSameBridge(record, networks)
  using undo = new DisposableStack()
  const driver = startDriver(ctx, record)
  undo.defer(() => void driver.delete().catch(() => {})) // the next start of the daemon looks for strays
  if (driver.firewall !== undefined) ctx.firewall.addNetwork(driver.firewall)
  ctx.drivers.set(record.id, driver)
  records.put(driver.record)
  undo.move()
  return driver.record
}

/** See `NetworkService.remove`. */
export async function removeNetwork(ctx: NetworksContext, ref: string): Promise<NetworkRecord> {
  const record = ctx.records.get(ref)
  const { id, name } = record
  if (isPredefined(name)) throw forbidden(`${name} is a pre-defined network and cannot be removed`)
  if (record.configOnly === true && isTemplate(ctx, record)) {
    throw forbidden(`error while removing network: configuration network "${name}" is in use`)
  }
  const active = ctx.endpoints.endpointsOn(id)
  if (active.length > 0) {
    const list = active.map((endpoint) => `name:"${endpoint.dnsNames[0] ?? ''}" id:"${endpoint.id.slice(0, 12)}"`).join(', ')
    throw forbidden(`error while removing network: network ${name} has active endpoints (${list})`)
  }
  const driver = ctx.drivers.get(id)
  if (driver === undefined && !ctx.failures.has(id) && record.configOnly !== true) throw notFound(`network ${ref} not found`) // on its way out
  ctx.drivers.delete(id) // from here on nobody can be put on it
  try {
    await driver?.delete()
  } catch (error) {
    if (driver !== undefined) ctx.drivers.set(id, driver)
    throw error
  }
  if (driver?.firewall !== undefined) ctx.firewall.removeNetwork(driver.firewall)
  ctx.records.delete(id)
  ctx.failures.delete(id)
  return record
}

/** See `NetworkService.prune`. */
export async function pruneNetworks(ctx: NetworksContext, matches: (network: NetworkRecord) => boolean): Promise<NetworkRecord[]> {
  const removed: NetworkRecord[] = []
  for (const record of ctx.records.list()) {
    if (isPredefined(record.name) || record.configOnly === true || ctx.endpoints.endpointsOn(record.id).length > 0 || !matches(record))
      continue
    try {
      removed.push(await removeNetwork(ctx, record.id))
    } catch (error) {
      // A container came, or somebody else removed it, while another one was being removed.
      if (!(error instanceof EngineError) || !['FORBIDDEN', 'NOT_FOUND'].includes(error.code)) throw error
    }
  }
  return removed
}

function isTemplate({ records }: NetworksContext, { name }: NetworkRecord): boolean {
  return records.list().some(({ configFrom }) => configFrom === name)
}

function refuseSameBridge(record: NetworkRecord, networks: readonly NetworkRecord[]): void {
  if (record.driver !== 'bridge') return
  const { bridge } = bridgeSettings(record)
  const other = networks.find((network) => network.driver === 'bridge' && bridgeSettings(network).bridge === bridge)
  if (other === undefined) return
  throw forbidden(
    `cannot create network ${record.id} (${bridge}): conflicts with network ${other.id} (${bridge}): networks have same bridge name`,
  )
}
