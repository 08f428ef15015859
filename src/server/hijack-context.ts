/**
 * A request that turns its connection into a raw stream. Two ways lead here, and handlers see no difference:
 *
 * - with `Connection: Upgrade`, Node has stopped parsing by itself; the answer is `101 UPGRADED`;
 * - without, {@link takeOver} has cut the connection behind the head; the answer is `200 OK` without length and without chunks.
 *
 * Until {@link HijackContext.accept} errors are ordinary HTTP answers; after it they can only travel inside the stream.
 */

import { STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { MEDIA_TYPES, type ApiVersion } from '#api'
import { invalidArgument } from '#errors'
import { checkContentType, MAX_JSON_BODY, parseJson, readBody } from './decode/json-body.ts'
import { Query } from './decode/query.ts'
import { readExactly, untouched } from './connection.ts'
import { messageOf, statusOf } from './http-status.ts'
import type { RouteMatch } from './router.ts'
import { decodeBody, type StructCodec } from './wire/codec.ts'

/** How long a client may take to close its side after ours is closed, milliseconds. */
const LINGER = 10_000

export class HijackContext {
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly params: Record<string, string>
  readonly version: ApiVersion
  readonly query: Query
  readonly #upgrade: boolean
  readonly #headers: Record<string, string>
  #answered = false

  constructor(request: IncomingMessage, socket: Duplex, match: RouteMatch, options: { upgrade: boolean; headers: Record<string, string> }) {
    this.request = request
    this.socket = socket
    this.params = match.params
    this.version = match.version
    this.query = new Query(match.search)
    this.#upgrade = options.upgrade
    this.#headers = options.headers
  }

  param(name: string): string {
    return this.params[name] ?? ''
  }

  /** Whether an answer has been written; from then on the bytes belong to the stream. */
  get answered(): boolean {
    return this.#answered
  }

  /** Body as JSON, decoded by its table; what follows it stays in the socket. Throws INVALID_ARGUMENT. */
  async readJson<D>(codec: StructCodec<D>): Promise<Partial<D>> {
    const bytes = await this.#readBody()
    checkContentType(this.request.headers, bytes.length > 0)
    return decodeBody(codec, parseJson(bytes), this.version)
  }

  /** For routes without a body: one that comes nevertheless must not end up in the stream. */
  async discardBody(): Promise<void> {
    await this.#readBody()
  }

  async #readBody(): Promise<Buffer> {
    const { headers } = this.request
    const length = Number(headers['content-length'] ?? 0)
    if (!this.#upgrade && headers['transfer-encoding'] !== undefined) {
      throw invalidArgument('a request that is hijacked without Upgrade needs a Content-Length')
    }
    if (length > MAX_JSON_BODY) throw invalidArgument('http: request body too large')
    return this.#upgrade ? readBody(this.request) : readExactly(this.socket, length)
  }

  /** Writes the head and gives the raw stream, nothing of it read yet. `multiplexed`: the answer is a series of frames (container without tty). */
  accept(multiplexed: boolean): Duplex {
    const mediaType = this.#upgrade && multiplexed && this.version >= 42 ? MEDIA_TYPES.multiplexedStream : MEDIA_TYPES.rawStream
    this.#writeHead(
      this.#upgrade ? '101 UPGRADED' : '200 OK',
      this.#upgrade ? { 'Content-Type': mediaType, Connection: 'Upgrade', Upgrade: 'tcp' } : { 'Content-Type': mediaType },
    )
    return untouched(this.socket)
  }

  /** Switches to another protocol, e.g. `websocket`, whose answer has headers of its own. */
  switchProtocol(headers: Record<string, string>): Duplex {
    this.#writeHead('101 Switching Protocols', { Connection: 'Upgrade', ...headers })
    return untouched(this.socket)
  }

  /** An ordinary answer without body, after which the connection ends. */
  empty(status: number): void {
    this.#writeHead(`${status} ${STATUS_CODES[status]}`, { 'Content-Length': '0', Connection: 'close' })
    this.finish()
  }

  /** An ordinary error answer, after which the connection ends. */
  fail(error: unknown): void {
    const status = statusOf(error)
    const body = status === 304 ? '' : `${JSON.stringify({ message: messageOf(error) })}\n`
    this.#writeHead(`${status} ${STATUS_CODES[status] ?? 'Error'}`, {
      'Content-Type': 'application/json',
      'Content-Length': String(Buffer.byteLength(body)),
      Connection: 'close',
    })
    this.socket.write(body)
    this.finish()
  }

  /**
   * Closes our side, and the connection when the client has closed its own. What the client still sends is read and dropped: a socket
   * closed over unread data is reset, and on TCP the reset may overtake the last output.
   */
  finish(): void {
    const { socket } = this
    if (socket.destroyed) return
    socket.end()
    socket.resume()
    const timer = setTimeout(() => socket.destroy(), LINGER)
    timer.unref()
    socket.once('close', () => clearTimeout(timer))
  }

  #writeHead(status: string, headers: Record<string, string>): void {
    this.#answered = true
    const lines = Object.entries({ ...headers, ...this.#headers }).map(([name, value]) => `${name}: ${value}\r\n`)
    this.socket.write(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n`)
  }
}
