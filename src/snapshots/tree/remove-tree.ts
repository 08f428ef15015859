import { closeSync, constants, openSync, readdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { decodeName } from '#archive'
import { SyscallError } from '#errors'
import type { FilePath } from '#kernel'
import { mountIdOf, O_PATH, pathIn } from './descriptor-path.ts'
import { inSlices } from './in-slices.ts'

/** Directories held open at once. */
const MAX_DEPTH = 64
/** What was moved to the top is found by the next pass. A container that makes new files all the time must not keep us here for ever. */
const MAX_PASSES = 10_000
const EBUSY = 16

export interface RemoveOptions {
  /**
   * Throw EBUSY for what something is mounted on. For trees of a container: seen from our mount namespace nothing is mounted there, and the
   * kernel would let it go and the container's volume with it.
   */
  keepMounts: boolean
}

/**
 * Deletes everything in `directory`, with synchronous calls; gives way after each name, for threads that have other work (`inSlices`).
 * Every level is entered by descriptor with O_NOFOLLOW: a directory exchanged for a link meanwhile is unlinked and not entered.
 * Attack: a container nests directories deeper than paths or descriptors reach, so that its files can never be deleted. What lies too deep
 * is moved to the top and deleted from there.
 */
export function* emptying(directory: FilePath, options: RemoveOptions = { keepMounts: false }): Generator<void, void, void> {
  const fd = openDirectory(directory)
  try {
    for (let pass = 0; pass < MAX_PASSES; pass++) {
      const names = readNames(fd)
      if (names.length === 0) return
      for (const name of names) yield* removing(fd, name, { ...options, top: fd, depth: 1 })
    }
  } finally {
    closeSync(fd)
  }
}

/** {@link emptying} in one go: for worker threads. */
export function emptyDirectory(directory: string): void {
  for (const _ of emptying(directory));
}

/** Deletes a directory with all in it, in a thread that has other work. Gone already is fine. */
export async function deleteTree(directory: string): Promise<void> {
  try {
    for await (const _ of inSlices(emptying(directory)));
    rmdirSync(directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

/** Deletes one entry of an open directory with all below it. Gone already is fine. */
export function removeTree(directoryFd: number, name: string, options: RemoveOptions): void {
  if (options.keepMounts) refuseMountPoint(directoryFd, name)
  const path = pathIn(directoryFd, name)
  if (tryUnlink(path)) return
  try {
    for (const _ of emptying(path, options));
    rmdirSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

interface Descent extends RemoveOptions {
  /** Where to put what lies too deep. */
  top: number
  depth: number
}

function* removing(directoryFd: number, name: string, descent: Descent): Generator<void, void, void> {
  if (descent.keepMounts) refuseMountPoint(directoryFd, name)
  const path = pathIn(directoryFd, name)
  yield
  if (tryUnlink(path)) return
  if (descent.depth > MAX_DEPTH) {
    renameSync(path, pathIn(descent.top, randomUUID()))
    return
  }
  const fd = openDirectory(path)
  try {
    for (const child of readNames(fd)) yield* removing(fd, child, { ...descent, depth: descent.depth + 1 })
  } finally {
    closeSync(fd)
  }
  rmdirSync(path)
}

function openDirectory(path: FilePath): number {
  return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
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

function readNames(fd: number): string[] {
  return readdirSync(`/proc/self/fd/${fd}`, { encoding: 'buffer' }).map(decodeName)
}

function refuseMountPoint(directoryFd: number, name: string): void {
  let fd: number
  try {
    fd = openSync(pathIn(directoryFd, name), O_PATH | constants.O_NOFOLLOW)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  try {
    if (mountIdOf(fd) !== mountIdOf(directoryFd)) throw new SyscallError('unlinkat', EBUSY, 'EBUSY', 'device or resource busy', [name])
  } finally {
    closeSync(fd)
  }
}
