import type { Dirent } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Bytes of all files below `directory`, each hard-linked one once, directories and links' targets not counted; Docker's way to say how large a volume
 * is. Reads in the background. What disappears meanwhile counts nothing.
 */
export async function treeSize(directory: string): Promise<number> {
  const seen = new Set<string>()
  let total = 0
  const pending = [directory]
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    for (const entry of await entriesOf(path)) {
      const child = join(path, entry.name)
      if (entry.isDirectory()) {
        pending.push(child)
        continue
      }
      const stat = await lstat(child, { bigint: true }).catch(() => undefined)
      if (stat === undefined) continue
      const inode = `${stat.dev}:${stat.ino}`
      if (stat.nlink > 1n && seen.has(inode)) continue
      seen.add(inode)
      total += Number(stat.size)
    }
  }
  return total
}

async function entriesOf(path: string): Promise<Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
