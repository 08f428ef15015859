import { ftruncateSync, readSync, writeSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import type { Files } from '#kernel'

/** Files up to this size are read and written at once: asking the kernel for a shorter way would cost more. */
const SMALL = 128 * 1024

/** Copies the data of one file into another at a time; for one thread. */
export type ContentCopier = (fromFd: number, stat: BigIntStats, toFd: number) => void

/** Holes stay holes. A source that becomes shorter meanwhile gives what it has. */
export function createContentCopier(files: Files): ContentCopier {
  const small = Buffer.allocUnsafeSlow(SMALL)
  let large: Buffer | undefined

  function copyThrough(buffer: Buffer, fromFd: number, toFd: number, offset: number, length: number): void {
    for (let done = 0; done < length;) {
      const count = readSync(fromFd, buffer, 0, Math.min(buffer.length, length - done), offset + done)
      if (count === 0) return
      for (let written = 0; written < count;) written += writeSync(toFd, buffer, written, count - written, offset + done + written)
      done += count
    }
  }

  return (fromFd, stat, toFd) => {
    const size = Number(stat.size)
    if (size === 0) return
    const hasHoles = stat.blocks * 512n < stat.size
    if (size <= SMALL && !hasHoles) return copyThrough(small, fromFd, toFd, 0, size)
    if (hasHoles) ftruncateSync(toFd, size)
    for (const { offset, length } of hasHoles ? files.dataExtents(fromFd, size) : [{ offset: 0, length: size }]) {
      if (files.copyRange(fromFd, toFd, { offset, length })) continue
      large ??= Buffer.allocUnsafeSlow(1024 * 1024)
      copyThrough(large, fromFd, toFd, offset, length)
    }
  }
}
