/**
 * Addresses of both families as numbers, and blocks of them. Text forms are checked strictly: no leading zeros, no short forms, no zones. IPv6 is
 * written as RFC 5952 says; `::ffff:192.0.2.1` is IPv4, as it is to Docker.
 */

import { isIP } from 'node:net'
import { invalidArgument } from '#errors'

export type Family = 4 | 6

export interface IpAddress {
  family: Family
  value: bigint
}

/** A block `first/prefixLength`; `first` is its first address. */
export interface Subnet {
  family: Family
  first: bigint
  prefixLength: number
}

const BITS: Record<Family, number> = { 4: 32, 6: 128 }
const MAPPED = 0xffff_0000_0000n

/** Undefined for what is no address. */
export function readAddress(text: string): IpAddress | undefined {
  const family = isIP(text)
  if (family === 4) return { family, value: ofParts(text.split('.').map(Number), 8n) }
  if (family !== 6 || text.includes('%')) return undefined
  const value = ofParts(groupsOf(text), 16n)
  return value >> 32n === 0xffffn ? { family: 4, value: value - MAPPED } : { family, value }
}

/** Throws INVALID_ARGUMENT with Go's text, which clients show. */
export function parseAddress(text: string): IpAddress {
  const address = readAddress(text)
  if (address === undefined) throw invalidArgument(`invalid IP address: ${text}`)
  return address
}

export function formatAddress({ family, value }: IpAddress): string {
  const bytes = addressBytes({ family, value })
  if (family === 4) return [...bytes].join('.')
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16))
  const zeros = longestZeros(groups)
  if (zeros.length < 2) return groups.join(':')
  return `${groups.slice(0, zeros.start).join(':')}::${groups.slice(zeros.start + zeros.length).join(':')}`
}

/** Four or sixteen bytes in network order. */
export function addressBytes({ family, value }: IpAddress): Buffer {
  const bytes = Buffer.alloc(BITS[family] / 8)
  for (let at = bytes.length - 4, rest = value; at >= 0; at -= 4, rest >>= 32n) bytes.writeUInt32BE(Number(rest & 0xffff_ffffn), at)
  return bytes
}

export function addressOfBytes(bytes: Buffer): IpAddress {
  return { family: bytes.length === 4 ? 4 : 6, value: BigInt(`0x${bytes.toString('hex')}`) }
}

/** `172.17.0.1/16` to its block and the address named in it; undefined for what is none. */
export function readCidr(text: string): { subnet: Subnet; address: IpAddress } | undefined {
  const [addressText = '', lengthText = '', ...rest] = text.split('/')
  const address = readAddress(addressText)
  const prefixLength = Number(lengthText)
  if (rest.length > 0 || !/^\d{1,3}$/.test(lengthText) || address === undefined || prefixLength > BITS[address.family]) return undefined
  return { subnet: subnetOf(address, prefixLength), address }
}

/** Throws INVALID_ARGUMENT. */
export function parseCidr(text: string): { subnet: Subnet; address: IpAddress } {
  const cidr = readCidr(text)
  if (cidr === undefined) throw invalidArgument(`invalid CIDR address: ${text}`)
  return cidr
}

/** The block of this size that the address is in. */
export function subnetOf({ family, value }: IpAddress, prefixLength: number): Subnet {
  const hostBits = BigInt(BITS[family] - prefixLength)
  return { family, first: (value >> hostBits) << hostBits, prefixLength }
}

export function formatSubnet({ family, first, prefixLength }: Subnet): string {
  return `${formatAddress({ family, value: first })}/${prefixLength}`
}

/** Number of addresses. */
export function subnetSize({ family, prefixLength }: Subnet): bigint {
  return 1n << BigInt(BITS[family] - prefixLength)
}

export function lastOf(subnet: Subnet): bigint {
  return subnet.first + subnetSize(subnet) - 1n
}

export function contains(subnet: Subnet, { family, value }: IpAddress): boolean {
  return family === subnet.family && value >= subnet.first && value <= lastOf(subnet)
}

export function overlap(one: Subnet, other: Subnet): boolean {
  return one.family === other.family && one.first <= lastOf(other) && other.first <= lastOf(one)
}

function ofParts(parts: readonly number[], bits: bigint): bigint {
  return parts.reduce((value, part) => (value << bits) + BigInt(part), 0n)
}

/** The eight groups of an IPv6 address, which is known to be one. */
function groupsOf(text: string): number[] {
  const [left = '', right] = text.replace(/[\d.]+$/, (tail) => (tail.includes('.') ? dottedTail(tail) : tail)).split('::')
  const numbers = (part: string): number[] => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)))
  if (right === undefined) return numbers(left)
  const [head, tail] = [numbers(left), numbers(right)]
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail]
}

/** `192.0.2.1` at the end of an IPv6 address as its two groups. */
function dottedTail(text: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = text.split('.').map(Number)
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
}

function longestZeros(groups: readonly string[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  let start = 0
  for (const [index, group] of groups.entries()) {
    if (group !== '0') start = index + 1
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start }
  }
  return best
}
