import { createHash } from 'node:crypto'
import { ipv4Bytes } from './ip-address.ts'

/** `02:42:` and the address, as Docker: locally administered, and known wherever the address is. */
export function macOfAddress(address: number): string {
  return formatMac(Buffer.concat([Buffer.of(0x02, 0x42), ipv4Bytes(address)]))
}

/** A fixed MAC for a bridge; without one the kernel takes the lowest of its ports', which changes as containers come and go. */
export function macOfNetwork(networkId: string): string {
  return formatMac(Buffer.concat([Buffer.of(0x02, 0x42), createHash('sha256').update(networkId).digest().subarray(0, 4)]))
}

function formatMac(bytes: Buffer): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':')
}
