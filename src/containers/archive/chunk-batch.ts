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
    const chunk = Buffer.concat(this.#pieces, this.#length)
    this.#pieces = []
    this.#length = 0
    if (chunk.length > 0) yield chunk
  }
}
