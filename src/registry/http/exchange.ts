import { randomBytes } from 'node:crypto'
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { Readable } from 'node:stream'
import type { RequestInfo, RouteName } from '../types.ts'
import type { RegistryError } from './registry-error.ts'

/** Milliseconds for a client to take an error while it is still sending its body. */
const LINGER = 500

/** What a handler answered is on its way or the client is gone: nothing more can be said. */
export class ClientGoneError extends Error {
  constructor(cause?: unknown) {
    super('the client closed the connection', { cause })
    this.name = 'ClientGoneError'
  }
}

/** One request and its answer. */
export class Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly info: RequestInfo
  /** Decoded path without the query. */
  readonly path: string
  readonly query: URLSearchParams
  route: RouteName = 'unknown'
  repository: string | undefined
  actor: string | undefined
  /** Bytes of the bodies. */
  received = 0
  sent = 0
  /** The client waits for this server, not the other way round: a silent connection is no reason to end it. */
  isBusy = true
  /** Bytes of a streamed answer that are not handed over yet. */
  #missing = 0
  #continues: boolean
  readonly #shutdown: AbortSignal
  #signal: AbortSignal | undefined

  /** Throws URIError for a path that is not percent-encoded UTF-8. */
  constructor(request: IncomingMessage, response: ServerResponse, options: { expectsContinue: boolean; shutdown: AbortSignal }) {
    this.request = request
    this.response = response
    this.#continues = options.expectsContinue
    this.info = requestInfo(request)
    const [path, query] = splitOnce(request.url ?? '', '?')
    this.path = decodeURIComponent(path)
    this.query = new URLSearchParams(query)
    this.#shutdown = options.shutdown
  }

  get method(): string {
    return this.info.method
  }

  /** Aborted when the connection is gone or the server ends. */
  get signal(): AbortSignal {
    if (this.#signal === undefined) {
      const gone = new AbortController()
      if (this.response.destroyed) gone.abort()
      else this.response.once('close', () => gone.abort())
      this.#signal = AbortSignal.any([gone.signal, this.#shutdown])
    }
    return this.#signal
  }

  /** A request header, given once; undefined when absent. */
  header(name: string): string | undefined {
    const value = this.request.headers[name]
    return Array.isArray(value) ? value[0] : value
  }

  /** Bytes that the client says it sends; undefined for a body in chunks of unknown length. */
  get contentLength(): number | undefined {
    const text = this.header('content-length')
    if (text !== undefined) return Number(text)
    return this.header('transfer-encoding') === undefined ? 0 : undefined
  }

  /** Asks for the body of a client that waits to be asked (`Expect: 100-continue`). */
  admitBody(): void {
    if (this.#continues) this.response.writeContinue()
    this.#continues = false
  }

  /**
   * The body; asks the client for it when the client waits to be asked. `see` is called with each chunk. Throws {@link ClientGoneError} when the
   * connection breaks before its end.
   */
  async *body(see?: (chunk: Buffer) => void): AsyncGenerator<Buffer> {
    this.admitBody()
    this.isBusy = false
    try {
      // A reader that stops early must not destroy the request: the connection would go with it, and nobody could say why.
      for await (const chunk of this.request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        this.received += chunk.length
        see?.(chunk)
        this.isBusy = true
        yield chunk
        this.isBusy = false
      }
    } catch (error) {
      throw this.request.complete ? error : new ClientGoneError(error)
    } finally {
      this.isBusy = true
    }
  }

  /** Answers with bytes at hand, or with none. A HEAD gets the headers only. */
  send(status: number, headers: OutgoingHttpHeaders = {}, body: Uint8Array = Buffer.alloc(0)): void {
    const length = status === 204 || status === 304 ? {} : { 'Content-Length': body.length }
    this.isBusy = false
    this.response.writeHead(status, { ...length, ...headers, ...this.#closing() })
    if (this.method !== 'HEAD') this.sent += body.length
    this.#end(this.method === 'HEAD' ? undefined : body)
  }

  sendJson(status: number, value: unknown, headers: OutgoingHttpHeaders = {}): void {
    this.send(status, { 'Content-Type': 'application/json', ...headers }, Buffer.from(`${JSON.stringify(value)}\n`))
  }

  /** Answers with a stream of `length` bytes. Throws {@link ClientGoneError} when the client leaves before its end. */
  async sendStream(status: number, headers: OutgoingHttpHeaders, length: number, body: Readable): Promise<void> {
    this.isBusy = false
    this.#missing = length
    this.response.writeHead(status, { 'Content-Length': length, ...headers, ...this.#closing() })
    body.on('data', (chunk: Buffer) => {
      this.sent += chunk.length
      this.#missing -= chunk.length
    })
    try {
      await pipeline(body, this.response)
    } catch (error) {
      // A client that has what it counted on closes without further ado.
      if (this.#missing === 0) return
      throw this.response.destroyed ? new ClientGoneError(error) : error
    }
  }

  /** Whether the answer was handed over to its end. */
  get isAnswered(): boolean {
    return this.response.headersSent && this.#missing === 0 && (this.response.writableEnded || this.sent > 0)
  }

  sendError(error: RegistryError): void {
    this.send(error.status, { 'Content-Type': 'application/json', ...error.headers }, error.toBody())
  }

  /** A connection whose request was not read to its end is not used again: what comes next on it may be anything. */
  #closing(): OutgoingHttpHeaders {
    return this.request.complete ? {} : { Connection: 'close' }
  }

  #end(body: Uint8Array | undefined): void {
    if (this.request.complete) return void this.response.end(body)
    // Closing while the client sends would reset the connection, and the client might not see the answer: listen on for a moment.
    this.response.flushHeaders()
    if (body !== undefined && body.length > 0) this.response.write(body)
    const end = (): void => {
      clearTimeout(timer)
      this.response.end()
    }
    const timer = setTimeout(end, LINGER)
    this.request.once('end', end).once('close', end).resume()
  }
}

function requestInfo(request: IncomingMessage): RequestInfo {
  const { remoteAddress: shown = '', remotePort = 0 } = request.socket
  // A socket for both families shows IPv4 addresses as a part of IPv6.
  const remoteAddress = shown.replace(/^::ffff:(?=[\d.]+$)/, '')
  return {
    id: randomBytes(16).toString('hex'),
    address: remoteAddress.includes(':') ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`,
    host: request.headers.host ?? '',
    method: request.method ?? '',
    userAgent: request.headers['user-agent'] ?? '',
  }
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}
