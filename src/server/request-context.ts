/** One request and its answer, as the handlers of plain routes see them. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { encodeProgress, type ApiVersion } from '#api'
import { announcesBody, checkContentType, parseJson, readBody } from './decode/json-body.ts'
import { Query } from './decode/query.ts'
import type { RouteMatch } from './router.ts'
import { messageOf } from './http-status.ts'
import { requestBody } from './streams/request-body.ts'
import { decodeBody, type StructCodec } from './wire/codec.ts'

export class RequestContext {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly params: Record<string, string>
  readonly version: ApiVersion
  readonly #search: string
  readonly #shutdown: AbortSignal
  #query: Query | undefined
  #signal: AbortSignal | undefined

  constructor(request: IncomingMessage, response: ServerResponse, match: RouteMatch, shutdown: AbortSignal) {
    this.request = request
    this.response = response
    this.params = match.params
    this.version = match.version
    this.#search = match.search
    this.#shutdown = shutdown
  }

  /** A path parameter of the matched route. */
  param(name: string): string {
    return this.params[name] ?? ''
  }

  get query(): Query {
    return (this.#query ??= new Query(this.#search))
  }

  /**
   * Aborts when nobody waits for the answer any more: the client went away or closed its sending side (Go's server takes that for going
   * away, too), or the server shuts down. Also after the answer, when nothing listens any more.
   */
  get signal(): AbortSignal {
    if (this.#signal !== undefined) return this.#signal
    const controller = new AbortController()
    const abort = (): void => controller.abort()
    // Kept here: a response that was closed early has lost its socket.
    const { socket } = this.request
    if (this.response.destroyed || socket.destroyed || this.#shutdown.aborted) abort()
    this.response.once('close', abort)
    socket.once('end', abort)
    this.#shutdown.addEventListener('abort', abort, { once: true })
    this.response.once('close', () => {
      socket.off('end', abort)
      this.#shutdown.removeEventListener('abort', abort)
    })
    return (this.#signal = controller.signal)
  }

  /** Whether the client has left half-way, or {@link signal} has fired: an error after that tells only that the work stopped as it should. */
  get isAborted(): boolean {
    return this.#signal?.aborted === true || (this.request.destroyed && !this.request.complete)
  }

  /** Body as JSON, decoded by its table. No body: `{}`. Throws INVALID_ARGUMENT. */
  async readJson<D>(codec: StructCodec<D>): Promise<Partial<D>> {
    return decodeBody(codec, await this.readRawJson(), this.version)
  }

  /** Body as plain JSON, for the few handlers that look at it before the table does. */
  async readRawJson(): Promise<unknown> {
    const mayHaveBody = announcesBody(this.request.headers)
    checkContentType(this.request.headers, mayHaveBody)
    return mayHaveBody ? parseJson(await readBody(this.request)) : undefined
  }

  /** The body as it comes in, however long; to be asked for once. Destroyed with an error when the client goes away. */
  get body(): Readable {
    return requestBody(this.request)
  }

  json(status: number, value: unknown): void {
    const bytes = Buffer.from(`${JSON.stringify(value)}\n`)
    this.response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': bytes.length })
    this.response.end(bytes)
  }

  empty(status: number, headers: Record<string, string> = {}): void {
    // 204 and 304 have no body by definition; for the rest a length of 0 keeps the connection usable.
    const length = status === 204 || status === 304 ? {} : { 'Content-Length': 0 }
    this.response.writeHead(status, { ...headers, ...length })
    this.response.end()
  }

  /** Sends the head at once; the body follows in chunks. */
  startStream(contentType: string, headers: Record<string, string> = {}): void {
    this.response.writeHead(200, { 'Content-Type': contentType, ...headers })
    this.response.flushHeaders()
  }

  /** Writes with backpressure. False when the client is gone: the caller stops. */
  async write(chunk: Buffer | string): Promise<boolean> {
    const { response } = this
    if (response.destroyed || response.writableEnded) return false
    if (response.write(chunk)) return true
    await new Promise<void>((resolve) => {
      const done = (): void => {
        response.off('drain', done)
        response.off('close', done)
        resolve()
      }
      response.on('drain', done)
      response.on('close', done)
    })
    return !response.destroyed
  }

  /**
   * Runs a long operation whose progress is streamed. Before the first message an error is an ordinary error response; after it the status
   * is sent, and the error becomes the last message, in both spellings clients read.
   */
  async streamProgress(run: (report: (message: unknown) => void) => Promise<void>): Promise<void> {
    const report = (message: unknown): void => {
      if (this.response.destroyed) return
      if (!this.response.headersSent) this.startStream('application/json')
      // A client that does not read must not fill our memory: of what goes on it gets to see less. What is done it is always told.
      if (this.response.writableNeedDrain && isPassing(message)) return
      this.response.write(encodeProgress(message))
    }
    try {
      await run(report)
    } catch (error) {
      if (!this.response.headersSent) throw error
      report({ errorDetail: { message: messageOf(error) }, error: messageOf(error) })
    }
    if (!this.response.headersSent) this.startStream('application/json')
    this.response.end()
  }
}

/** Whether the next message of its kind makes this one superfluous: bytes so far. */
function isPassing(message: unknown): boolean {
  return (message as { progressDetail?: { current?: number } }).progressDetail?.current !== undefined
}
