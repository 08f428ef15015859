/** IPv4 addresses as unsigned 32-bit numbers, and blocks of them. Text forms are checked strictly: no leading zeros, no short forms. */

import { isIPv4 } from 'node:net'
import { invalidArgument } from '#errors'

/** A block `address/prefixLength`; `address` is the block's first address. */
export interface Subnet {
  address: number
  prefixLength: number
}

/** `10.0.0.1` to a number. Throws INVALID_ARGUMENT with Go's text, which clients show. */
export function parseIpv4(text: string): number {
  if (!isIPv4(text)) throw invalidArgument(`invalid IPv4 address: ${text}`)
  return text.split('.').reduce((value, part) => value * 256 + Number(part), 0)
}

export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.')
}

/** Four bytes in network order. */
export function ipv4Bytes(address: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32BE(address >>> 0)
  return bytes
}

/** `172.17.0.1/16` to its block and the address named in it. Throws INVALID_ARGUMENT. */
export function parseCidr(text: string): { subnet: Subnet; address: number } {
  const [addressText = '', lengthText = '', ...rest] = text.split('/')
  const prefixLength = Number(lengthText)
  if (rest.length > 0 || !/^\d{1,2}$/.test(lengthText) || prefixLength > 32 || !isIPv4(addressText)) {
    throw invalidArgument(`invalid CIDR address: ${text}`)
  }
  const address = parseIpv4(addressText)
  return { subnet: { address: firstAddress(address, prefixLength), prefixLength }, address }
}

export function formatSubnet({ address, prefixLength }: Subnet): string {
  return `${formatIpv4(address)}/${prefixLength}`
}

export function subnetSize({ prefixLength }: Subnet): number {
  return 2 ** (32 - prefixLength)
}

export function contains(subnet: Subnet, address: number): boolean {
  return address >= subnet.address && address < subnet.address + subnetSize(subnet)
}

export function overlap(one: Subnet, other: Subnet): boolean {
  return contains(one, other.address) || contains(other, one.address)
}

function firstAddress(address: number, prefixLength: number): number {
  const size = 2 ** (32 - prefixLength)
  return Math.floor(address / size) * size
}
