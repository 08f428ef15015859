import { closeSync, constants, openSync, readSync } from 'node:fs'
import { createTarDecoder, decompress } from '#archive'
import { codeOf } from '#errors'
import type { Files } from '#kernel'
import { extractTree, O_PATH } from '#snapshots'
import type { Changes } from './attributes.ts'
import { findPath, systemPathOf } from './find-path.ts'
import { directoryMaker } from './make-nodes.ts'

const READ_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY

/** Bytes in which the first header of an archive is found, or is not. */
const CHUNK = 512 * 1024

/**
 * Unpacks the file at `path` to the directory `target`, which is made, if it is a tar archive: plain or compressed, told by its content. Whether it was. Names
 * and links in the archive lead nowhere but inside the target. Owners are the archive's unless changed; modes are the archive's in any case. Throws
 * INVALID_ARGUMENT for an archive that is bad further on.
 */
export async function unpackArchive(
  files: Files,
  { fromFd, path, rootFd, target, changes }: { fromFd: number; path: string; rootFd: number; target: string; changes: Changes },
  signal: AbortSignal | undefined,
): Promise<boolean> {
  using source = findPath(fromFd, path, { follow: true })
  if (source.stat?.isFile() !== true) return false
  const fd = openSync(systemPathOf(source), READ_FILE)
  try {
    if (!(await isArchive(fd))) return false
    const make = directoryMaker(files, changes)
    using found = findPath(rootFd, target, { follow: true, make })
    if (found.stat === undefined) make(found.directoryFd, found.name)
    const directoryFd = openSync(systemPathOf(found), O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW)
    try {
      const { chunks } = await decompress(bytesOf(fd))
      const { owner } = changes
      await extractTree(files, directoryFd, chunks, { whiteouts: 'none', ...(owner && { owner }), ...(signal && { signal }) })
      return true
    } finally {
      closeSync(directoryFd)
    }
  } finally {
    closeSync(fd)
  }
}

/** Whether the first header can be read. */
async function isArchive(fd: number): Promise<boolean> {
  const decoder = createTarDecoder()
  try {
    const { chunks } = await decompress(bytesOf(fd))
    for await (const chunk of chunks) {
      for (const _ of decoder.push(chunk)) return true
    }
    return false
  } catch (error) {
    if (codeOf(error) !== 'INVALID_ARGUMENT' || (error as Error).message.endsWith('is not installed')) throw error
    return false
  }
}

/** Each chunk in a buffer of its own: it may be inflated while the next one is read. */
async function* bytesOf(fd: number): AsyncGenerator<Buffer, void, void> {
  for (let position = 0; ;) {
    const buffer = Buffer.allocUnsafeSlow(CHUNK)
    const count = readSync(fd, buffer, 0, buffer.length, position)
    if (count === 0) return
    position += count
    yield buffer.subarray(0, count)
  }
}
