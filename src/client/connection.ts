import { BodyStream } from './body-stream.ts'
import { ConnectionError } from './errors.ts'
import { ResponseParser, type ResponseHead } from './response-parser.ts'
import { IDLE_LISTENER, type Transport } from './transport.ts'

export type RequestBody = string | Uint8Array | AsyncIterable<Uint8Array>

export interface HttpRequest {
  method: string
  /** Path and query, ready to send. */
  path: string
  /** Of several values each is a header of its own. */
  headers: Record<string, string | readonly string[]>
  body?: RequestBody
}

export interface HttpResponse {
  status: number
  headers: ReadonlyMap<string, string>
  body: BodyStream
}

/** A connection that HTTP was left behind on: raw bytes both ways. */
export interface HijackedStream {
  /** `application/vnd.docker.multiplexed-stream` or `…raw-stream`; empty when the daemon did not say. */
  mediaType: string
  /** What the daemon sends. */
  body: BodyStream
  /** Resolves when the bytes are with the kernel, so a caller that waits is slowed down by a slow peer. */
  write(chunk: Uint8Array): Promise<void>
  /** Ends our side; the daemon's output goes on. */
  closeWrite(): void
  close(): void
}

/** Called when the connection may carry the next request. */
export type Release = (connection: Connection) => void

/** One HTTP/1.1 connection, one request at a time. */
export class Connection {
  readonly #transport: Transport
  readonly #describe: (error: Error, refused: boolean) => Error
  #answered = false
  #closed: Error | undefined
  #drained = Promise.withResolvers<void>()

  /** `describe` turns a socket's error into what the user is told. */
  constructor(transport: Transport, describe: (error: Error, refused: boolean) => Error) {
    this.#transport = transport
    this.#describe = describe
    this.#idle()
  }

  /** The peer has closed or the socket failed while idle: do not use it again. */
  get closed(): boolean {
    return this.#closed !== undefined
  }

  /** Sends a request and resolves with the head of its response. `release` is called once the body has been read to the end. */
  request(request: HttpRequest, release?: Release): Promise<HttpResponse> {
    const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>()
    let head: ResponseHead | undefined
    const body = this.#bodyStream()
    const fail = (error: Error): void => {
      this.#closed = error
      const described = this.#describe(error, !this.#answered)
      reject(described)
      body.finish(described)
      this.#drained.resolve()
    }
    const parser = new ResponseParser(request.method, {
      onHead: (received) => {
        this.#answered = true
        head = received
        resolve({ status: received.status, headers: received.headers, body })
      },
      onBody: (chunk) => body.push(chunk),
      onComplete: () => {
        if (head?.keepAlive === true && release !== undefined) {
          this.#idle()
          release(this)
        } else this.#close()
        body.finish()
      },
    })
    this.#listen(parser, fail)
    void this.#send(request).catch(fail)
    return promise
  }

  /** Sends a request that asks for the raw connection; rejects with nothing but `refusal`'s error when the daemon answers otherwise. */
  async hijack(request: HttpRequest, refusal: (response: HttpResponse) => Promise<never>): Promise<HijackedStream> {
    const response = await this.request(request)
    if (response.status !== 101 && response.status !== 200) await refusal(response)
    return {
      mediaType: response.headers.get('content-type') ?? '',
      body: response.body,
      write: (chunk) => this.#write(chunk),
      closeWrite: () => this.#transport.end(),
      close: () => this.#close(),
    }
  }

  close(): void {
    this.#close()
  }

  #listen(parser: ResponseParser, fail: (error: Error) => void): void {
    const guard = (step: () => void): void => {
      try {
        step()
      } catch (error) {
        this.#transport.destroy()
        fail(error as Error)
      }
    }
    this.#transport.listener = {
      onData: (chunk) => guard(() => parser.push(chunk)),
      onEnd: () => guard(() => parser.end()),
      onError: fail,
      onDrain: () => this.#drained.resolve(),
    }
    this.#transport.resume()
  }

  #bodyStream(): BodyStream {
    return new BodyStream({
      pause: () => this.#transport.pause(),
      resume: () => this.#transport.resume(),
      abort: () => this.#close(),
    })
  }

  async #send(request: HttpRequest): Promise<void> {
    const { body } = request
    let head = headOf(request)
    if (body === undefined) {
      // Go's and node's servers want a length on POST, or they take the body to be chunked or absent; zero is safe everywhere.
      if (request.method === 'POST' || request.method === 'PUT') head += 'Content-Length: 0\r\n'
      await this.#write(`${head}\r\n`)
      return
    }
    if (typeof body === 'string') {
      await this.#write(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
      return
    }
    if (body instanceof Uint8Array) {
      this.#transport.write(`${head}Content-Length: ${body.length}\r\n\r\n`)
      await this.#write(body)
      return
    }
    this.#transport.write(`${head}Transfer-Encoding: chunked\r\n\r\n`)
    for await (const chunk of body) {
      // The daemon may refuse an upload half way; its answer is what the user needs, not our EPIPE.
      if (this.#closed !== undefined || this.#answered) return
      if (chunk.length === 0) continue
      this.#transport.write(`${chunk.length.toString(16)}\r\n`)
      this.#transport.write(chunk)
      await this.#write('\r\n')
    }
    await this.#write('0\r\n\r\n')
  }

  async #write(data: string | Uint8Array): Promise<void> {
    if (this.#closed !== undefined) throw this.#closed
    if (this.#transport.write(data)) return
    this.#drained = Promise.withResolvers()
    await this.#drained.promise
  }

  #idle(): void {
    this.#answered = false
    this.#transport.listener = {
      ...IDLE_LISTENER,
      onEnd: () => (this.#closed = new ConnectionError('EOF', false)),
      onError: (error) => (this.#closed = error),
    }
  }

  #close(): void {
    this.#closed ??= new ConnectionError('connection closed', false)
    this.#drained.resolve()
    this.#transport.listener = IDLE_LISTENER
    this.#transport.destroy()
  }
}

/** Request line and headers. Throws for a line end in a value, behind which it would be a header, or a request, of its own. */
function headOf({ method, path, headers }: HttpRequest): string {
  const lines = Object.entries(headers).flatMap(([name, values]) =>
    (typeof values === 'string' ? [values] : values).map((value) => {
      if (/[\r\n\0]/.test(value)) throw new Error(`net/http: invalid header field value for ${JSON.stringify(name)}`)
      return `${name}: ${value}\r\n`
    }),
  )
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}`
}
