import { writev, writevSync } from 'node:fs'
import { promisify } from 'node:util'

const writevAsync = promisify(writev) as (fd: number, buffers: Buffer[], position: number) => Promise<{ bytesWritten: number }>

/** Bytes given to one system call. */
const BATCH = 1024 * 1024

/** What is left at the end of a file is written at once up to this size: the way to the thread pool and back costs more. */
const SMALL = 64 * 1024

/** Most buffers of one writev(2): IOV_MAX. */
const MAX_BUFFERS = 1024

/**
 * Writes the data of files, one after the other. Pieces are collected and written off the main thread while the next ones arrive; at most one
 * write is under way. The buffers given must not change any more.
 */
export interface FileWriter {
  /** Bytes of one file in order of their offsets. Throws what an earlier write failed with. */
  write(fd: number, offset: number, bytes: Buffer): Promise<void>
  /** Resolves when everything is written. Call it before the descriptor is closed, in any case. */
  end(): Promise<void>
}

export function createFileWriter(): FileWriter {
  let pieces: Buffer[] = []
  let length = 0
  let start = 0
  let target = -1
  let writing: Promise<void> | undefined

  /** Waits for what was written earlier, not for what is written now. */
  async function flush(): Promise<void> {
    await writing
    writing = writeAll(target, pieces, start)
    writing.catch(() => undefined) // reported where it is waited for
    start += length
    pieces = []
    length = 0
  }

  return {
    async write(fd, offset, bytes) {
      if (length > 0 && offset !== start + length) await flush() // a hole
      if (length === 0) start = offset
      target = fd
      pieces.push(bytes)
      length += bytes.length
      if (length >= BATCH || pieces.length === MAX_BUFFERS) await flush()
    },
    async end() {
      const rest = { pieces, length }
      pieces = []
      length = 0
      const earlier = writing
      writing = undefined
      await earlier
      if (rest.length > SMALL) await writeAll(target, rest.pieces, start)
      else writeAllSync(target, rest.pieces, start)
    },
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

function writeAllSync(fd: number, pieces: Buffer[], start: number): void {
  let position = start
  for (let rest = pieces; rest.length > 0;) {
    const count = writevSync(fd, rest, position)
    position += count
    rest = withoutFirst(rest, count)
  }
}

function withoutFirst(pieces: Buffer[], count: number): Buffer[] {
  let index = 0
  let left = count
  for (let piece = pieces[0]; piece !== undefined && left >= piece.length; piece = pieces[++index]) left -= piece.length
  const [first, ...others] = pieces.slice(index)
  return first === undefined ? [] : [first.subarray(left), ...others]
}
