import { createReadStream, openSync } from 'node:fs'
import { openFailure } from '../open-failure.ts'

/** Bytes handed over at a time. */
const CHUNK = 1024 * 1024

/** A file, or standard input for an empty path. Throws Error with Docker's text when it cannot be opened. */
export function readInput(path: string): AsyncIterable<Uint8Array> {
  if (path === '') return process.stdin
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch (error) {
    throw new Error(openFailure(path, error), { cause: error })
  }
  return createReadStream('', { fd, highWaterMark: CHUNK })
}
