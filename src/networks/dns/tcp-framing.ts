/** Over TCP each message is preceded by its length in two bytes (RFC 1035 §4.2.2). */

export function frame(message: Buffer): Buffer {
  const length = Buffer.allocUnsafe(2)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}

/** Collects chunks and gives out whole messages; keeps at most one message of 64 KiB and a chunk. */
export function createUnframer(): (chunk: Buffer) => Buffer[] {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const messages: Buffer[] = []
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      const end = 2 + rest.readUInt16BE(0)
      messages.push(rest.subarray(2, end))
      rest = rest.subarray(end)
    }
    return messages
  }
}
