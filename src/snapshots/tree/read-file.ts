import { closeSync, constants, fstatSync, openSync, read, readSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { promisify } from 'node:util'
import type { Extent } from '#archive'
import type { FilePath } from '#kernel'
import { O_PATH } from './descriptor-path.ts'

/** Bytes per read of a large file: the way to the thread pool and back must not count. */
const BLOCK = 1024 * 1024

/** Files up to this size are read at once. */
const SMALL = 64 * 1024

/** Failures after which a file is left out: gone, or not even root may read it (files of FUSE, of the kernel). */
const UNREADABLE: ReadonlySet<string> = new Set(['ENOENT', 'EACCES', 'EPERM', 'EIO', 'ENXIO'])

/**
 * Opens the file that was looked at for reading; undefined for one that is gone, replaced or unreadable. Attack: the container has put a device in
 * its place, and opening that alone has effects (/dev/watchdog). So it is named first (O_PATH) and opened when it is known.
 */
export function openSame(path: FilePath, stat: BigIntStats): number | undefined {
  const named = tryOpen(path, O_PATH | constants.O_NOFOLLOW)
  if (named === undefined) return undefined
  try {
    const now = fstatSync(named, { bigint: true })
    if (now.ino !== stat.ino || now.dev !== stat.dev || !now.isFile()) return undefined
    return tryOpen(`/proc/self/fd/${named}`, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  } finally {
    closeSync(named)
  }
}

function tryOpen(path: FilePath, flags: number): number | undefined {
  try {
    return openSync(path, flags)
  } catch (error) {
    if (UNREADABLE.has((error as { code?: string }).code ?? '')) return undefined
    throw error
  }
}

/** Resolves with the bytes read and the buffer given. */
const readAsync = promisify(read) as (
  fd: number,
  buffer: Buffer,
  offset: number,
  length: number,
  position: number,
) => Promise<{ bytesRead: number; buffer: Buffer }>

/** Exactly as many bytes as the extents say, whatever happens to the file meanwhile: past its end there are zeros. */
export async function* readExtents(fd: number, extents: readonly Extent[]): AsyncGenerator<Buffer, void, void> {
  for (const extent of extents) {
    if (extent.length > SMALL) yield* readLarge(fd, extent)
    else if (extent.length > 0) yield readSmall(fd, extent)
  }
}

/** The same by synchronous calls. All pieces are in one buffer: each is to be used before the next is asked for. */
export function createReaderNow(): (fd: number, extents: readonly Extent[]) => Generator<Buffer, void, void> {
  const buffer = Buffer.allocUnsafeSlow(256 * 1024)
  return function* (fd, extents) {
    for (const { offset, length } of extents) {
      for (let done = 0; done < length;) {
        const wanted = Math.min(buffer.length, length - done)
        const count = readSync(fd, buffer, 0, wanted, offset + done)
        const piece = count === 0 ? buffer.subarray(0, wanted).fill(0) : buffer.subarray(0, count)
        done += piece.length
        yield piece
      }
    }
  }
}

function readSmall(fd: number, { offset, length }: Extent): Buffer {
  const buffer = Buffer.alloc(length)
  let done = 0
  for (let count = -1; done < length && count !== 0; done += count) count = readSync(fd, buffer, done, length - done, offset + done)
  return buffer
}

/** The next block is read while the consumer is busy with the last. */
async function* readLarge(fd: number, { offset, length }: Extent): AsyncGenerator<Buffer, void, void> {
  let done = 0
  const readNext = (): ReturnType<typeof readAsync> => {
    const buffer = Buffer.allocUnsafeSlow(Math.min(BLOCK, length - done))
    return readAsync(fd, buffer, 0, buffer.length, offset + done)
  }
  let pending: ReturnType<typeof readAsync> | undefined = readNext()
  try {
    while (pending !== undefined) {
      const { bytesRead, buffer } = await pending
      const block = bytesRead === 0 ? buffer.fill(0) : buffer.subarray(0, bytesRead)
      done += block.length
      pending = done < length ? readNext() : undefined
      yield block
    }
  } finally {
    // A read still under way must not hit whoever gets the descriptor's number next.
    await pending?.catch(() => undefined)
  }
}
