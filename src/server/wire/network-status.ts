/** Use of a network's subnets, `Status` of inspect since 1.52. Source: moby daemon/libnetwork/ipams/defaultipam, `address_space.go`. */

import { isIPv6 } from 'node:net'
import type { NetworkInspect } from '#api'
import type { Endpoint, IpamConfig, NetworkRecord } from '#networks'

/** Clients read the numbers into 64 bits without sign; more addresses than that are that many. */
const MOST = 2n ** 64n - 1n

interface Range {
  first: bigint
  last: bigint
}

export function encodeNetworkStatus(network: NetworkRecord, endpoints: readonly Endpoint[]): NonNullable<NetworkInspect['Status']> {
  const subnets = network.ipam.config.map((pool) => [pool.subnet, subnetStatus(pool, endpoints)] as const)
  return { IPAM: { Subnets: Object.fromEntries(subnets) } }
}

function subnetStatus(pool: IpamConfig, endpoints: readonly Endpoint[]): { IPsInUse: number; DynamicIPsAvailable: number } {
  const subnet = rangeOf(pool.subnet)
  const range = pool.ipRange ? rangeOf(pool.ipRange) : subnet
  const inUse = usedAddresses(pool, subnet, endpoints)
  const inRange = inUse.filter((address) => address >= range.first && address <= range.last)
  return { IPsInUse: number(BigInt(inUse.length)), DynamicIPsAvailable: number(range.last - range.first + 1n - BigInt(inRange.length)) }
}

/** Those of containers, gateway and auxiliary ones, and what nobody can have: the first, and the last of an IPv4 subnet. */
function usedAddresses(pool: IpamConfig, subnet: Range, endpoints: readonly Endpoint[]): bigint[] {
  const isVersion6 = isIPv6(pool.subnet.split('/')[0] ?? '')
  const given = [
    pool.gateway ?? '',
    ...Object.values(pool.auxAddresses ?? {}),
    ...endpoints.map(({ ipv4Address, ipv6Address }) => (isVersion6 ? ipv6Address : ipv4Address)),
  ]
  const used = new Set(given.filter((address) => address !== '').map(parseAddress))
  if (subnet.last - subnet.first > 1n) {
    used.add(subnet.first)
    if (!isVersion6) used.add(subnet.last)
  }
  return [...used].filter((address) => address >= subnet.first && address <= subnet.last)
}

function rangeOf(cidr: string): Range {
  const [base = '', prefix = '0'] = cidr.split('/')
  const hosts = 2n ** BigInt((isIPv6(base) ? 128 : 32) - Number(prefix))
  const first = (parseAddress(base) / hosts) * hosts
  return { first, last: first + hosts - 1n }
}

function parseAddress(text: string): bigint {
  if (!isIPv6(text)) return text.split('.').reduce((sum, byte) => sum * 256n + BigInt(byte), 0n)
  const [head = '', tail = ''] = text.split('::')
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'))
  const missing = 8 - groups(head).length - groups(tail).length
  const all = [...groups(head), ...(text.includes('::') ? Array.from({ length: missing }, () => '0') : []), ...groups(tail)]
  return all.reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n)
}

/** Beyond 2^53 JavaScript would round, and a Go client refuse the result: such a number is written digit by digit. */
function number(value: bigint): number {
  const count = value > MOST ? MOST : value
  if (count <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(count)
  const json = JSON as unknown as { rawJSON(text: string): unknown }
  return json.rawJSON(count.toString()) as number
}
