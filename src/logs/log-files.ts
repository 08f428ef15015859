import { open, type FileHandle } from 'node:fs/promises'

/** One opened file of a log. Renaming by rotation does not touch it: the descriptor is what counts. */
export interface LogFile {
  handle: FileHandle
  /** Identity; cannot be given to another file while this one is open. */
  inode: bigint
  /** Bytes at opening. */
  size: number
  /** Nanoseconds since the epoch of the last write, in the kernel's coarse clock. */
  modified: bigint
}

/**
 * Opens the files of a log that are newer than the one with inode `after` (undefined: all), oldest first. The caller closes them.
 *
 * They are opened from the newest to the oldest, the direction in which rotation moves them: a rotation in between lets a file be met twice
 * (and skipped), never missed. During a rotation a name may be absent for a moment, so one gap does not end the search.
 */
export async function openLogFiles(path: string, maxFile: number, after?: bigint): Promise<LogFile[]> {
  await using undo = new AsyncDisposableStack()
  const files: LogFile[] = []
  // One more than are kept: a rotation may have shifted them and not yet removed the oldest.
  for (let index = 0, missing = 0; index <= maxFile && missing < 2; index++) {
    const handle = await openIfPresent(index === 0 ? path : `${path}.${index}`)
    if (handle === undefined) {
      missing++
      continue
    }
    missing = 0
    undo.use(handle)
    const { ino, size, mtimeNs } = await handle.stat({ bigint: true })
    if (ino === after) {
      await handle.close()
      break
    }
    if (files.some((file) => file.inode === ino)) await handle.close()
    else files.push({ handle, inode: ino, size: Number(size), modified: mtimeNs })
  }
  undo.move()
  return files.toReversed()
}

async function openIfPresent(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
