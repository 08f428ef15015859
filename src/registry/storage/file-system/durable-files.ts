/** Files that are whole or not there at all, also after a loss of power. */

import { randomUUID } from 'node:crypto'
import { mkdir, open, rename, rmdir, unlink, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AsyncMutex } from '#lib'

export interface DurableFiles {
  /** Writes `bytes` to `path` in one step; directories are made. */
  write(path: string, bytes: Uint8Array): Promise<void>
  /** Renames a file of the same file system to `path`, as modified now, its content to the disk first; directories are made. Throws ENOENT. */
  place(from: string, path: string): Promise<void>
  /** Absent is fine. Directories that are empty then are removed, up to but not including `root`. */
  remove(path: string, root: string): Promise<void>
  /** Content of an open file to the disk. */
  sync(file: FileHandle): Promise<void>
}

export interface DurableFilesOptions {
  /** Directory on the same file system. */
  temporary: string
  /** Whether to wait for the disk; without it a loss of power may take what was acknowledged. */
  sync: boolean
}

export function createDurableFiles({ temporary, sync }: DurableFilesOptions): DurableFiles {
  /** Held while names change: else `remove` takes away the empty directory that a rename is about to go into. Nobody waits for the disk under it. */
  const names = new AsyncMutex()

  async function syncContent(file: FileHandle): Promise<void> {
    if (sync) await file.datasync()
  }

  async function moveInto(from: string, path: string): Promise<void> {
    const directory = dirname(path)
    let made: string | undefined
    {
      using _lock = await names.lock()
      made = await mkdir(directory, { recursive: true, mode: 0o700 })
      await rename(from, path)
    }
    if (!sync) return
    // The name of the file, and those of the directories above it that are new.
    const last = made === undefined ? directory : dirname(made)
    for (let at = directory; at.length >= last.length; at = dirname(at)) await syncDirectory(at)
  }

  return {
    sync: syncContent,

    async write(path, bytes) {
      const draft = join(temporary, randomUUID())
      try {
        {
          await using file = await open(draft, 'wx', 0o600)
          await file.writeFile(bytes)
          await syncContent(file)
        }
        await moveInto(draft, path)
      } catch (error) {
        await unlink(draft).catch(() => {}) // the first error is the one to tell
        throw error
      }
    },

    async place(from, path) {
      {
        await using file = await open(from, 'r+')
        const now = new Date()
        await file.utimes(now, now)
        await syncContent(file)
      }
      await moveInto(from, path)
    },

    async remove(path, root) {
      let directory = dirname(path)
      {
        using _lock = await names.lock()
        if (!(await unlinkIfThere(path))) return
        while (directory.length > root.length && (await rmdirIfEmpty(directory))) directory = dirname(directory)
      }
      if (sync) await syncDirectory(directory)
    },
  }
}

/** A directory that is gone needs no sync: whoever removed it has synced the one above. */
async function syncDirectory(path: string): Promise<void> {
  try {
    await using directory = await open(path, 'r')
    await directory.sync()
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}

async function unlinkIfThere(path: string): Promise<boolean> {
  try {
    await unlink(path)
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

async function rmdirIfEmpty(path: string): Promise<boolean> {
  try {
    await rmdir(path)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false
    throw error
  }
}

/** Whether an error says that there is no such file. */
export function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  return code === 'ENOENT' || code === 'ENOTDIR'
}
