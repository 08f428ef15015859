/** Numbers and strings of SSH's messages and key files. Source: RFC 4251, section 5. */

/** Reads from the front of `bytes`; throws RangeError where they end too early. */
export class WireReader {
  readonly #bytes: Buffer
  #offset = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  uint32(): number {
    const value = this.#bytes.readUInt32BE(this.#offset)
    this.#offset += 4
    return value
  }

  bytes(length: number): Buffer {
    const end = this.#offset + length
    if (end > this.#bytes.length) throw new RangeError('a string is longer than what holds it')
    const value = this.#bytes.subarray(this.#offset, end)
    this.#offset = end
    return value
  }

  string(): Buffer {
    return this.bytes(this.uint32())
  }

  text(): string {
    return this.string().toString()
  }

  /** An `mpint` that is not negative, without the zero byte that says so. */
  mpint(): Buffer {
    return withoutLeadingZeros(this.string())
  }
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export function string(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([uint32(bytes.length), bytes])
}

/** An `mpint` that is not negative, of big-endian bytes. */
export function mpint(value: Buffer): Buffer {
  const bytes = withoutLeadingZeros(value)
  const wouldBeNegative = (bytes[0] ?? 0) >= 0x80
  return string(wouldBeNegative ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes)
}

function withoutLeadingZeros(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0)
  return first === -1 ? Buffer.alloc(0) : bytes.subarray(first)
}
