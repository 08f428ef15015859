import type { BatchWriter } from './batch-writer.ts'
import type { LogFile } from './log-files.ts'

const BLOCK = 256 * 1024

/** Writers cut lines at 16 KiB of text, at most six times as long when escaped; what is longer than this is no log line and is left out. */
const MAX_LINE = 1024 * 1024

/** Reads a file block by block and hands on complete lines; the beginning of a line waits for its rest. */
export class LineBuffer {
  readonly #file: LogFile
  #position: number
  #buffer: Buffer = Buffer.allocUnsafeSlow(BLOCK)
  #start = 0
  #end = 0

  constructor(file: LogFile, position: number) {
    this.#file = file
    this.#position = position
  }

  /** Reads one more block, but nothing at or behind byte `limit`. False when there is nothing to read now. */
  async fill(limit: number = Infinity): Promise<boolean> {
    if (this.#position >= limit) return false
    this.#makeRoom()
    const length = Math.min(this.#buffer.length - this.#end, limit - this.#position)
    const count = await this.#file.read(this.#buffer, this.#end, length, this.#position)
    this.#position += count
    this.#end += count
    return count > 0
  }

  /** The wire form of the complete lines read so far. The caller owns it. */
  drainInto(writer: BatchWriter): Buffer {
    this.#start = writer.add(this.#buffer, this.#start, this.#end)
    return writer.take()
  }

  /** Begins again at the first byte when the file was cut (`truncate -s 0`, as people do with logs that grew too long). */
  rewindIfTruncated(): boolean {
    if (this.#file.currentSize() >= this.#position) return false
    this.#position = 0
    this.#start = this.#end = 0
    return true
  }

  #makeRoom(): void {
    if (this.#start > 0) {
      this.#buffer.copyWithin(0, this.#start, this.#end)
      this.#end -= this.#start
      this.#start = 0
    }
    if (this.#end < this.#buffer.length) return
    if (this.#buffer.length < MAX_LINE) {
      const larger = Buffer.allocUnsafeSlow(this.#buffer.length * 2)
      this.#buffer.copy(larger)
      this.#buffer = larger
      // What follows up to the next newline does not look like a line and is skipped by the decoder.
    } else this.#end = 0
  }
}
