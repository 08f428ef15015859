import { chmodSync, chownSync, closeSync, constants, lchownSync, openSync } from 'node:fs'
import type { TarEntry } from '#archive'
import type { FilePath, Files } from '#kernel'
import { O_PATH } from './descriptor-path.ts'
import { isOverlayXattr } from './whiteout.ts'

/** Answers of a file system, or of a type of file, that cannot hold an attribute. */
const UNSUPPORTED: ReadonlySet<string> = new Set(['EOPNOTSUPP', 'ENOTSUP', 'EPERM'])

/**
 * Gives the new node at `path` the owner, mode and extended attributes of its entry, in the order in which they do not undo each other:
 * a new owner takes away setuid bits and capabilities.
 *
 * `path` ends in the node's own name below an open directory. Owner and mode go through a descriptor, because chmod(2) follows links and
 * the name may have become one (a running container swaps it for a link to /etc/shadow).
 */
export function setAttributes(files: Files, path: FilePath, entry: TarEntry, owner: { uid: number; gid: number }): void {
  if (entry.type === 'symlink') {
    lchownSync(path, owner.uid, owner.gid)
  } else {
    const fd = openSync(path, O_PATH | constants.O_NOFOLLOW)
    try {
      setOwnerAndMode(fd, entry, owner)
    } finally {
      closeSync(fd)
    }
  }
  setXattrs(files, path, entry)
}

/** The same for a node that is open. fchmod(2) refuses O_PATH descriptors; their entry below /proc does not. */
export function setOwnerAndMode(fd: number, entry: TarEntry, owner: { uid: number; gid: number }): void {
  const node = `/proc/self/fd/${fd}`
  chownSync(node, owner.uid, owner.gid)
  chmodSync(node, entry.mode)
}

/** As with Docker, an attribute that the file system cannot hold does not fail the archive. */
export function setXattrs(files: Files, path: FilePath, entry: TarEntry): void {
  for (const [name, value] of entry.xattrs) {
    if (isOverlayXattr(name)) continue
    try {
      files.setXattr(path, name, value)
    } catch (error) {
      if (!UNSUPPORTED.has((error as { code?: string }).code ?? '')) throw error
    }
  }
}
