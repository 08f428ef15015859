import type { Endpoint, NameDirectory } from '../types.ts'
import { reverseName } from './reverse-name.ts'

/** Addresses of a name; either list may be empty, both when the name has other networks' families only. */
export interface Addresses {
  ipv4: string[]
  ipv6: string[]
}

/** The names a container sees: those of containers on its networks. */
export interface Zone {
  /** `name`: lower case, no dot at the end. Undefined: not one of ours. */
  addressesOf(containerId: string, name: string): Addresses | undefined
  /** `2.0.18.172.in-addr.arpa` to `web.backend`. */
  nameOf(containerId: string, reverse: string): string | undefined
}

interface NetworkNames {
  byName: Map<string, Endpoint[]>
  byReverse: Map<string, string>
}

/**
 * The zone as the directory is at the moment of the question. Per network there is an index of names, kept for as long as the directory gives the same
 * array. A name on several networks is that of the first, by the order of interfaces, as with Docker.
 */
export function createZone(directory: NameDirectory): Zone {
  const indexes = new WeakMap<readonly Endpoint[], NetworkNames>()

  function namesOn(networkId: string): NetworkNames {
    const endpoints = directory.endpointsOn(networkId)
    let names = indexes.get(endpoints)
    if (names === undefined) indexes.set(endpoints, (names = indexNames(endpoints)))
    return names
  }

  /** `network` empty: any. Links come before names: `--link db:cache` hides a container named `cache`. */
  function find(endpoints: readonly Endpoint[], name: string, network: string): Endpoint[] | undefined {
    const candidates = endpoints.filter(({ networkName }) => network === '' || networkName.toLowerCase() === network)
    for (const { networkId, links } of candidates) {
      const target = linkTarget(links, name)
      const linked = target === undefined ? undefined : byNameOrId(namesOn(networkId), target)
      if (linked !== undefined) return linked
    }
    for (const { networkId } of candidates) {
      const found = namesOn(networkId).byName.get(name)
      if (found !== undefined) return found
    }
    return undefined
  }

  return {
    addressesOf(containerId, name) {
      const endpoints = directory.endpointsOf(containerId)
      for (const [host, network] of splits(name)) {
        const found = find(endpoints, host, network)
        if (found === undefined) continue
        return {
          ipv4: unique(found.map(({ ipv4Address }) => ipv4Address)),
          ipv6: unique(found.map(({ ipv6Address }) => ipv6Address)),
        }
      }
      return undefined
    },
    nameOf(containerId, reverse) {
      for (const { networkId } of directory.endpointsOf(containerId)) {
        const name = namesOn(networkId).byReverse.get(reverse)
        if (name !== undefined) return name
      }
      return undefined
    },
  }
}

function indexNames(endpoints: readonly Endpoint[]): NetworkNames {
  const byName = new Map<string, Endpoint[]>()
  const byReverse = new Map<string, string>()
  for (const endpoint of endpoints) {
    for (const name of new Set(endpoint.dnsNames.map((given) => given.toLowerCase()))) {
      const sharers = byName.get(name)
      if (sharers === undefined) byName.set(name, [endpoint])
      else sharers.push(endpoint)
    }
    const full = endpoint.dnsNames.map((name) => `${name}.${endpoint.networkName}`).find(isDomainName)
    if (full === undefined) continue // the default networks give no names
    for (const address of [endpoint.ipv4Address, endpoint.ipv6Address]) {
      if (address !== '') byReverse.set(reverseName(address), full)
    }
  }
  return { byName, byReverse }
}

/** Names of containers may be longer than a domain name's labels, and cannot be in an answer then. */
function isDomainName(name: string): boolean {
  return Buffer.byteLength(name) <= 253 && name.split('.').every((label) => label !== '' && Buffer.byteLength(label) <= 63)
}

/** Whole first; then `a.b.c` as `a.b` on network `c`, and `a` on network `b.c`: both kinds of names may have dots. */
function splits(name: string): [host: string, network: string][] {
  const ways: [string, string][] = [[name, '']]
  for (let dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) ways.push([name.slice(0, dot), name.slice(dot + 1)])
  return ways
}

/** Of `container:alias`, or `container` alone. */
function linkTarget(links: readonly string[], name: string): string | undefined {
  for (const link of links) {
    const [container = '', alias = container] = link.toLowerCase().split(':')
    if (alias === name) return container.replace(/^\//, '')
  }
  return undefined
}

/** A link may name its container by id, of which the short form is a name on the network. */
function byNameOrId({ byName }: NetworkNames, target: string): Endpoint[] | undefined {
  const found = byName.get(target)
  return found ?? (/^[\da-f]{12,64}$/.test(target) ? byName.get(target.slice(0, 12)) : undefined)
}

function unique(addresses: readonly string[]): string[] {
  return [...new Set(addresses)].filter((address) => address !== '')
}
