import { lookup } from 'node:dns'
import { BlockList, isIP } from 'node:net'
import type { LookupFunction } from 'node:net'

/**
 * What is reached from this machine alone, or tells about it: loopback, the link (clouds answer there with the machine's credentials, also at the IPv6
 * address of Amazon's), "this host", multicast. Private networks are not among them: companies keep layers there.
 */
const LOCAL = new BlockList()
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 3],
] as const)
  LOCAL.addSubnet(network, bits, 'ipv4')
for (const [network, bits] of [
  ['::', 127],
  ['fe80::', 10],
  ['fd00:ec2::', 32],
  ['ff00::', 8],
  // IPv4 in the clothes of IPv6, as name servers behind NAT64 give it.
  ['64:ff9b::7f00:0', 104],
  ['64:ff9b::a9fe:0', 112],
] as const)
  LOCAL.addSubnet(network, bits, 'ipv6')

/** A name or address that leads to this machine, where only others are to be asked. */
export class LocalAddressError extends Error {
  constructor(address: string) {
    super(`${address} is an address of this machine or its link`)
    this.name = 'LocalAddressError'
  }
}

/** Whether a URL has such an address for its host. Names are left to {@link outsideLookup}. */
export function isLocal({ hostname }: URL): boolean {
  return isLocalAddress(hostname.replace(/^\[|\]$/g, ''))
}

/** Resolves names, and fails where one address is local: what was looked at is what is connected to, so a name server cannot change its mind. */
export const outsideLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, found) => {
    const local = found?.find(({ address }) => isLocalAddress(address))
    const [first] = found ?? []
    if (error !== null) callback(error, '')
    else if (local !== undefined) callback(new LocalAddressError(local.address), '')
    else if (options.all === true) callback(null, found)
    else callback(null, first?.address ?? '', first?.family)
  })
}

function isLocalAddress(text: string): boolean {
  const family = isIP(text)
  return family !== 0 && LOCAL.check(text, family === 4 ? 'ipv4' : 'ipv6')
}
