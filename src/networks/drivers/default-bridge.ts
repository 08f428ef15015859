import { invalidArgument } from '#errors'
import type { RouteNetlink } from '#kernel'
import { type SubnetPool, chooseSubnet, poolsOf } from '../ipam/choose-subnet.ts'
import {
  type Family,
  type IpAddress,
  type Subnet,
  contains,
  formatAddress,
  formatSubnet,
  overlap,
  parseAddress,
  parseCidr,
  subnetOf,
} from '../ipam/ip-address.ts'
import { DEFAULT_GATEWAY } from '../ipam/network-addresses.ts'
import type { IpamConfig, NetworkOptions } from '../types.ts'
import { bridgeAddress, hostSubnets } from './bridge-interface.ts'

/** Settings of one family of the default bridge. */
interface FamilySettings {
  family: Family
  /** `bip`, `bip6`. */
  cidr: string
  /** `fixed-cidr`, `fixed-cidr-v6`. */
  fixed: string
  fixedName: string
  gateway: string
}

type Base = { subnet: Subnet; address: IpAddress }

export interface DefaultBridgeContext {
  route: RouteNetlink
  options: NetworkOptions
  /** What it had until now. */
  before: readonly IpamConfig[]
  /** Containers live on it. */
  inUse: boolean
  /** Subnets of the other networks. */
  taken: readonly Subnet[]
  /** Something that stays with this host, see `poolsOf`. */
  hostId: string
}

/**
 * Decides the addresses of the default bridge, family by family, in this order: what the settings say (`--bip`); what it was before, unless a route of
 * the host took that since and no container is there to care; the first time, what an interface made by hand has; the first block of the pools that is
 * free. As Docker shows it: `gateway` is the bridge, another default route of the containers is an auxiliary address.
 */
export function decideDefaultBridge(context: DefaultBridgeContext): IpamConfig[] {
  const { options } = context
  const { bip, fixedCidr, defaultGateway } = options
  const ipv4 = decide(context, { family: 4, cidr: bip, fixed: fixedCidr, fixedName: 'fixed-cidr', gateway: defaultGateway })
  if (options.ipv6 !== true) return [ipv4]
  const { bip6 = '', fixedCidrV6 = '', defaultGatewayV6 = '' } = options
  // The range is the subnet when nothing else says what that is.
  const cidr = bip6 !== '' || fixedCidrV6 === '' ? bip6 : firstHostOf(fixedCidrV6)
  const ipv6 = decide(context, { family: 6, cidr, fixed: fixedCidrV6, fixedName: 'fixed-cidr-v6', gateway: defaultGatewayV6 })
  return [ipv4, ipv6]
}

function decide(context: DefaultBridgeContext, { family, cidr, fixed, fixedName, gateway }: FamilySettings): IpamConfig {
  const former = context.before.find(({ subnet }) => parseCidr(subnet).subnet.family === family)
  const earlier = former === undefined ? fromInterface(context, family) : fromRecord(context, former)
  const { subnet, address } = fromCidr(cidr) ?? earlier ?? fromPools(context, family)
  const text = formatSubnet(subnet)
  const range = fixed === '' ? undefined : parseCidr(fixed).subnet
  if (range !== undefined && !(overlap(subnet, range) && range.prefixLength >= subnet.prefixLength)) {
    throw invalidArgument(`${fixedName} ${fixed} is not in the bridge's subnet ${text}`)
  }
  const defaultGateway = gateway === '' ? address : parseAddress(gateway)
  if (!contains(subnet, defaultGateway)) throw invalidArgument(`default gateway ${gateway} is not in the bridge's subnet ${text}`)
  return {
    subnet: text,
    gateway: formatAddress(address),
    ...(range !== undefined && formatSubnet(range) !== text && { ipRange: formatSubnet(range) }),
    ...(defaultGateway.value !== address.value && { auxAddresses: { [DEFAULT_GATEWAY[family]]: formatAddress(defaultGateway) } }),
  }
}

function fromCidr(cidr: string): Base | undefined {
  if (cidr === '') return undefined
  const { subnet, address } = parseCidr(cidr)
  if (address.value === subnet.first) throw invalidArgument(`bip ${cidr} names the network, not an address of the bridge in it`)
  return { subnet, address }
}

function firstHostOf(cidr: string): string {
  const { subnet } = parseCidr(cidr)
  return `${formatAddress({ family: subnet.family, value: subnet.first + 1n })}/${subnet.prefixLength}`
}

function fromRecord({ route, options, inUse }: DefaultBridgeContext, ipam: IpamConfig): Base | undefined {
  const { subnet } = parseCidr(ipam.subnet)
  const collides = hostSubnets(route, options.bridge).some((other) => overlap(subnet, other))
  if (collides && !inUse) return undefined
  return { subnet, address: ipam.gateway === undefined ? firstAddress(subnet) : parseAddress(ipam.gateway) }
}

function fromInterface({ route, options }: DefaultBridgeContext, family: Family): Base | undefined {
  const existing = family === 4 ? bridgeAddress(route, options.bridge) : undefined
  return existing === undefined ? undefined : { address: existing.address, subnet: subnetOf(existing.address, existing.prefixLength) }
}

function fromPools({ route, options, taken, hostId }: DefaultBridgeContext, family: Family): Base {
  const pools: readonly SubnetPool[] = poolsOf(options.defaultAddressPools, hostId)
  const subnet = chooseSubnet(family, pools, [...taken, ...hostSubnets(route, options.bridge)])
  return { subnet, address: firstAddress(subnet) }
}

function firstAddress({ family, first }: Subnet): IpAddress {
  return { family, value: first + 1n }
}
