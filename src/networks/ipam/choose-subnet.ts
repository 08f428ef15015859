import { EngineError } from '#errors'
import { type Subnet, overlap, parseCidr, subnetSize } from './ip-address.ts'

/** What dockerd divides into networks when `default-address-pools` is not set. */
export const DEFAULT_ADDRESS_POOLS: readonly { base: string; size: number }[] = [
  { base: '172.17.0.0/16', size: 16 },
  { base: '172.18.0.0/16', size: 16 },
  { base: '172.19.0.0/16', size: 16 },
  { base: '172.20.0.0/14', size: 16 },
  { base: '172.24.0.0/14', size: 16 },
  { base: '172.28.0.0/14', size: 16 },
  { base: '192.168.0.0/16', size: 20 },
]

/** The first block of the pools that overlaps none of `taken` (other networks, and routes of the host: a VPN must stay reachable). */
export function chooseSubnet(pools: readonly { base: string; size: number }[], taken: readonly Subnet[]): Subnet {
  for (const { base, size } of pools) {
    const { subnet: pool } = parseCidr(base)
    const step = 2 ** (32 - size)
    for (let address = pool.address; address < pool.address + subnetSize(pool); address += step) {
      const candidate = { address, prefixLength: size }
      if (!taken.some((other) => overlap(candidate, other))) return candidate
    }
  }
  throw new EngineError('RESOURCE_EXHAUSTED', 'all predefined address pools have been fully subnetted')
}
