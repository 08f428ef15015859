import { type Family, type IpAddress, formatAddress } from '../ipam/ip-address.ts'
import type { GivenAddress, NetworkAddresses } from '../ipam/network-addresses.ts'
import type { EndpointRequest } from '../types.ts'
import type { Placement } from './driver.ts'
import { NOWHERE } from './plain-driver.ts'

/** Gives the addresses asked for, or free ones, of these families: all of them or none. `macOf` makes the MAC when none is asked for. */
export function placeOn(
  addresses: NetworkAddresses,
  families: readonly Family[],
  asked: EndpointRequest,
  macOf: (address: IpAddress) => string,
): Placement {
  using undo = new DisposableStack()
  const given: Partial<Record<Family, GivenAddress>> = {}
  for (const family of families) {
    const one = addresses.give(family, family === 4 ? asked.ipv4Address : asked.ipv6Address)
    undo.defer(() => addresses.release(formatAddress(one.address)))
    given[family] = one
  }
  undo.move()
  const first = given[4] ?? given[6]
  const text = (address: IpAddress | undefined): string => (address === undefined ? '' : formatAddress(address))
  return {
    ...NOWHERE,
    macAddress: (asked.macAddress ?? '').replaceAll('-', ':').toLowerCase() || (first === undefined ? '' : macOf(first.address)),
    ipv4Address: text(given[4]?.address),
    ipv4PrefixLength: given[4]?.prefixLength ?? 0,
    ipv4Gateway: text(given[4]?.gateway),
    ipv6Address: text(given[6]?.address),
    ipv6PrefixLength: given[6]?.prefixLength ?? 0,
    ipv6Gateway: text(given[6]?.gateway),
  }
}
