import { EngineError, forbidden, invalidArgument } from '#errors'
import { type IpAddress, type Subnet, contains, formatAddress, lastOf } from './ip-address.ts'

/**
 * Addresses of one subnet. Next-fit: after .2 comes .3, even when .2 is free again, so that nobody who still has the old container in a cache reaches
 * a new one by its address.
 *
 * A namespace dies some time after its container (closing it is left to the kernel; a process may hold it longer), and until then its interface
 * answers to its address. So `release` names the host's end of the link, and the address is given out again only when that is gone.
 */
export interface AddressPool {
  readonly subnet: Subnet
  /** The next free address. Throws RESOURCE_EXHAUSTED. */
  allocate(): IpAddress
  /** Exactly this one. Throws FORBIDDEN when it is in use ({@link AddressLeavingError} when not for long), INVALID_ARGUMENT when it is not in the subnet. */
  take(address: IpAddress): void
  /**
   * Takes what is in use already, whatever else may be said of it; an address of another subnet (the settings changed) is left out. With `link`: in use
   * until that interface is gone.
   */
  adopt(address: IpAddress, link?: string): void
  /** Gives back. With `link`, once that interface is gone. An address that is not taken is fine. */
  release(address: IpAddress, link?: string): void
}

/** The address is nobody's any more, but the namespace of whoever had it is not gone yet: it will be free in a moment. */
export class AddressLeavingError extends EngineError {
  constructor() {
    super('FORBIDDEN', 'Address already in use')
    this.name = 'AddressLeavingError'
  }
}

/**
 * @param range part of `subnet` that `allocate` uses (`--ip-range`, `--fixed-cidr`); all of it when absent.
 * @param linkExists asked when a released address comes round again.
 */
export function createAddressPool(pool: { subnet: Subnet; range?: Subnet; linkExists: (name: string) => boolean }): AddressPool {
  const { subnet, range = subnet } = pool
  const { family } = subnet
  /** Value: name of the link that still has the address; undefined: in use. */
  const taken = new Map<bigint, string | undefined>()
  const last = lastOf(range)
  let next = range.first
  const unusable = unusableOf(subnet)

  function isFree(value: bigint): boolean {
    if (unusable.includes(value)) return false
    if (!taken.has(value)) return true
    const link = taken.get(value)
    if (link === undefined || pool.linkExists(link)) return false
    taken.delete(value)
    return true
  }

  return {
    subnet,
    allocate() {
      // At most as many tries as addresses are taken can fail, so a subnet of 2^64 does no harm.
      for (let tried = 0; tried <= taken.size + unusable.length; tried++) {
        const value = next
        next = value === last ? range.first : value + 1n
        if (isFree(value)) {
          taken.set(value, undefined)
          return { family, value }
        }
      }
      throw new EngineError('RESOURCE_EXHAUSTED', `no available IPv${family} addresses on this network's address pools`)
    },
    take(address) {
      if (!contains(subnet, address)) throw invalidArgument(`requested address ${formatAddress(address)} is out of range`)
      if (!isFree(address.value))
        throw taken.get(address.value) === undefined ? forbidden('Address already in use') : new AddressLeavingError()
      taken.set(address.value, undefined)
    },
    adopt(address, link) {
      if (contains(subnet, address)) taken.set(address.value, link)
    },
    release({ value }, link) {
      if (!taken.has(value)) return
      if (link === undefined) taken.delete(value)
      else taken.set(value, link)
    },
  }
}

/** Network and broadcast address, which /31 and /32 have not (RFC 3021); of IPv6 the subnet-router anycast address (RFC 4291, 2.6.1). */
function unusableOf(subnet: Subnet): bigint[] {
  if (subnet.family === 6) return subnet.prefixLength >= 127 ? [] : [subnet.first]
  return subnet.prefixLength >= 31 ? [] : [subnet.first, lastOf(subnet)]
}
