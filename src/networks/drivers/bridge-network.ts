import { invalidArgument } from '#errors'
import type { RouteNetlink } from '#kernel'
import { bridgeAddress, hostSubnets } from './bridge-interface.ts'
import { DEFAULT_ADDRESS_POOLS, chooseSubnet } from '../ipam/choose-subnet.ts'
import { type Subnet, contains, formatIpv4, formatSubnet, overlap, parseCidr, parseIpv4 } from '../ipam/ip-address.ts'
import type { IpamConfig, NetworkOptions } from '../types.ts'

/** Addresses of the default bridge network, decided. */
export interface BridgeAddressing {
  subnet: Subnet
  /** Of the bridge itself. */
  address: number
  /** Default route of the containers. */
  gateway: number
  /** Part of the subnet containers get addresses from. */
  range?: Subnet
}

/**
 * Decides in this order: what the settings say (`--bip`); what it was before, unless a route of the host took that since and no container is there to
 * care; the first time, what an interface made by hand has; the first block of the pools that is free.
 */
export function decideAddressing(
  route: RouteNetlink,
  options: NetworkOptions,
  before: { ipam: IpamConfig | undefined; inUse: boolean },
): BridgeAddressing {
  const earlier = before.ipam === undefined ? fromInterface(route, options) : fromRecord(route, options, before.ipam, before.inUse)
  const base = fromCidr(options.bip) ?? earlier ?? fromPools(route, options)
  const range = options.fixedCidr === '' ? undefined : parseCidr(options.fixedCidr).subnet
  if (range !== undefined && !(contains(base.subnet, range.address) && range.prefixLength >= base.subnet.prefixLength)) {
    throw invalidArgument(`fixed-cidr ${options.fixedCidr} is not in the bridge's subnet ${formatSubnet(base.subnet)}`)
  }
  const gateway = options.defaultGateway === '' ? base.address : parseIpv4(options.defaultGateway)
  if (!contains(base.subnet, gateway))
    throw invalidArgument(`default gateway ${options.defaultGateway} is not in the bridge's subnet ${formatSubnet(base.subnet)}`)
  return { ...base, gateway, ...(range !== undefined && { range }) }
}

/** As Docker shows it: `gateway` is the bridge, another default route of the containers is an auxiliary address. */
export function ipamOf({ subnet, address, gateway, range }: BridgeAddressing): IpamConfig {
  return {
    subnet: formatSubnet(subnet),
    gateway: formatIpv4(address),
    ...(range !== undefined && { ipRange: formatSubnet(range) }),
    ...(gateway !== address && { auxAddresses: { DefaultGatewayIPv4: formatIpv4(gateway) } }),
  }
}

type Base = Pick<BridgeAddressing, 'subnet' | 'address'>

function fromCidr(bip: string): Base | undefined {
  if (bip === '') return undefined
  const { subnet, address } = parseCidr(bip)
  if (address === subnet.address) throw invalidArgument(`bip ${bip} names the network, not an address of the bridge in it`)
  return { subnet, address }
}

function fromRecord(route: RouteNetlink, options: NetworkOptions, ipam: IpamConfig, inUse: boolean): Base | undefined {
  const { subnet } = parseCidr(ipam.subnet)
  const collides = hostSubnets(route, options.bridge).some((other) => overlap(subnet, other))
  if (collides && !inUse) return undefined
  return { subnet, address: ipam.gateway === undefined ? subnet.address + 1 : parseIpv4(ipam.gateway) }
}

function fromInterface(route: RouteNetlink, options: NetworkOptions): Base | undefined {
  const existing = bridgeAddress(route, options.bridge)
  if (existing === undefined) return undefined
  return { address: existing.address, subnet: parseCidr(`${formatIpv4(existing.address)}/${existing.prefixLength}`).subnet }
}

function fromPools(route: RouteNetlink, options: NetworkOptions): Base {
  const pools = options.defaultAddressPools.length > 0 ? options.defaultAddressPools : DEFAULT_ADDRESS_POOLS
  const subnet = chooseSubnet(pools, hostSubnets(route, options.bridge))
  return { subnet, address: subnet.address + 1 }
}
