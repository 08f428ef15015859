/**
 * Taking a connection away from Node's HTTP parser in the middle of a request.
 *
 * Docker's hijacked requests (attach, exec start) may come without `Upgrade`: headers, a JSON body cut by Content-Length, and then, with
 * nothing in between, the raw bytes of stdin. Node's parser would read those bytes as the next request: `GET …` typed into a container
 * would reach the router, a leading line feed would vanish, anything else would be `HPE_INVALID_METHOD`. So every connection is watched
 * from its first byte, and {@link takeOver}, called while the head is being parsed, cuts the connection exactly behind the head.
 *
 * ```
 *  POST /exec/…/start HTTP/1.1␍␊ … ␍␊␍␊{"Tty":false}stdin stdin …
 *                                     ▲ takeOver: from here on the bytes are the handler's
 * ```
 *
 * A connection may also begin with HTTP/2's preface, without any upgrade before: then none of it is for Node's parser.
 */

import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { EngineError } from '#errors'

interface Watch {
  /** The chunk that the parser is working on now. */
  chunk: Buffer | undefined
  /** End of the chunk before, long enough to hold a torn blank line. */
  tail: Buffer
  /** Where in `chunk` the head of the request seen last ends. */
  offset: number
  taken: boolean
  stop: () => void
}

const END_OF_HEAD = Buffer.from('\r\n\r\n')
/** RFC 9113, 3.4. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
/** No method of HTTP/1.1 begins so; the rest may come later. */
const PREFACE_START = 4
const NOTHING = Buffer.alloc(0)
const watches = new WeakMap<Socket, Watch>()

/**
 * Remembers the bytes that are being parsed. Adding a listener also makes Node hand the data through JavaScript instead of feeding its
 * parser from C++, which costs about 1 µs per request. `http2` gets the paused socket, with all that came waiting to be read, when the client speaks HTTP/2.
 */
export function watchConnection(socket: Socket, http2: (socket: Socket) => void): void {
  let isFirst = true
  const before = (chunk: Buffer): void => {
    watch.chunk = chunk
    watch.offset = 0
    if (isFirst && isPreface(chunk)) {
      detach(socket, watch)
      socket.unshift(chunk)
      // When the parser is done with what it cannot understand, and its complaint has been ignored.
      queueMicrotask(() => http2(socket))
    }
    isFirst = false
  }
  // Runs after the parser: nothing larger than the torn end is kept while the connection is idle.
  const after = (chunk: Buffer): void => {
    watch.tail = Buffer.from(chunk.subarray(-(END_OF_HEAD.length - 1)))
    watch.chunk = undefined
    // The parser, done with what it took for a message, has resumed the socket: with nobody listening yet the bytes would be lost.
    if (watch.taken) socket.pause()
  }
  const stop = (): void => void socket.off('data', before).off('data', after)
  const watch: Watch = { chunk: undefined, tail: NOTHING, offset: 0, taken: false, stop }
  watches.set(socket, watch)
  socket.prependListener('data', before).on('data', after)
}

/** For a connection that Node itself has stopped parsing. */
export function unwatchConnection(socket: Socket): void {
  watches.get(socket)?.stop()
}

/** Whether the connection no longer speaks HTTP. What Node's parser still says about it must be ignored. */
export function isTakenOver(socket: Socket): boolean {
  return watches.get(socket)?.taken === true
}

/** Notes where the head of `request` ends; to be called for every request, in order, synchronously in the `request` event. */
export function passHead(request: IncomingMessage): void {
  const watch = watches.get(request.socket)
  if (watch?.chunk !== undefined) watch.offset = endOfHead(watch, request)
}

/**
 * Detaches the HTTP parser. Must be called right after {@link passHead}, still inside the `request` event. Returns the paused socket, with everything behind the
 * head waiting to be read, the request's body included. It may be read from the next microtask on, when the parser is done with the chunk.
 */
export function takeOver(request: IncomingMessage): Socket {
  const { socket } = request
  const watch = watches.get(socket)
  if (watch?.chunk === undefined) throw new EngineError('INTERNAL', 'Cannot take over connection: not inside the request event')
  detach(socket, watch)
  // The parser goes on with the rest of this one chunk and destroys its idea of a body when the connection closes.
  request.on('error', () => {})
  const rest = watch.chunk.subarray(watch.offset)
  if (rest.length > 0) socket.unshift(rest)
  return socket
}

function detach(socket: Socket, watch: Watch): void {
  watch.taken = true
  // `end` too: Node's listener would close our sending side as soon as the client half-closes its own.
  for (const event of ['data', 'end', 'drain', 'timeout', 'error', 'pause', 'resume']) socket.removeAllListeners(event)
  socket.on('error', () => socket.destroy())
  socket.pause()
}

function isPreface(chunk: Buffer): boolean {
  const length = Math.min(chunk.length, PREFACE.length)
  return length >= PREFACE_START && chunk.subarray(0, length).equals(PREFACE.subarray(0, length))
}

/** Reads exactly `length` bytes and pauses the socket again. Throws CANCELLED when the client ends before. */
export function readExactly(socket: Duplex, length: number): Promise<Buffer> {
  if (length === 0) return Promise.resolve(NOTHING)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    // Not `readable`: removing such a listener lets Node decide anew whether the stream flows, and it may decide that it does.
    const settle = (): void => {
      socket.off('data', onData).off('end', onEnd).off('close', onEnd).pause()
    }
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk)
      size += chunk.length
      if (size < length) return
      settle()
      const bytes = Buffer.concat(chunks)
      if (size > length) socket.unshift(bytes.subarray(length))
      resolve(bytes.subarray(0, length))
    }
    const onEnd = (): void => {
      settle()
      reject(new EngineError('CANCELLED', 'client closed the connection while sending the request'))
    }
    socket.on('data', onData).on('end', onEnd).on('close', onEnd).resume()
  })
}

/**
 * Makes a stream look untouched: neither flowing nor paused, so that its next owner's first `data` listener or `pipe` starts it. Node's own
 * upgrade does the same by the same assignment, which the types do not know.
 */
export function untouched<T extends Duplex>(stream: T): T {
  ;(stream as { readableFlowing: boolean | null }).readableFlowing = null
  return stream
}

function endOfHead(watch: Watch, request: IncomingMessage): number {
  const chunk = watch.chunk ?? NOTHING
  // The request line is in this chunk unless the head began in an earlier one; a body before it may hold blank lines of its own.
  const start = chunk.indexOf(`${request.method} ${request.url} HTTP/`, watch.offset)
  if (start !== -1) return chunk.indexOf(END_OF_HEAD, start) + END_OF_HEAD.length
  const joined = Buffer.concat([watch.tail, chunk.subarray(0, END_OF_HEAD.length)])
  const torn = joined.indexOf(END_OF_HEAD)
  if (torn !== -1 && torn < watch.tail.length) return torn + END_OF_HEAD.length - watch.tail.length
  return chunk.indexOf(END_OF_HEAD) + END_OF_HEAD.length
}
