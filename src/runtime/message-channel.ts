import type { Socket } from 'node:net'
import { MAX_FRAME, MESSAGES, PROTOCOL_VERSION } from './protocol.ts'
import type { MessageFields, MessageName, Scalar } from './protocol.ts'

/** A decoded message; `fields` fits its name. */
export type Message = { [N in MessageName]: { name: N; fields: MessageFields<N> } }[MessageName]

const HEADER_SIZE = 8
const SIZES: Record<Scalar, number> = { u32: 4, i32: 4, u64: 8 }
const NAMES = new Map<number, MessageName>(Object.entries(MESSAGES).map(([name, { type }]) => [type, name as MessageName]))

/** One frame. `payload` in place of fields: the plan of a launch. */
export function encodeMessage<N extends MessageName>(name: N, fields: MessageFields<N>, payload?: Buffer): Buffer {
  const types: [string, Scalar][] = Object.entries(MESSAGES[name].fields)
  const values: Record<string, unknown> = fields
  const size = types.reduce((sum, [, type]) => sum + SIZES[type], 0) + (payload?.length ?? 0)
  const frame = Buffer.allocUnsafe(HEADER_SIZE + size)
  frame.writeUInt32LE(size, 0)
  frame.writeUInt16LE(MESSAGES[name].type, 4)
  frame.writeUInt16LE(PROTOCOL_VERSION, 6)
  let at = HEADER_SIZE
  for (const [field, type] of types) {
    if (type === 'u64') at = frame.writeBigUInt64LE(values[field] as bigint, at)
    else at = frame.writeUInt32LE((values[field] as number) >>> 0, at)
  }
  payload?.copy(frame, at)
  return frame
}

function decodePayload(name: MessageName, payload: Buffer): Message {
  const types: [string, Scalar][] = Object.entries(MESSAGES[name].fields)
  const fields: Record<string, number | bigint> = {}
  let at = 0
  for (const [field, type] of types) {
    fields[field] = type === 'u64' ? payload.readBigUInt64LE(at) : payload.readUInt32LE(at)
    at += SIZES[type]
  }
  return { name, fields } as unknown as Message
}

/** What a peer of another protocol version says: its number. */
export class VersionMismatch extends Error {
  readonly version: number

  constructor(version: number) {
    super(`the launcher speaks protocol ${version}, this daemon ${PROTOCOL_VERSION}`)
    this.name = 'VersionMismatch'
    this.version = version
  }
}

/**
 * The control connection of one monitor. Messages are delivered in order to whoever waits first; a broken or malformed stream counts as
 * its end. Owns the socket.
 */
export class MessageChannel {
  readonly #socket: Socket
  #buffered: Buffer = Buffer.alloc(0)
  #receive: (message: Message) => void
  /** Settles at the end of the connection, never rejects; the reason is undefined for an orderly end. */
  readonly closed: Promise<Error | undefined>

  constructor(socket: Socket, receive: (message: Message) => void) {
    this.#socket = socket
    this.#receive = receive
    let reason: Error | undefined
    socket.on('error', (error) => (reason ??= error))
    this.closed = new Promise((resolve) => socket.once('close', () => resolve(reason)))
    socket.on('end', () => socket.end())
    socket.on('data', (chunk: Buffer) => {
      try {
        this.#take(chunk)
      } catch (error) {
        socket.destroy(error as Error)
      }
    })
  }

  /** Hands the messages from now on to somebody else. */
  onMessage(receive: (message: Message) => void): void {
    this.#receive = receive
  }

  send<N extends MessageName>(name: N, fields: MessageFields<N>, payload?: Buffer): void {
    this.#socket.write(encodeMessage(name, fields, payload))
  }

  /** Tells the monitor that nobody is interested any more: before `start` it undoes everything. `closed` settles when it is done. */
  end(): void {
    this.#socket.end()
  }

  /** Leaves at once, without waiting for anything. */
  destroy(): void {
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    let data = this.#buffered.length === 0 ? chunk : Buffer.concat([this.#buffered, chunk])
    while (data.length >= HEADER_SIZE) {
      const length = data.readUInt32LE(0)
      const version = data.readUInt16LE(6)
      const name = NAMES.get(data.readUInt16LE(4))
      if (version !== PROTOCOL_VERSION) throw new VersionMismatch(version)
      if (name === undefined || length > MAX_FRAME) throw new Error('malformed message from the monitor')
      if (data.length < HEADER_SIZE + length) break
      this.#receive(decodePayload(name, data.subarray(HEADER_SIZE, HEADER_SIZE + length)))
      data = data.subarray(HEADER_SIZE + length)
    }
    this.#buffered = data
  }
}
