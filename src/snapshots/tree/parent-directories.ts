import { closeSync } from 'node:fs'
import type { Files } from '#kernel'

/** Directories kept open: archives come sorted, so the last few serve nearly every entry. */
const CAPACITY = 64

/**
 * Descriptors of the directories that entries go to, opened once. The kernel resolves each path inside the root (openat2), so a link that
 * the archive or a container planted can lead anywhere but out; after that the descriptor cannot be led elsewhere by a rename or a new
 * link.
 */
export interface ParentDirectories extends Disposable {
  /** Descriptor (O_PATH) of the directory; missing ones are made, 0755. Valid until the next call. */
  open(components: readonly string[]): number
  /** To be called when a directory or a link has been replaced: at the next `open` all paths are resolved anew. */
  forget(): void
}

export function createParentDirectories(files: Files, rootFd: number): ParentDirectories {
  const descriptors = new Map<string, number>()
  let stale = false

  function closeAll(): void {
    for (const fd of descriptors.values()) closeSync(fd)
    descriptors.clear()
    stale = false
  }

  return {
    open(components) {
      if (stale) closeAll()
      if (components.length === 0) return rootFd
      const path = components.join('/')
      const known = descriptors.get(path)
      if (known !== undefined) return known
      if (descriptors.size >= CAPACITY) closeAll()
      const fd = files.mkdirInRoot(rootFd, path, 0o755)
      descriptors.set(path, fd)
      return fd
    },
    forget: () => void (stale = true),
    [Symbol.dispose]: closeAll,
  }
}
