import { createHash } from 'node:crypto'
import { addressBytes, type IpAddress } from './ip-address.ts'

/**
 * `02:42:` and the last four bytes of the address, as Docker made it for years: locally administered, and known wherever the address is. So whoever
 * gets an address after another one has the same MAC, and no neighbour's cache is wrong.
 */
export function macOfAddress(address: IpAddress): string {
  return formatMac(Buffer.concat([Buffer.of(0x02, 0x42), addressBytes(address).subarray(-4)]))
}

/** A fixed MAC for a bridge; without one the kernel takes the lowest of its ports', which changes as containers come and go. */
export function macOfNetwork(networkId: string): string {
  return formatMac(Buffer.concat([Buffer.of(0x02, 0x42), createHash('sha256').update(networkId).digest().subarray(0, 4)]))
}

function formatMac(bytes: Buffer): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':')
}
