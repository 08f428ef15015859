import { EngineError } from '#errors'
import type { IpamConfig } from '../types.ts'
import { type AddressPool, createAddressPool } from './address-pool.ts'
import { type Family, type IpAddress, contains, formatAddress, parseAddress, parseCidr } from './ip-address.ts'

/** Names under which an auxiliary address is the default route of the containers instead of the bridge's own. */
export const DEFAULT_GATEWAY: Record<Family, string> = { 4: 'DefaultGatewayIPv4', 6: 'DefaultGatewayIPv6' }

export interface GivenAddress {
  address: IpAddress
  prefixLength: number
  /** Of the containers' default route; absent: the subnet has none. */
  gateway?: IpAddress
}

/** All addresses of one network, by its recorded configuration: one or several subnets per family. */
export interface NetworkAddresses {
  has(family: Family): boolean
  /** The address asked for, or the next free one. Throws RESOURCE_EXHAUSTED, FORBIDDEN when it is in use. */
  give(family: Family, asked?: string): GivenAddress
  adopt(address: string, link?: string): void
  release(address: string, link?: string): void
}

interface Entry {
  pool: AddressPool
  gateway?: IpAddress
}

/** `name` and `id` of the network are for the message that there are no addresses any more. */
export function createNetworkAddresses(
  network: { name: string; id: string; config: readonly IpamConfig[] },
  linkExists: (name: string) => boolean,
): NetworkAddresses {
  const entries = network.config.map((config) => entryOf(config, linkExists))
  const entriesOf = (family: Family): Entry[] => entries.filter(({ pool }) => pool.subnet.family === family)

  function allocate(family: Family): { entry: Entry; address: IpAddress } {
    for (const entry of entriesOf(family)) {
      try {
        return { entry, address: entry.pool.allocate() }
      } catch (error) {
        if (!(error instanceof EngineError && error.code === 'RESOURCE_EXHAUSTED')) throw error
      }
    }
    const what = `no available IPv${family} addresses on this network's address pools`
    throw new EngineError('RESOURCE_EXHAUSTED', `${what}: ${network.name} (${network.id})`)
  }

  function take(family: Family, asked: string): { entry: Entry; address: IpAddress } {
    const address = parseAddress(asked)
    const entry = entriesOf(family).find(({ pool }) => contains(pool.subnet, address)) ?? entriesOf(family)[0]
    if (entry === undefined) return allocate(family)
    entry.pool.take(address)
    return { entry, address }
  }

  return {
    has: (family) => entriesOf(family).length > 0,
    give(family, asked) {
      const { entry, address } = asked === undefined || asked === '' ? allocate(family) : take(family, asked)
      return {
        address,
        prefixLength: entry.pool.subnet.prefixLength,
        ...(entry.gateway !== undefined && { gateway: entry.gateway }),
      }
    },
    adopt(text, link) {
      for (const { pool } of entries) pool.adopt(parseAddress(text), link)
    },
    release(text, link) {
      const address = parseAddress(text)
      for (const { pool } of entries) if (contains(pool.subnet, address)) pool.release(address, link)
    },
  }
}

/**
 * The address the network itself takes: the first that is free in the part containers get theirs from, as with Docker.
 */
export function chooseGateway(config: IpamConfig): string {
  return formatAddress(entryOf(config, () => false).pool.allocate())
}

function entryOf({ subnet, ipRange, gateway, auxAddresses = {} }: IpamConfig, linkExists: (name: string) => boolean): Entry {
  const block = parseCidr(subnet).subnet
  const pool = createAddressPool({
    subnet: block,
    ...(ipRange !== undefined && ipRange !== '' && { range: parseCidr(ipRange).subnet }),
    linkExists,
  })
  const own = [...(gateway === undefined || gateway === '' ? [] : [gateway]), ...Object.values(auxAddresses)]
  for (const address of own) pool.adopt(parseAddress(address))
  const route = auxAddresses[DEFAULT_GATEWAY[block.family]] ?? gateway
  return { pool, ...(route !== undefined && route !== '' && { gateway: parseAddress(route) }) }
}
