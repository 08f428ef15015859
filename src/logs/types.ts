/** Contracts of `logs/`. The manual is in `index.ts`. */

export interface LogReadOptions {
  stdout: boolean
  stderr: boolean
  /** Nanoseconds since the epoch; undefined: no bound. */
  since?: bigint
  until?: bigint
  /** Last n lines; undefined: all. */
  tail?: number
  follow: boolean
  timestamps: boolean
  /** Put the `attrs` before each line. */
  details: boolean
  /** Docker's 8-byte frames (a container without tty) or bare text. */
  framed: boolean
}

export interface LogSource {
  /** The current file; rotated ones are beside it as `path.1` (newest) … */
  path: string
  maxFile: number
  /** Settles when no more will be written; lets `follow` end after the last line. */
  ended: Promise<void>
}

export interface LogReader {
  /** Batches of bytes ready for the wire, oldest line first. */
  read(source: LogSource, options: LogReadOptions, signal?: AbortSignal): AsyncIterable<Buffer>
}
