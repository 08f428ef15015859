/**
 * Streams of JSON values as the Engine API sends them: progress (`\r\n` after each object), stats (`\n`), events (three media types).
 * Source: Engine API 1.52, `GET /events`; RFC 7464 for `application/json-seq`.
 */

export const MEDIA_TYPES = {
  json: 'application/json',
  jsonLines: 'application/jsonl',
  ndjson: 'application/x-ndjson',
  jsonSequence: 'application/json-seq',
  rawStream: 'application/vnd.docker.raw-stream',
  multiplexedStream: 'application/vnd.docker.multiplexed-stream',
  tar: 'application/x-tar',
} as const

/** One value in the framing that `mediaType` asks for: a record separator in front for json-seq, a line feed behind for all. */
export function encodeJsonRecord(mediaType: string, value: unknown): string {
  const line = `${JSON.stringify(value)}\n`
  return mediaType === MEDIA_TYPES.jsonSequence ? `\x1e${line}` : line
}

/** One progress message with Docker's `\r\n`. */
export function encodeProgress(value: unknown): string {
  return `${JSON.stringify(value)}\r\n`
}

/**
 * Splits a stream of JSON values, one per line, into values; accepts every framing above. Chunks may be cut anywhere, also inside a
 * multi-byte character. Throws SyntaxError for a line that is not JSON, RangeError for a line over `maxLineBytes`.
 */
export class JsonLineDecoder {
  readonly #maxLineBytes: number
  #pending: Buffer[] = []
  #pendingBytes = 0

  constructor(options: { maxLineBytes?: number } = {}) {
    this.#maxLineBytes = options.maxLineBytes ?? 16 * 1024 * 1024
  }

  write(chunk: Buffer): unknown[] {
    const values: unknown[] = []
    let start = 0
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      this.#push(chunk.subarray(start, end))
      this.#take(values)
      start = end + 1
    }
    this.#push(chunk.subarray(start))
    return values
  }

  /** What is left when the stream ends without a final line feed. */
  end(): unknown[] {
    const values: unknown[] = []
    this.#take(values)
    return values
  }

  #push(piece: Buffer): void {
    if (piece.length === 0) return
    this.#pendingBytes += piece.length
    if (this.#pendingBytes > this.#maxLineBytes)
      throw new RangeError(`A line of the JSON stream is longer than ${this.#maxLineBytes} bytes`)
    this.#pending.push(piece)
  }

  #take(values: unknown[]): void {
    const text = Buffer.concat(this.#pending).toString('utf8').replaceAll('\x1e', '').trim()
    this.#pending = []
    this.#pendingBytes = 0
    if (text !== '') values.push(JSON.parse(text))
  }
}
