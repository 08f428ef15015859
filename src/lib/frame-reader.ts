const HEADER = 8

/**
 * Takes apart a connection that carries several streams: each frame is the number of its stream, three zeros, the payload's length (big-endian, four bytes) and
 * the payload. Chunks may be cut anywhere. Payloads are handed on as they come, without being copied or gathered: a frame may arrive as several pieces, and an
 * empty one not at all.
 */
export class FrameReader {
  readonly #take: (stream: number, payload: Buffer) => void
  readonly #header = Buffer.alloc(HEADER)
  #headerBytes = 0
  #remaining = 0

  constructor(take: (stream: number, payload: Buffer) => void) {
    this.#take = take
  }

  write(chunk: Buffer): void {
    let offset = 0
    while (offset < chunk.length) {
      if (this.#remaining === 0) {
        const copied = chunk.copy(this.#header, this.#headerBytes, offset, offset + HEADER - this.#headerBytes)
        this.#headerBytes += copied
        offset += copied
        if (this.#headerBytes < HEADER) return
        this.#headerBytes = 0
        this.#remaining = this.#header.readUInt32BE(4)
        continue
      }
      const end = Math.min(chunk.length, offset + this.#remaining)
      this.#take(this.#header[0] ?? 0, chunk.subarray(offset, end))
      this.#remaining -= end - offset
      offset = end
    }
  }

  /** Whether the connection may end here: not inside of a header or a payload. */
  get isComplete(): boolean {
    return this.#headerBytes === 0 && this.#remaining === 0
  }
}
