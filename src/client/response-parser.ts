/** What a parser reports; body chunks are valid only during the call. */
export interface ResponseEvents {
  onHead(head: ResponseHead): void
  onBody(chunk: Buffer): void
  /** The body is complete; `rest` are bytes behind it (only a protocol switch has any). */
  onComplete(): void
}

export interface ResponseHead {
  status: number
  /** Lower-case names; repeated fields joined with `, `. */
  headers: ReadonlyMap<string, string>
  /** The connection can carry another request once the body is read. */
  keepAlive: boolean
}

/** Framing of the body that follows a head. `until-close` is also what a hijacked connection looks like. */
type Framing = { kind: 'none' } | { kind: 'length'; left: number } | { kind: 'chunked' } | { kind: 'until-close' }

const MAX_HEAD_BYTES = 64 * 1024
const MAX_CHUNK_LINE = 1024

/**
 * An incremental HTTP/1.1 response parser (RFC 9112) for one response. node:http would do, but loading it costs the CLI 8 ms at start.
 * Throws SyntaxError on malformed input; the connection is then unusable.
 */
export class ResponseParser {
  readonly #events: ResponseEvents
  readonly #method: string
  #state: 'head' | 'body' | 'chunk-size' | 'chunk-data' | 'chunk-end' | 'trailer' | 'complete' = 'head'
  #pending: Buffer = Buffer.alloc(0)
  #framing: Framing = { kind: 'none' }
  #left = 0

  /** `method` decides whether a body may follow: the answer to HEAD has none, whatever its headers say. */
  constructor(method: string, events: ResponseEvents) {
    this.#method = method
    this.#events = events
  }

  get complete(): boolean {
    return this.#state === 'complete'
  }

  push(chunk: Buffer): void {
    let rest = chunk
    while (rest.length > 0 && this.#state !== 'complete') rest = this.#step(rest)
  }

  /** The peer closed. Completes a body that runs until the end; anything else was cut off: SyntaxError. */
  end(): void {
    if (this.#state === 'complete') return
    if (this.#state === 'body' && this.#framing.kind === 'until-close') return this.#finish()
    throw new SyntaxError('unexpected EOF')
  }

  #step(chunk: Buffer): Buffer {
    switch (this.#state) {
      case 'head':
        return this.#readHead(chunk)
      case 'body':
        return this.#framing.kind === 'until-close' ? this.#readAll(chunk) : this.#readCounted(chunk)
      case 'chunk-data':
        return this.#readCounted(chunk)
      default:
        return this.#readLine(chunk)
    }
  }

  #readHead(chunk: Buffer): Buffer {
    const data = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
    const end = data.indexOf('\r\n\r\n')
    if (end < 0) {
      if (data.length > MAX_HEAD_BYTES) throw new SyntaxError('response header is too large')
      this.#pending = Buffer.from(data) // the transport reuses its buffer
      return chunk.subarray(chunk.length)
    }
    this.#pending = Buffer.alloc(0)
    const rest = data.subarray(end + 4)
    const head = parseHead(data.toString('latin1', 0, end))
    if (head.status === 100 || head.status === 102 || head.status === 103) return rest // interim: the real head follows
    this.#framing = framingOf(this.#method, head)
    this.#state = this.#framing.kind === 'chunked' ? 'chunk-size' : 'body'
    this.#left = this.#framing.kind === 'length' ? this.#framing.left : 0
    this.#events.onHead(this.#framing.kind === 'until-close' ? { ...head, keepAlive: false } : head)
    if (this.#framing.kind === 'none' || (this.#framing.kind === 'length' && this.#left === 0)) this.#finish()
    return rest
  }

  #readAll(chunk: Buffer): Buffer {
    this.#events.onBody(chunk)
    return chunk.subarray(chunk.length)
  }

  #readCounted(chunk: Buffer): Buffer {
    const part = chunk.length <= this.#left ? chunk : chunk.subarray(0, this.#left)
    this.#left -= part.length
    this.#events.onBody(part)
    if (this.#left === 0) {
      if (this.#state === 'chunk-data') this.#state = 'chunk-end'
      else this.#finish()
    }
    return chunk.subarray(part.length)
  }

  /** Chunk sizes, the empty line behind a chunk, and trailer fields (ignored). */
  #readLine(chunk: Buffer): Buffer {
    const end = chunk.indexOf(0x0a)
    const piece = end < 0 ? chunk : chunk.subarray(0, end + 1)
    const line = this.#pending.length === 0 ? piece : Buffer.concat([this.#pending, piece])
    if (line.length > MAX_CHUNK_LINE) throw new SyntaxError('malformed chunked encoding')
    if (end < 0) {
      this.#pending = Buffer.from(line)
      return chunk.subarray(chunk.length)
    }
    this.#pending = Buffer.alloc(0)
    this.#endOfLine(line.toString('latin1').replace(/\r?\n$/, ''))
    return chunk.subarray(end + 1)
  }

  #endOfLine(line: string): void {
    if (this.#state === 'chunk-size') {
      const digits = /^([0-9a-fA-F]{1,13})\s*(?:;.*)?$/.exec(line)?.[1]
      if (digits === undefined) throw new SyntaxError('malformed chunked encoding')
      this.#left = Number.parseInt(digits, 16)
      this.#state = this.#left === 0 ? 'trailer' : 'chunk-data'
    } else if (this.#state === 'chunk-end') {
      if (line !== '') throw new SyntaxError('malformed chunked encoding')
      this.#state = 'chunk-size'
    } else if (line === '') this.#finish()
  }

  #finish(): void {
    this.#state = 'complete'
    this.#events.onComplete()
  }
}

function parseHead(text: string): ResponseHead {
  const [statusLine = '', ...lines] = text.split('\r\n')
  const match = /^HTTP\/1\.([01]) (\d{3})(?: |$)/.exec(statusLine)
  if (match === null) throw new SyntaxError(`malformed HTTP response ${JSON.stringify(statusLine.slice(0, 80))}`)
  const headers = new Map<string, string>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon <= 0) throw new SyntaxError('malformed HTTP header')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    const before = headers.get(name)
    headers.set(name, before === undefined ? value : `${before}, ${value}`)
  }
  const connection = headers.get('connection')?.toLowerCase() ?? ''
  const keepAlive = match[1] === '1' ? !connection.includes('close') : connection.includes('keep-alive')
  return { status: Number(match[2]), headers, keepAlive }
}

/** RFC 9112 section 6.3. A 101 is followed by whatever the new protocol sends, until the end. */
function framingOf(method: string, head: ResponseHead): Framing {
  if (head.status === 101) return { kind: 'until-close' }
  if (method === 'HEAD' || head.status === 204 || head.status === 304) return { kind: 'none' }
  if (head.headers.get('transfer-encoding')?.toLowerCase().includes('chunked') === true) return { kind: 'chunked' }
  const length = head.headers.get('content-length')
  if (length === undefined) return { kind: 'until-close' }
  if (!/^\d{1,15}$/.test(length)) throw new SyntaxError('malformed Content-Length')
  return { kind: 'length', left: Number(length) }
}
