import { isIPv4, isIPv6 } from 'node:net'
import { invalidArgument } from '#errors'

/** Arguments of socket(2) by protocol. Source: socket.h, in.h. */
export const SOCKET_TYPES: Record<'tcp' | 'udp' | 'sctp', { type: number; protocol: number }> = {
  tcp: { type: 1, protocol: 6 },
  udp: { type: 2, protocol: 17 },
  sctp: { type: 1, protocol: 132 },
}

/** struct sockaddr_in or sockaddr_in6 as the kernel takes it: family in native order, port and address in network order. */
export function encodeSocketAddress(family: 4 | 6, address: string, port: number): Buffer {
  if (family === 4) {
    if (!isIPv4(address)) throw invalidArgument(`invalid IPv4 address: ${address}`)
    const encoded = Buffer.alloc(16)
    encoded.writeUInt16LE(2, 0)
    encoded.writeUInt16BE(port, 2)
    encoded.set(address.split('.').map(Number), 4)
    return encoded
  }
  const encoded = Buffer.alloc(28)
  encoded.writeUInt16LE(10, 0)
  encoded.writeUInt16BE(port, 2)
  encoded.set(ipv6Bytes(address), 8)
  return encoded
}

function ipv6Bytes(address: string): Buffer {
  if (!isIPv6(address) || address.includes('%')) throw invalidArgument(`invalid IPv6 address: ${address}`)
  // The URL parser normalises dotted tails (::ffff:1.2.3.4) to plain groups.
  const normal = new URL(`http://[${address}]/`).hostname.slice(1, -1)
  const [head = '', tail] = normal.split('::')
  const left = groups(head)
  const right = tail === undefined ? [] : groups(tail)
  const bytes = Buffer.alloc(16)
  left.forEach((group, index) => bytes.writeUInt16BE(group, index * 2))
  right.forEach((group, index) => bytes.writeUInt16BE(group, 16 - (right.length - index) * 2))
  return bytes
}

function groups(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => parseInt(group, 16))
}
