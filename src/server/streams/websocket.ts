/**
 * Server side of RFC 6455, as much as attaching needs: no extensions, no subprotocol logic, payload streamed rather than gathered into
 * messages.
 *
 * ```
 *  0               1               2               3
 *  F R R R opcode  M length (7)    length 126: 2 more bytes, 127: 8 more bytes, then 4 bytes of mask if M, then payload
 * ```
 */

import { createHash } from 'node:crypto'
import { Duplex } from 'node:stream'
import { FrameDecoder } from '#api'
import { invalidArgument } from '#errors'
import type { HijackContext } from '../hijack-context.ts'

/** RFC 6455, section 1.3. */
const KEY_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

const OPCODES = { continuation: 0x0, text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const

const CLOSE_NORMAL = 1000
const CLOSE_PROTOCOL_ERROR = 1002

interface WebSocketOptions {
  /** Binary frames, or text frames for clients older than API 1.28. */
  binary: boolean
  /** What is written is a multiplexed stream whose headers are to be taken off: a WebSocket never carries them. */
  demultiplex: boolean
}

/** Answers the handshake. Throws INVALID_ARGUMENT for a request that is none. */
export function acceptWebSocket(context: HijackContext, options: WebSocketOptions): Duplex {
  const { headers } = context.request
  const key = headers['sec-websocket-key']
  if (headers.upgrade?.toLowerCase() !== 'websocket' || key === undefined) throw invalidArgument('not a WebSocket handshake')
  if (headers['sec-websocket-version'] !== '13') throw invalidArgument('unsupported WebSocket version: must be 13')
  const protocol = headers['sec-websocket-protocol']?.split(',', 1)[0]?.trim()
  const socket = context.switchProtocol({
    Upgrade: 'websocket',
    'Sec-WebSocket-Accept': createHash('sha1').update(`${key}${KEY_SUFFIX}`).digest('base64'),
    // A browser that offered protocols drops the connection unless one comes back.
    ...(protocol === undefined ? {} : { 'Sec-WebSocket-Protocol': protocol }),
  })
  return new WebSocketStream(socket, options)
}

/** Bytes in both directions; message boundaries are not kept. */
class WebSocketStream extends Duplex {
  readonly #socket: Duplex
  readonly #opcode: number
  readonly #frames: FrameDecoder | undefined
  #outgoing: Buffer[] = []
  readonly #parser: FrameParser

  constructor(socket: Duplex, options: WebSocketOptions) {
    super({ allowHalfOpen: true })
    this.#socket = socket
    this.#opcode = options.binary ? OPCODES.binary : OPCODES.text
    this.#frames = options.demultiplex ? new FrameDecoder((_stream, payload) => this.#outgoing.push(payload)) : undefined
    this.#parser = new FrameParser({
      data: (payload) => {
        if (!this.push(payload)) socket.pause()
      },
      control: (opcode, payload) => this.#onControl(opcode, payload),
    })
    // A stream that breaks when nobody listens any more must not end the daemon.
    this.on('error', () => this.destroy())
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('end', () => this.push(null))
    socket.on('close', () => this.destroy())
    socket.resume()
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    if (this.#frames === undefined) this.#outgoing = [chunk]
    else this.#frames.write(chunk)
    const payloads = this.#outgoing
    this.#outgoing = []
    // After a close frame nothing may follow, and nobody would read it.
    if (!this.#socket.writable) return done()
    for (const payload of payloads) {
      this.#socket.write(frameHead(this.#opcode, payload.length))
      this.#socket.write(payload)
    }
    if (this.#socket.writableNeedDrain) this.#socket.once('drain', () => done())
    else done()
  }

  override _final(done: () => void): void {
    this.#close(CLOSE_NORMAL)
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // What was written still goes out; the context ends the connection.
    this.#socket.end()
    done(error)
  }

  #receive(chunk: Buffer): void {
    try {
      this.#parser.write(chunk)
    } catch {
      this.#leave(CLOSE_PROTOCOL_ERROR)
    }
  }

  #onControl(opcode: number, payload: Buffer): void {
    if (opcode === OPCODES.ping) {
      this.#socket.write(Buffer.concat([frameHead(OPCODES.pong, payload.length), payload]))
    } else if (opcode === OPCODES.close) {
      this.#leave(payload.length >= 2 ? payload.readUInt16BE(0) : CLOSE_NORMAL)
    }
  }

  /** The client is going: whoever serves it learns that from `close`, after having read what came before. */
  #leave(code: number): void {
    this.#close(code)
    this.once('end', () => this.destroy())
    this.push(null)
  }

  #close(code: number): void {
    if (!this.#socket.writable) return
    const payload = Buffer.alloc(2)
    payload.writeUInt16BE(code)
    this.#socket.end(Buffer.concat([frameHead(OPCODES.close, payload.length), payload]))
  }
}

/** Takes the client's frames apart; throws RangeError when they break the protocol. */
class FrameParser {
  readonly #sink: { data: (payload: Buffer) => void; control: (opcode: number, payload: Buffer) => void }
  #pending: Buffer = Buffer.alloc(0)
  #opcode = 0
  #remaining = 0
  #mask: Buffer = Buffer.alloc(4)
  #position = 0

  constructor(sink: { data: (payload: Buffer) => void; control: (opcode: number, payload: Buffer) => void }) {
    this.#sink = sink
  }

  write(chunk: Buffer): void {
    let input = this.#pending.length > 0 ? Buffer.concat([this.#pending, chunk]) : chunk
    this.#pending = Buffer.alloc(0)
    while (input.length > 0) {
      const isControl = this.#opcode >= OPCODES.close
      if (this.#remaining === 0) {
        const size = this.#readHead(input)
        if (size === undefined) break
        input = input.subarray(size)
        if (this.#remaining === 0 && this.#opcode >= OPCODES.close) this.#sink.control(this.#opcode, Buffer.alloc(0))
      } else if (isControl && input.length < this.#remaining) break
      else {
        const payload = this.#unmask(input.subarray(0, this.#remaining))
        input = input.subarray(payload.length)
        this.#remaining -= payload.length
        if (isControl) this.#sink.control(this.#opcode, payload)
        else this.#sink.data(payload)
      }
    }
    this.#pending = input
  }

  /** Size of the head, undefined when it is not complete yet. */
  #readHead(input: Buffer): number | undefined {
    const [first, second] = input
    if (first === undefined || second === undefined) return undefined
    // A client must mask (section 5.1); reserved bits belong to extensions that were not agreed.
    if ((second & 0x80) === 0 || (first & 0x70) !== 0) throw new RangeError('WebSocket frame without mask or with reserved bits')
    const short = second & 0x7f
    const lengthSize = short === 126 ? 2 : short === 127 ? 8 : 0
    const size = 2 + lengthSize + 4
    if (input.length < size) return undefined
    this.#opcode = first & 0x0f
    if (this.#opcode >= OPCODES.close && (short > 125 || (first & 0x80) === 0))
      throw new RangeError('WebSocket control frame too long or cut')
    this.#remaining = lengthSize === 0 ? short : lengthSize === 2 ? input.readUInt16BE(2) : Number(input.readBigUInt64BE(2))
    this.#mask = Buffer.from(input.subarray(size - 4, size))
    this.#position = 0
    return size
  }

  #unmask(masked: Buffer): Buffer {
    const plain = Buffer.allocUnsafe(masked.length)
    for (let index = 0; index < masked.length; index++) {
      plain[index] = (masked[index] ?? 0) ^ (this.#mask[(this.#position + index) & 3] ?? 0)
    }
    this.#position += masked.length
    return plain
  }
}

/** Head of an unmasked, unfragmented frame. */
function frameHead(opcode: number, length: number): Buffer {
  if (length < 126) return Buffer.from([0x80 | opcode, length])
  const head = Buffer.alloc(length < 0x1_0000 ? 4 : 10)
  head[0] = 0x80 | opcode
  head[1] = length < 0x1_0000 ? 126 : 127
  if (head.length === 4) head.writeUInt16BE(length, 2)
  else head.writeBigUInt64BE(BigInt(length), 2)
  return head
}
