import { closeSync, constants, openSync, readdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { decodeName, systemPath } from '#archive'
import type { FilePath } from '#kernel'

/** Directories held open at once. */
const MAX_DEPTH = 64

/**
 * Deletes everything in `directory`, with synchronous calls: for worker threads.
 * Attack: a container nests directories deeper than paths or descriptors reach, so that its files can never be deleted. What lies too deep
 * is moved to the top and deleted from there.
 */
export function emptyDirectory(directory: string): void {
  // Moved ones come as new names; the last pass finds none.
  for (let names = readNames(directory); names.length > 0; names = readNames(directory)) {
    for (const name of names) remove(directory, `${directory}/${name}`, 1)
  }
}

function remove(top: string, path: string, depth: number): void {
  if (tryUnlink(systemPath(path))) return
  if (depth > MAX_DEPTH) {
    renameSync(systemPath(path), `${top}/${randomUUID()}`)
    return
  }
  const fd = openSync(systemPath(path), constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    for (const name of readNames(`/proc/self/fd/${fd}`)) remove(top, `/proc/self/fd/${fd}/${name}`, depth + 1)
  } finally {
    closeSync(fd)
  }
  rmdirSync(systemPath(path))
}

/** Whether the name is gone; a directory stays. */
function tryUnlink(path: FilePath): boolean {
  try {
    unlinkSync(path)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return true
    if (code === 'EISDIR') return false
    throw error
  }
}

function readNames(path: string): string[] {
  return readdirSync(path, { encoding: 'buffer' }).map(decodeName)
}
