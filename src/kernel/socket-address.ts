export const AF = { 4: 2, 6: 10 } as const

/** struct sockaddr_in or sockaddr_in6; `address` has 4 or 16 bytes in network order. */
export function socketAddress(family: 4 | 6, address: Buffer, port: number): Buffer {
  const bytes = Buffer.alloc(family === 4 ? 16 : 28)
  bytes.writeUInt16LE(AF[family], 0)
  bytes.writeUInt16BE(port, 2)
  address.copy(bytes, family === 4 ? 4 : 8)
  return bytes
}
