import { writev, writevSync } from 'node:fs'
import { promisify } from 'node:util'
import type { Pinned } from './pinned.ts'

const writevAsync = promisify(writev) as (fd: number, buffers: Buffer[], position: number) => Promise<{ bytesWritten: number }>

/** Bytes given to one system call. */
const BATCH = 1024 * 1024

/** What is left at the end of a file is written at once up to this size: the way to the thread pool and back costs more. */
const SMALL = 64 * 1024

/** Most buffers of one writev(2): IOV_MAX. */
const MAX_BUFFERS = 1024

/**
 * Writes the data of one file. Pieces are collected and written off the main thread while the next ones arrive; at most one write is under way. The
 * buffers given must not change any more.
 */
export class FileWriter {
  readonly #file: Pinned
  #pieces: Buffer[] = []
  #length = 0
  #position = 0
  #writing: Promise<void> = Promise.resolve()

  constructor(file: Pinned) {
    this.#file = file
  }

  async write(offset: number, bytes: Buffer): Promise<void> {
    if (offset !== this.#position + this.#length) {
      await this.#flush() // a hole
      this.#position = offset
    }
    this.#pieces.push(bytes)
    this.#length += bytes.length
    if (this.#length >= BATCH || this.#pieces.length === MAX_BUFFERS) await this.#flush()
  }

  /** Resolves when everything is written. Call it in any case: a write under way must not outlive the descriptor. */
  async end(): Promise<void> {
    await this.#writing
    if (this.#length <= SMALL) this.#writeRest()
    else await this.#flush()
    await this.#writing
  }

  #writeRest(): void {
    for (let rest = this.#pieces; rest.length > 0;) {
      const count = writevSync(this.#file.fd, rest, this.#position)
      this.#position += count
      rest = withoutFirst(rest, count)
    }
    this.#pieces = []
    this.#length = 0
  }

  /** Waits for what was written earlier, not for what is written now. */
  async #flush(): Promise<void> {
    await this.#writing
    if (this.#pieces.length === 0) return
    this.#writing = writeAll(this.#file.fd, this.#pieces, this.#position)
    this.#writing.catch(() => undefined) // reported by the next flush
    this.#position += this.#length
    this.#pieces = []
    this.#length = 0
  }
}

async function writeAll(fd: number, pieces: Buffer[], start: number): Promise<void> {
  let position = start
  for (let rest = pieces; rest.length > 0;) {
    const { bytesWritten } = await writevAsync(fd, rest, position)
    position += bytesWritten
    rest = withoutFirst(rest, bytesWritten)
  }
}

function withoutFirst(pieces: Buffer[], count: number): Buffer[] {
  let index = 0
  let left = count
  for (let piece = pieces[0]; piece !== undefined && left >= piece.length; piece = pieces[++index]) left -= piece.length
  const [first, ...others] = pieces.slice(index)
  return first === undefined ? [] : [first.subarray(left), ...others]
}
