import { chmodSync, chownSync, closeSync, constants, mkdirSync, openSync } from 'node:fs'
import { systemPath } from '#archive'
import type { FilePath, Files } from '#kernel'
import { O_PATH, pathIn } from './descriptor-path.ts'

/** Directories kept open: archives come sorted, so the last few serve nearly every entry. */
const CAPACITY = 64

/** Where a tree is written, and the root beyond which no link leads. */
export interface TreePlace {
  /** Descriptor of the directory itself; the caller's. */
  directoryFd: number
  /** Descriptor of the root that links are resolved in. */
  rootFd: number
  /** The directory's path inside the root; `/` when it is the root. */
  path: string
}

/**
 * Descriptors of the directories that entries go to, opened once. The kernel resolves each path inside the root (openat2), so a link that
 * the archive or a container planted can lead anywhere but out; after that the descriptor cannot be led elsewhere by a rename or a new
 * link.
 */
export interface ParentDirectories extends Disposable {
  /**
   * Descriptor (O_PATH) of the directory; missing ones are made, 0755 and root's. Valid until the next call. Throws ENOTDIR for a way through
   * what is no directory, ENOENT for one through a link that leads nowhere.
   */
  open(components: readonly string[]): number
  /** To be called when a directory or a link has been replaced: at the next `open` all paths are resolved anew. */
  forget(): void
}

/** `makeTargets`: a link that leads nowhere (`/var/run -> /run`) gets what it points to, inside the root; else it is an error. */
export function createParentDirectories(files: Files, place: TreePlace, options: { makeTargets: boolean }): ParentDirectories {
  const descriptors = new Map<string, number>()
  const prefix = place.path === '/' ? '' : `${place.path}/`
  let stale = false

  function closeAll(): void {
    for (const fd of descriptors.values()) closeSync(fd)
    descriptors.clear()
    stale = false
  }

  function open(components: readonly string[]): number {
    if (components.length === 0) return place.directoryFd
    const path = components.join('/')
    const known = descriptors.get(path)
    if (known !== undefined) return known
    const fd = openOrMake(components, prefix + path)
    if (descriptors.size >= CAPACITY) closeAll()
    descriptors.set(path, fd)
    return fd
  }

  function openOrMake(components: readonly string[], path: string): number {
    try {
      return files.openInRoot(place.rootFd, systemPath(path), O_PATH | constants.O_DIRECTORY)
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOENT') throw error
    }
    try {
      return makeDirectory(pathIn(open(components.slice(0, -1)), components.at(-1) ?? ''))
    } catch (error) {
      // The name exists and yet leads nowhere.
      if ((error as { code?: string }).code !== 'EEXIST') throw error
      if (options.makeTargets) return files.mkdirInRoot(place.rootFd, systemPath(path), 0o755)
      return files.openInRoot(place.rootFd, systemPath(path), O_PATH | constants.O_DIRECTORY)
    }
  }

  return {
    open(components) {
      if (stale) closeAll()
      return open(components)
    },
    forget: () => void (stale = true),
    [Symbol.dispose]: closeAll,
  }
}

/** Makes the directory and opens it. By its descriptor: a program of the container may put a link in its place meanwhile. */
function makeDirectory(path: FilePath): number {
  mkdirSync(path, 0o755)
  const fd = openSync(path, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  // Against the group and the bit that a setgid parent hands down.
  chownSync(`/proc/self/fd/${fd}`, process.geteuid?.() ?? 0, process.getegid?.() ?? 0)
  chmodSync(`/proc/self/fd/${fd}`, 0o755)
  return fd
}
