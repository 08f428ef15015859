import { conflict, EngineError, forbidden, invalidArgument, notFound, notImplemented } from '#errors'
import { bridgeSettings, needsGateway } from './drivers/bridge-settings.ts'
import { parentSettings } from './drivers/parent-settings.ts'
import { type SubnetPool, chooseSubnet } from './ipam/choose-subnet.ts'
import { type Family, type Subnet, formatSubnet, overlap, parseCidr } from './ipam/ip-address.ts'
import { chooseGateway } from './ipam/network-addresses.ts'
import { validateIpam } from './ipam/validate-ipam.ts'
import type { IpamConfig, NetworkCreateRequest, NetworkRecord } from './types.ts'

export interface CreateContext {
  /** All networks there are. */
  networks: readonly NetworkRecord[]
  /** Blocks that no network may take by itself: routes of the host. */
  hostSubnets: readonly Subnet[]
  pools: readonly SubnetPool[]
  /** Options of new networks by driver. */
  defaultOptions: Readonly<Record<string, Record<string, string>>>
  id: string
  created: string
}

const PREDEFINED: readonly string[] = ['bridge', 'host', 'none', 'default']
const DRIVERS: readonly string[] = ['bridge', 'macvlan', 'ipvlan']
const ENABLE: Record<Family, string> = { 4: 'com.docker.network.enable_ipv4', 6: 'com.docker.network.enable_ipv6' }

export function isPredefined(name: string): boolean {
  return PREDEFINED.includes(name)
}

/**
 * The record of a new network, with subnets and gateways decided; nothing is made yet. Throws Docker's texts. Source: moby daemon/network.go,
 * libnetwork/controller.go (NewNetwork) and network.go (ipamAllocate).
 */
export function planNetwork(request: NetworkCreateRequest, context: CreateContext): NetworkRecord {
  const { name } = request
  if (isPredefined(name)) throw forbidden(`operation is not permitted on predefined ${name} network `)
  if (name.trim() === '') throw invalidArgument('invalid name: name is empty')
  refuseSwarm(request)
  if (context.networks.some((network) => network.name === name)) throw conflict(`network with name ${name} already exists`)
  const asked = withDefaults(request, context)
  validateIpam(asked.ipam.config, asked.enableIPv6)
  refuseMixedConfiguration(request)
  if (request.configOnly) return { ...asked, driver: 'null' }
  const record = request.configFrom === '' ? asked : withConfiguration(asked, request.configFrom, context.networks)
  checkDriver(record)
  const config = [...familyConfigs(record, 4, context), ...familyConfigs(record, 6, context)]
  return { ...record, ipam: { ...record.ipam, config } }
}

function withDefaults(request: NetworkCreateRequest, context: CreateContext): NetworkRecord {
  const driver = request.driver === '' ? 'bridge' : request.driver
  const options = { ...(request.configFrom === '' ? context.defaultOptions[driver] : {}), ...request.options }
  const enabled = (family: Family, asked: boolean | undefined, otherwise: boolean): boolean => {
    const name = ENABLE[family]
    const text = options[name]
    if (asked !== undefined) delete options[name] // would look wrong beside what counts
    if (asked !== undefined || text === undefined) return asked ?? otherwise
    if (!['true', 'false', '1', '0'].includes(text.toLowerCase())) throw invalidArgument(`driver-opt "${name}" is not a valid bool`)
    return ['true', '1'].includes(text.toLowerCase())
  }
  return {
    id: context.id,
    name: request.name,
    driver,
    scope: 'local',
    internal: request.internal,
    attachable: request.attachable,
    enableIPv4: enabled(4, request.enableIPv4, true),
    enableIPv6: enabled(6, request.enableIPv6, false),
    ipam: { ...request.ipam, driver: request.ipam.driver === '' ? 'default' : request.ipam.driver },
    options,
    labels: request.labels,
    created: context.created,
    ...(request.configOnly && { configOnly: true }),
    ...(request.configFrom !== '' && { configFrom: request.configFrom }),
  }
}

function refuseSwarm({ driver, scope, ingress }: NetworkCreateRequest): void {
  if (driver === 'overlay' || scope === 'swarm') {
    const hint = 'Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.'
    throw forbidden(`This node is not a swarm manager. ${hint}`)
  }
  if (ingress) throw notImplemented('ingress networks are not supported: there is no swarm')
  if (scope !== '' && scope !== 'local') throw invalidArgument(`invalid network scope: ${scope}`)
}

function refuseMixedConfiguration(request: NetworkCreateRequest): void {
  const { configOnly, configFrom, internal, attachable, ingress, ipam, options, labels, enableIPv6 } = request
  if (configOnly && (internal || attachable || ingress)) {
    throw forbidden(
      'configuration network can only contain network specific fields. Network operator fields like [ ingress | internal | attachable | scope ] are not supported.',
    )
  }
  if (configFrom === '') return
  if (configOnly) throw forbidden('a configuration network cannot depend on another configuration network')
  const own = [ipam.config, Object.keys(ipam.options), Object.keys(options), Object.keys(labels)]
  if (enableIPv6 === true || own.some((given) => given.length > 0)) {
    throw forbidden('user specified configurations are not supported if the network depends on a configuration network')
  }
}

function withConfiguration(record: NetworkRecord, ref: string, networks: readonly NetworkRecord[]): NetworkRecord {
  const template = networks.find(({ name, id }) => name === ref || id === ref)
  if (template === undefined) throw notFound(`configuration network "${ref}" does not exist`)
  if (template.configOnly !== true) throw forbidden(`network "${ref}" is not a configuration network`)
  const { enableIPv4, enableIPv6, ipam, options, labels, name } = template
  return { ...record, enableIPv4, enableIPv6, ipam, options, labels: { ...labels, ...record.labels }, configFrom: name }
}

function checkDriver(record: NetworkRecord): void {
  const { driver, ipam, enableIPv4, enableIPv6 } = record
  if (driver === 'host' || driver === 'null') throw forbidden(`only one instance of "${driver}" network is allowed`)
  if (!DRIVERS.includes(driver))
    throw new EngineError('NOT_FOUND', `could not find plugin ${driver} in v1 plugin registry: plugin not found`)
  if (ipam.driver !== 'default')
    throw new EngineError('NOT_FOUND', `could not find plugin ${ipam.driver} in v1 plugin registry: plugin not found`)
  if (!enableIPv4 && !enableIPv6) throw invalidArgument('IPv4 or IPv6 must be enabled')
  if (driver === 'bridge') bridgeSettings(record)
  else parentSettings(record)
}

/** The subnets of one family, each with the network's own address in it; one from the pools when none was asked for. */
function familyConfigs(record: NetworkRecord, family: Family, context: CreateContext): IpamConfig[] {
  if (!(family === 4 ? record.enableIPv4 : record.enableIPv6)) return []
  const asked = record.ipam.config.filter(({ subnet }) => parseCidr(subnet).subnet.family === family)
  if (record.driver === 'bridge' && asked.length > 1) throw forbidden("bridge driver doesn't support multiple subnets")
  const inUse = subnetsOf(context.networks)
  for (const [index, { subnet }] of asked.entries()) {
    const block = parseCidr(subnet).subnet
    refuseSpecial(block)
    const siblings = asked.slice(0, index).map((sibling) => parseCidr(sibling.subnet).subnet)
    if ([...inUse, ...siblings].some((other) => overlap(block, other))) {
      throw forbidden('invalid pool request: Pool overlaps with other one on this address space')
    }
  }
  const automatic = (): IpamConfig[] => {
    const subnet = chooseSubnet(family, context.pools, [...inUse, ...context.hostSubnets])
    return [{ subnet: formatSubnet(subnet), automatic: true }]
  }
  return (asked.length > 0 ? asked : automatic()).map((config) => withGateway(record, family, config))
}

function withGateway(record: NetworkRecord, family: Family, config: IpamConfig): IpamConfig {
  if (config.gateway !== undefined && config.gateway !== '') return config
  const isWanted = record.driver === 'bridge' ? needsGateway(bridgeSettings(record), record.internal, family) : !isCutOff(record)
  return isWanted ? { ...config, gateway: chooseGateway(config) } : config
}

/** A macvlan or ipvlan network without parent has nowhere to go. */
function isCutOff(record: NetworkRecord): boolean {
  return record.internal || parentSettings(record).isDummy
}

function refuseSpecial(block: Subnet): void {
  if (block.family !== 6) return
  const text = formatSubnet(block)
  if (text.startsWith('ff')) throw invalidArgument(`multicast subnet '${text}' is not allowed`)
  const linkLocal = parseCidr('fe80::/64').subnet
  if (overlap(block, linkLocal) && text !== 'fe80::/64') {
    throw invalidArgument(`'${text}' clashes with the Link-Local prefix 'fe80::/64'`)
  }
}

/** Of the networks that are more than a template. */
export function subnetsOf(networks: readonly NetworkRecord[]): Subnet[] {
  return networks
    .filter(({ configOnly }) => configOnly !== true)
    .flatMap(({ ipam }) => ipam.config.map(({ subnet }) => parseCidr(subnet).subnet))
}
