import { createHash } from 'node:crypto'
import { invalidArgument } from '#errors'
import { type Family, type Subnet, overlap, parseCidr, subnetSize } from './ip-address.ts'

/** What networks get their subnets from: blocks of `size` out of `base`. */
export interface SubnetPool {
  base: string
  size: number
}

/** What dockerd divides into networks when `default-address-pools` is not set. */
export const DEFAULT_ADDRESS_POOLS: readonly SubnetPool[] = [
  { base: '172.17.0.0/16', size: 16 },
  { base: '172.18.0.0/16', size: 16 },
  { base: '172.19.0.0/16', size: 16 },
  { base: '172.20.0.0/14', size: 16 },
  { base: '172.24.0.0/14', size: 16 },
  { base: '172.28.0.0/14', size: 16 },
  { base: '192.168.0.0/16', size: 20 },
]

/** Subnets tried in one pool before the next: a /48 of /64s has 65,536, and asking each one of them would stop the daemon for seconds. */
const MAX_TRIES = 65_536n

/** The first block of the family's pools that overlaps none of `taken` (other networks, and routes of the host: a VPN must stay reachable). */
export function chooseSubnet(family: Family, pools: readonly SubnetPool[], taken: readonly Subnet[]): Subnet {
  for (const { base, size } of pools) {
    const { subnet: pool } = parseCidr(base)
    if (pool.family !== family) continue
    const step = subnetSize({ ...pool, prefixLength: size })
    const count = subnetSize(pool) / step
    for (let index = 0n; index < count && index < MAX_TRIES; index++) {
      const candidate = { family, first: pool.first + index * step, prefixLength: size }
      if (!taken.some((other) => overlap(candidate, other))) return candidate
    }
  }
  throw invalidArgument('all predefined address pools have been fully subnetted')
}

/**
 * The pools of one host: those given, and where none is of IPv6 a unique local /48 (RFC 4193) made of something that stays with the host, as dockerd
 * does, so that networks get the same prefix after a re-installation and two hosts have different ones.
 */
export function poolsOf(given: readonly SubnetPool[], hostId: string): readonly SubnetPool[] {
  const pools = given.length > 0 ? given : DEFAULT_ADDRESS_POOLS
  if (pools.some(({ base }) => parseCidr(base).subnet.family === 6)) return pools
  const globalId = createHash('sha256').update(hostId).digest('hex').slice(0, 10)
  return [...pools, { base: `fd${globalId.slice(0, 2)}:${globalId.slice(2, 6)}:${globalId.slice(6)}::/48`, size: 64 }]
}
