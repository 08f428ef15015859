const FULL = 256 * 1024

/** Collects small pieces into chunks worth sending: a system call per header would cost more than the header. */
export class ChunkBatch {
  #pieces: Buffer[] = []
  #length = 0

  get isFull(): boolean {
    return this.#length >= FULL
  }

  add(piece: Buffer): void {
    this.#pieces.push(piece)
    this.#length += piece.length
  }

  /** What was collected, as at most one chunk. */
  *take(): Generator<Buffer, void, void> {
    // Alone, a large piece is passed on as it is.
    const [first] = this.#pieces
    const chunk = first !== undefined && this.#pieces.length === 1 ? first : Buffer.concat(this.#pieces, this.#length)
    this.#pieces = []
    this.#length = 0
    if (chunk.length > 0) yield chunk
  }
}

/** The same bytes in chunks worth sending. */
export async function* batched(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
  const batch = new ChunkBatch()
  for await (const chunk of source) {
    batch.add(chunk)
    if (batch.isFull) yield* batch.take()
  }
  yield* batch.take()
}
