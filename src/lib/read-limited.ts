/** Input was longer than its reader was ready to take. */
export class LimitExceededError extends RangeError {
  /** Bytes. */
  readonly limit: number

  constructor(what: string, limit: number) {
    super(`${what} is larger than the limit of ${limit} bytes`)
    this.name = 'LimitExceededError'
    this.limit = limit
  }
}

/**
 * Reads a stream to its end. Throws {@link LimitExceededError} as soon as more than `limit` bytes came (the stream is then destroyed by its
 * iterator), so that memory is bounded by what the caller allows and not by who sends.
 */
export async function readLimited(source: AsyncIterable<Uint8Array | string>, limit: number, what = 'input'): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of source) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    length += bytes.length
    if (length > limit) throw new LimitExceededError(what, limit)
    chunks.push(bytes)
  }
  return Buffer.concat(chunks, length)
}
