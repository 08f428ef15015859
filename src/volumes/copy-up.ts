import { chmodSync, chownSync, closeSync, constants, lstatSync, mkdirSync, openSync, readdirSync, renameSync } from 'node:fs'
import { decodeName } from '#archive'
import { SyscallError } from '#errors'
import type { Files } from '#kernel'
import { deleteTree, extractTree, packTree, pathIn } from '#snapshots'

/** Holes smaller than this are not worth a header. */
const SPARSE_FROM = 1 << 20

/** Where the copy grows, and what it is called from the moment it is whole. Both below the directory that is filled, as only there a rename is sure. */
const GROWING = '.gantry-filling'
const WHOLE = '.gantry-filled'

/** A rename onto what a container has made meanwhile, or of what it has taken. */
const TAKEN = new Set(['ENOTEMPTY', 'EEXIST', 'EISDIR', 'ENOTDIR', 'ENOENT'])

/**
 * Copies the content of `source` into `target` when that is empty, and gives `target` its owner, mode, attributes and times. Both are directories. The
 * target may be in use by a container already that plants links while we copy: every name is resolved inside it. Returns whether it copied.
 *
 * A kill in the middle must not leave a target that is half full and taken for full: the copy grows in a directory of its own, is renamed when it is
 * whole, and only then are its entries moved up. `finishCopyUp` takes away the first and goes on with the second. Because whoever can write the target can
 * make such directories too, and would have root give it an owner and mode of his choice, they count only while the caller remembers that a copy goes
 * on: `begin` is called before anything is made.
 */
export async function copyUp(files: Files, source: string, target: string, begin: () => void): Promise<boolean> {
  const root = openDirectory(target)
  try {
    if (readNames(root).length > 0) return false
    begin()
    const growing = entry(root, GROWING)
    mkdirSync(growing, { mode: 0o700 })
    const staging = openDirectory(growing)
    try {
      await extractTree(files, staging, packTree(files, `${source}/.`, { whiteouts: 'none', sparse: SPARSE_FROM }), { whiteouts: 'none' })
      copyAttributes(files, source, `/proc/self/fd/${staging}`)
    } finally {
      closeSync(staging)
    }
    renameSync(growing, entry(root, WHOLE))
    await finish(files, root)
    return true
  } finally {
    closeSync(root)
  }
}

/** Settles what a copy that was cut off has left in `target`. Only for a target in which one is known to have begun. */
export async function finishCopyUp(files: Files, target: string): Promise<void> {
  const root = openDirectory(target)
  try {
    await finish(files, root)
  } finally {
    closeSync(root)
  }
}

async function finish(files: Files, root: number): Promise<void> {
  const [growing, whole] = [entry(root, GROWING), entry(root, WHOLE)]
  if (isDirectory(growing)) await deleteTree(growing)
  if (!isDirectory(whole)) return
  const staging = openDirectory(whole)
  // Before the moves change it; a second attempt finds the time of the first, which is all that is lost.
  const { atimeNs, mtimeNs } = lstatSync(whole, { bigint: true })
  try {
    for (const name of readNames(staging)) {
      try {
        renameSync(pathIn(staging, name), pathIn(root, name))
      } catch (error) {
        if (!TAKEN.has((error as NodeJS.ErrnoException).code ?? '')) throw error
      }
    }
    copyAttributes(files, `/proc/self/fd/${staging}`, `/proc/self/fd/${root}`)
  } finally {
    closeSync(staging)
  }
  await deleteTree(whole)
  files.setTimes(`/proc/self/fd/${root}/.`, atimeNs, mtimeNs)
}

/** As text, see `pathIn`. */
function entry(directory: number, name: typeof GROWING | typeof WHOLE): string {
  return `/proc/self/fd/${directory}/${name}`
}

function openDirectory(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
}

function isDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

function readNames(fd: number): string[] {
  return readdirSync(`/proc/self/fd/${fd}`, { encoding: 'latin1' }).map((name) => decodeName(Buffer.from(name, 'latin1')))
}

/** `source` may be a link of /proc to a descriptor: a dot behind it means the directory itself. */
function copyAttributes(files: Files, source: string, target: string): void {
  const from = `${source}/.`
  const to = `${target}/.`
  const stat = lstatSync(from, { bigint: true })
  chownSync(to, Number(stat.uid), Number(stat.gid))
  chmodSync(to, Number(stat.mode & 0o7777n))
  for (const name of files.listXattr(from)) {
    // What overlayfs keeps its books in is of no meaning elsewhere.
    if (name.startsWith('trusted.') || name.startsWith('user.overlay.') || name === 'security.selinux') continue
    const value = files.getXattr(from, name)
    if (value !== undefined) setXattrIfPossible(files, to, name, value)
  }
  files.setTimes(to, stat.atimeNs, stat.mtimeNs)
}

/** Not every file system keeps each attribute: the volume is of use without. */
function setXattrIfPossible(files: Files, ...[path, name, value]: Parameters<Files['setXattr']>): void {
  try {
    files.setXattr(path, name, value)
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error
  }
}
