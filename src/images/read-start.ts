import { closeSync, openSync, readSync } from 'node:fs'

/** The first `length` bytes of a file, zeros where it is shorter: enough to see what it is. */
export function readStart(path: string, length: number): Buffer {
  const start = Buffer.alloc(length)
  const fd = openSync(path, 'r')
  try {
    readSync(fd, start)
  } finally {
    closeSync(fd)
  }
  return start
}
