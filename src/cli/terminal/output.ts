import { writeSync } from 'node:fs'
import { isatty, WriteStream } from 'node:tty'

/** Standard output or standard error of the CLI. */
export interface Output {
  readonly isTerminal: boolean
  /** Writes at once, waiting while the reader is slow. Throws BrokenPipeError when nobody reads any more. */
  write(data: string | Uint8Array): void
  /** `[rows, columns]` of the terminal; undefined when it is none. */
  size(): [number, number] | undefined
}

/** The reader of our output has gone: the command ends quietly, as a program killed by SIGPIPE would. */
export class BrokenPipeError extends Error {
  override readonly name = 'BrokenPipeError'
}

/** How long to wait before trying a full non-blocking pipe again. */
const RETRY_MILLISECONDS = 1

/**
 * Output on a descriptor. Synchronous writes: a slow reader slows down the connection the bytes come from, nothing is left to flush when
 * the process exits, and `process.stdout` (3 ms to load) is not needed.
 */
export function createOutput(fd: number): Output {
  return {
    isTerminal: isatty(fd),
    write(data) {
      let rest = typeof data === 'string' ? Buffer.from(data) : data
      while (rest.length > 0) {
        try {
          rest = rest.subarray(writeSync(fd, rest))
        } catch (error) {
          const { code } = error as NodeJS.ErrnoException
          if (code === 'EPIPE') throw new BrokenPipeError('write: broken pipe', { cause: error })
          if (code !== 'EAGAIN') throw error
          // The pipe was made non-blocking by whoever shares it; there is nothing to poll with but time.
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MILLISECONDS)
        }
      }
    },
    size() {
      if (!isatty(fd)) return undefined
      const stream = new WriteStream(fd)
      const [columns, rows] = stream.getWindowSize()
      return [rows, columns]
    },
  }
}

/** Output that nobody wants to see. */
export const SILENT: Output = { isTerminal: false, write: () => {}, size: () => undefined }
