/** Files that are whole or not there at all, also after a loss of power. */

import { randomUUID } from 'node:crypto'
import { mkdir, open, rename, rmdir, unlink, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** A directory may be removed, being empty, between its making and the rename into it: so often it is made again. */
const RENAME_ATTEMPTS = 10

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
  async function syncContent(file: FileHandle): Promise<void> {
    if (sync) await file.datasync()
  }

  async function syncDirectory(path: string): Promise<void> {
    if (!sync) return
    await using directory = await open(path, 'r')
    await directory.sync()
  }

  /** Makes `path` and the directories above it, and brings their names to the disk. */
  async function makeDirectory(path: string): Promise<void> {
    const first = await mkdir(path, { recursive: true, mode: 0o700 })
    if (first === undefined) return
    for (let made = path; made.length >= first.length; made = dirname(made)) await syncDirectory(dirname(made))
  }

  async function moveInto(from: string, path: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      await makeDirectory(dirname(path))
      try {
        await rename(from, path)
        await syncDirectory(dirname(path))
        return
      } catch (error) {
        // Either `from` is not there, or `remove` took the empty directory away in between.
        if (!isMissing(error) || attempt === RENAME_ATTEMPTS || !(await exists(from))) throw error
      }
    }
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
      try {
        await unlink(path)
      } catch (error) {
        if (isMissing(error)) return
        throw error
      }
      for (let directory = dirname(path); directory.length > root.length; directory = dirname(directory)) {
        try {
          await rmdir(directory)
        } catch {
          // Not empty, or somebody else was faster: either way there is nothing more to do above it.
          return syncDirectory(directory).catch(() => {})
        }
      }
    },
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await using _file = await open(path, 'r')
    return true
  } catch {
    return false
  }
}

/** Whether an error says that there is no such file. */
export function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  return code === 'ENOENT' || code === 'ENOTDIR'
}
