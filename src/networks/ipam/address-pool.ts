import { EngineError } from '#errors'
import { type Subnet, contains, subnetSize } from './ip-address.ts'

/**
 * Addresses of one subnet. Next-fit: after .2 comes .3, even when .2 is free again, so that nobody who still has the old container in a cache reaches
 * a new one by its address.
 *
 * A namespace dies some time after its container (closing it is left to the kernel; a process may hold it longer), and until then its interface
 * answers to its address. So `release` names the host's end of the link, and the address is given out again only when that is gone.
 */
export interface AddressPool {
  /** The next free address. Throws RESOURCE_EXHAUSTED. */
  allocate(): number
  /**
   * Takes what is in use already, whatever else may be said of it; an address of another subnet (the settings changed) is left out. With `link`: in use
   * until that interface is gone.
   */
  adopt(address: number, link?: string): void
  /** Gives back. With `link`, once that interface is gone. An address that is not taken is fine. */
  release(address: number, link?: string): void
}

/**
 * @param range part of `subnet` that `allocate` uses (`--ip-range`, `--fixed-cidr`); all of it when absent.
 * @param linkExists asked when a released address comes round again.
 */
export function createAddressPool(pool: { subnet: Subnet; range?: Subnet; linkExists: (name: string) => boolean }): AddressPool {
  const { subnet, range = subnet } = pool
  /** Value: name of the link that still has the address; undefined: in use. */
  const taken = new Map<number, string | undefined>()
  const size = subnetSize(range)
  let next = range.address

  // Network and broadcast address; /31 and /32 have neither (RFC 3021).
  const unusable = subnet.prefixLength >= 31 ? [] : [subnet.address, subnet.address + subnetSize(subnet) - 1]

  function isFree(address: number): boolean {
    if (unusable.includes(address)) return false
    if (!taken.has(address)) return true
    const link = taken.get(address)
    if (link === undefined || pool.linkExists(link)) return false
    taken.delete(address)
    return true
  }

  return {
    allocate() {
      for (let tried = 0; tried < size; tried++) {
        const address = next
        next = address + 1 === range.address + size ? range.address : address + 1
        if (isFree(address)) {
          taken.set(address, undefined)
          return address
        }
      }
      throw new EngineError('RESOURCE_EXHAUSTED', "no available IPv4 addresses on this network's address pools")
    },
    adopt(address, link) {
      if (contains(subnet, address)) taken.set(address, link)
    },
    release(address, link) {
      if (!taken.has(address)) return
      if (link === undefined) taken.delete(address)
      else taken.set(address, link)
    },
  }
}
