import { chmodSync, chownSync, closeSync, constants, lstatSync, openSync, readdirSync } from 'node:fs'
import type { Files } from '#kernel'
import { extractTree, packTree } from '#snapshots'

/** Holes smaller than this are not worth a header. */
const SPARSE_FROM = 1 << 20

/**
 * Copies the content of `source` into `target` when that is empty, and gives `target` its owner, mode, attributes and times. Both are directories. The
 * target may be in use by a container already that plants links while we copy: every name is resolved inside it. Returns whether it copied.
 */
export async function copyUp(files: Files, source: string, target: string): Promise<boolean> {
  const root = openSync(target, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    const inside = `/proc/self/fd/${root}`
    if (readdirSync(inside).length > 0) return false
    await extractTree(files, root, packTree(files, `${source}/.`, { whiteouts: 'none', sparse: SPARSE_FROM }), { whiteouts: 'none' })
    copyRoot(files, source, inside)
    return true
  } finally {
    closeSync(root)
  }
}

/** `source` may be a link of /proc to a descriptor: a dot behind it means the directory itself. */
function copyRoot(files: Files, source: string, target: string): void {
  const from = `${source}/.`
  const to = `${target}/.`
  const stat = lstatSync(from, { bigint: true })
  chownSync(to, Number(stat.uid), Number(stat.gid))
  chmodSync(to, Number(stat.mode & 0o7777n))
  for (const name of files.listXattr(from)) {
    // What overlayfs keeps its books in is of no meaning elsewhere.
    if (name.startsWith('trusted.') || name.startsWith('user.overlay.') || name === 'security.selinux') continue
    const value = files.getXattr(from, name)
    if (value !== undefined) files.setXattr(to, name, value)
  }
  files.setTimes(to, stat.atimeNs, stat.mtimeNs)
}
