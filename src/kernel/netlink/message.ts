/**
 * Netlink framing (netlink(7), include/uapi/linux/netlink.h), shared by rtnetlink and nfnetlink.
 *
 *     message    u32 length | u16 type | u16 flags | u32 sequence | u32 port | body, padded to 4
 *     attribute  u16 length | u16 type | payload, padded to 4
 *
 * Numbers are in the machine's byte order; both machines we run on are little-endian.
 */

export const NLM_F_REQUEST = 0x001
export const NLM_F_ACK = 0x004
export const NLM_F_DUMP_INTR = 0x010
export const NLM_F_DUMP = 0x300
export const NLM_F_CAPPED = 0x100
export const NLM_F_ACK_TLVS = 0x200
export const NLM_F_REPLACE = 0x100
export const NLM_F_EXCL = 0x200
export const NLM_F_CREATE = 0x400
export const NLM_F_APPEND = 0x800

export const NLMSG_ERROR = 2
export const NLMSG_DONE = 3

const HEADER = 16
const ATTRIBUTE_HEADER = 4
const NLA_F_NESTED = 0x8000
/** Without NLA_F_NESTED and NLA_F_NET_BYTEORDER. */
const NLA_TYPE_MASK = 0x3fff
const NLMSGERR_ATTR_MSG = 1

/**
 * Writes one or more messages into one buffer. Sequence numbers count up from 1, so that an answer tells which message it is for.
 * Offsets returned are into the final buffer: for values that somebody else fills in later.
 */
export class MessageWriter {
  #buffer: Buffer = Buffer.alloc(512)
  #length = 0
  #messageStart = -1
  #sequence = 0

  /** Closes the message before, and opens one with `header` (`ifinfomsg`, `nfgenmsg` …). Returns its sequence number. */
  begin(type: number, flags: number, header: Buffer): number {
    this.#closeMessage()
    this.#messageStart = this.#length
    const at = this.#reserve(HEADER)
    this.#buffer.writeUInt16LE(type, at + 4)
    this.#buffer.writeUInt16LE(flags, at + 6)
    this.#buffer.writeUInt32LE(++this.#sequence, at + 8)
    this.raw(header)
    return this.#sequence
  }

  /** Bytes without attribute header, padded; for headers inside attributes. Returns their offset. */
  raw(bytes: Buffer): number {
    const at = this.#reserve(bytes.length)
    bytes.copy(this.#buffer, at)
    return at
  }

  /** One attribute; a string is written NUL-terminated. Returns the offset of the payload. */
  attribute(type: number, payload: Buffer | string): number {
    const bytes = typeof payload === 'string' ? Buffer.from(`${payload}\0`) : payload
    const at = this.#reserve(ATTRIBUTE_HEADER + bytes.length)
    this.#buffer.writeUInt16LE(ATTRIBUTE_HEADER + bytes.length, at)
    this.#buffer.writeUInt16LE(type, at + 2)
    bytes.copy(this.#buffer, at + ATTRIBUTE_HEADER)
    return at + ATTRIBUTE_HEADER
  }

  /** An attribute that holds what `body` writes. */
  nest(type: number, body: () => void): void {
    const at = this.#reserve(ATTRIBUTE_HEADER)
    this.#buffer.writeUInt16LE(type | NLA_F_NESTED, at + 2)
    body()
    const length = this.#length - at
    if (length > 0xffff) throw new RangeError(`Cannot encode netlink attribute ${type}: ${length} bytes do not fit into its 16-bit length`)
    this.#buffer.writeUInt16LE(length, at)
  }

  /** All messages so far; the writer is spent. */
  finish(): Buffer {
    this.#closeMessage()
    return this.#buffer.subarray(0, this.#length)
  }

  #closeMessage(): void {
    if (this.#messageStart >= 0) this.#buffer.writeUInt32LE(this.#length - this.#messageStart, this.#messageStart)
  }

  #reserve(size: number): number {
    const at = this.#length
    this.#length += align(size)
    if (this.#length > this.#buffer.length) {
      const bigger = Buffer.alloc(Math.max(this.#length, this.#buffer.length * 2))
      this.#buffer.copy(bigger, 0, 0, at)
      this.#buffer = bigger
    }
    return at
  }
}

export interface NetlinkMessage {
  type: number
  flags: number
  sequence: number
  body: Buffer
}

/** Splits what one read returned. Throws RangeError when lengths point outside. */
export function decodeMessages(buffer: Buffer): NetlinkMessage[] {
  const messages: NetlinkMessage[] = []
  for (let at = 0; at + HEADER <= buffer.length;) {
    const length = buffer.readUInt32LE(at)
    if (length < HEADER || at + length > buffer.length) throw new RangeError(`Cannot decode netlink message: length ${length} at ${at}`)
    messages.push({
      type: buffer.readUInt16LE(at + 4),
      flags: buffer.readUInt16LE(at + 6),
      sequence: buffer.readUInt32LE(at + 8),
      body: buffer.subarray(at + HEADER, at + length),
    })
    at += align(length)
  }
  return messages
}

/** Attributes by type; of a type that repeats, the last. Throws RangeError when lengths point outside. */
export function decodeAttributes(buffer: Buffer): Map<number, Buffer> {
  return new Map(decodeAttributeList(buffer).map(({ type, payload }) => [type, payload]))
}

/** Attributes in order; for lists, whose members all have one type. */
export function decodeAttributeList(buffer: Buffer): { type: number; payload: Buffer }[] {
  const attributes: { type: number; payload: Buffer }[] = []
  for (let at = 0; at + ATTRIBUTE_HEADER <= buffer.length;) {
    const length = buffer.readUInt16LE(at)
    if (length < ATTRIBUTE_HEADER || at + length > buffer.length)
      throw new RangeError(`Cannot decode netlink attribute: length ${length} at ${at}`)
    attributes.push({ type: buffer.readUInt16LE(at + 2) & NLA_TYPE_MASK, payload: buffer.subarray(at + ATTRIBUTE_HEADER, at + length) })
    at += align(length)
  }
  return attributes
}

/** The answer to one request: errno 0 is the acknowledgement. `text` is the kernel's own explanation (extended ACK), or empty. */
export function decodeError(message: NetlinkMessage): { errno: number; text: string } {
  const errno = Math.abs(message.body.readInt32LE(0))
  if ((message.flags & NLM_F_ACK_TLVS) === 0) return { errno, text: '' }
  // After the error comes the header of the request, and all of the request unless the answer is capped.
  const requestLength = (message.flags & NLM_F_CAPPED) === 0 ? message.body.readUInt32LE(4) : HEADER
  const attributes = decodeAttributes(message.body.subarray(4 + align(requestLength)))
  return { errno, text: decodeText(attributes.get(NLMSGERR_ATTR_MSG)) }
}

/** A NUL-terminated string attribute; empty when absent. */
export function decodeText(payload: Buffer | undefined): string {
  if (payload === undefined) return ''
  const end = payload.indexOf(0)
  return payload.toString('utf8', 0, end === -1 ? payload.length : end)
}

export function u8(value: number): Buffer {
  return Buffer.of(value)
}

/** Network byte order. */
export function u16be(value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff)
}

export function u16(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(2)
  bytes.writeUInt16LE(value)
  return bytes
}

export function u32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32LE(value)
  return bytes
}

/** Network byte order: all integers of nfnetlink attributes. */
export function u32be(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeInt32BE(value | 0) // negative values are chain priorities
  return bytes
}

function align(length: number): number {
  return (length + 3) & ~3
}
