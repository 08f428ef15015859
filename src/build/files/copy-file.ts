import { closeSync, constants, fstatSync, linkSync, lstatSync, openSync, unlinkSync } from 'node:fs'
import { posix } from 'node:path'
import { systemPath } from '#archive'
import { invalidArgument } from '#errors'
import type { FilePath, Files } from '#kernel'
import { O_PATH, pathIn, removeTree } from '#snapshots'
import { copyFileAttributes, modeOf } from './attributes.ts'
import type { Changes } from './attributes.ts'
import type { ContentCopier } from './copy-content.ts'

const READ_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

/** What files are copied with. */
export interface FileCopy {
  readonly files: Files
  readonly changes: Changes
  /** What is in the way goes, whatever it is. */
  readonly replaceExisting: boolean
  readonly copyContent: ContentCopier
  /** Files with several names that were copied: inode of the source → path of the copy. undefined: they are left to others. */
  readonly links: Map<string, string> | undefined
}

/** A directory of the target that is made when something is to be put in it. */
export interface TargetDirectory {
  /** O_PATH; valid until the directory is finished. */
  open(): number
  /** In the root, without links. */
  readonly path: string
  /** Root of the file system in which it is open: links are made in one only. */
  readonly rootFd: number
}

/** A regular file. Returns false for one that was left. */
export function copyFile(run: FileCopy, from: FilePath, above: TargetDirectory, name: string): boolean {
  const sourceFd = openSync(from, READ_FILE)
  let targetFd: number | undefined
  try {
    const stat = fstatSync(sourceFd, { bigint: true })
    if (!stat.isFile()) throw invalidArgument(`${name}: changed while it was copied`)
    const to = pathIn(above.open(), name)
    const inode = stat.nlink > 1n ? `${stat.dev}:${stat.ino}` : undefined
    if (inode !== undefined && run.links === undefined) return false
    const twin = inode === undefined ? undefined : run.links?.get(inode)
    if (twin !== undefined) {
      replacing(run, above, name, () => linkTo(run, { rootFd: above.rootFd, path: twin }, to))
      return true
    }
    targetFd = replacing(run, above, name, () => openSync(to, NEW_FILE, modeOf(stat, run.changes) & 0o777))
    run.copyContent(sourceFd, stat, targetFd)
    copyFileAttributes(run.files, { fd: sourceFd, stat }, { fd: targetFd, path: to }, run.changes)
    if (inode !== undefined) run.links?.set(inode, posix.join(above.path, name))
    return true
  } finally {
    closeSync(sourceFd)
    if (targetFd !== undefined) closeSync(targetFd)
  }
}

/** Another name for a file of the target. */
function linkTo({ files }: FileCopy, { rootFd, path }: { rootFd: number; path: string }, to: FilePath): void {
  const fd = files.openInRoot(rootFd, systemPath(posix.dirname(path)), O_PATH | constants.O_DIRECTORY)
  try {
    linkSync(pathIn(fd, posix.basename(path)), to)
  } finally {
    closeSync(fd)
  }
}

/** Runs `make`; when the name is taken, takes away what has it, if that may be, and runs `make` again. */
export function replacing<T>(run: FileCopy, above: TargetDirectory, name: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if ((error as { code?: string }).code !== 'EEXIST') throw error
  }
  const directoryFd = above.open()
  if (run.replaceExisting) removeTree(directoryFd, name, { keepMounts: false })
  else if (lstatSync(pathIn(directoryFd, name)).isDirectory()) {
    throw invalidArgument(`cannot replace to directory ${posix.join(above.path, name)} with file`)
  } else unlinkSync(pathIn(directoryFd, name))
  return make()
}
