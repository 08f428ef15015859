import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs'
import type { BigIntStats, Dirent } from 'node:fs'
import { posix } from 'node:path'
import { decodeName, systemPath } from '#archive'
import { invalidArgument } from '#errors'
import type { FilePath, Files } from '#kernel'
import { deviceOf } from '#lib'
import { O_PATH, pathIn, removeTree } from '#snapshots'
import { copyAttributes, copyFileAttributes, copyTimes, modeOf } from './attributes.ts'
import type { Changes } from './attributes.ts'
import type { ContentCopier } from './copy-content.ts'
import { systemPathOf } from './find-path.ts'
import type { Found } from './find-path.ts'
import type { Selection } from './selection.ts'

/** Directories held open at once are twice as many. */
const MAX_DEPTH = 1000

/** Entries of a directory after which others get their turn. */
const BATCH = 64

const READ_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
const READ_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

/** What one copy is done with. */
export interface CopyRun {
  readonly files: Files
  readonly changes: Changes
  readonly selection: Selection
  /** What is in the way goes, whatever it is. */
  readonly replaceExisting: boolean
  readonly copyContent: ContentCopier
  /** Root of the file system that is copied to. */
  readonly targetRootFd: number
  /** Files with several names that were copied: inode of the source → path of the copy. */
  readonly links: Map<string, string>
}

/** A node of the source. `from` ends in its own name. */
interface Source {
  from: FilePath
  stat: BigIntStats
  /** Relative to where the copy began; empty there. */
  path: string
}

/** A directory of the target that is made when something is to be put in it. */
interface TargetDirectory {
  /** O_PATH; valid until the directory is finished. */
  open(): number
  /** In the root, without links. */
  readonly path: string
}

/**
 * Copies what was found in a source to a place in a target, with all below it: links as links, hard links, devices, holes, owners, modes, times, extended
 * attributes. An existing directory is merged with; what is in it gets the source's attributes, itself only the times. Every directory of either side is entered
 * by descriptor without following links: a source that changes meanwhile is copied somehow, but nothing else is. Yields now and then, for the thread to look
 * around. Throws INVALID_ARGUMENT in BuildKit's words for a file in the place of a directory or the other way round. Source: tonistiigi/fsutil copy/copy.go.
 */
export function* copyTree(run: CopyRun, source: Found & { stat: BigIntStats }, target: Found): Generator<void, void, void> {
  const top = { from: systemPathOf(source), stat: source.stat, path: '' }
  const above: TargetDirectory = { open: () => target.directoryFd, path: posix.dirname(target.path) }
  if (source.stat.isDirectory()) yield* copyDirectory(run, top, above, target.name, 1)
  else copyNode(run, top, above, target.name)
}

function* copyDirectory(run: CopyRun, source: Source, above: TargetDirectory, name: string, depth: number): Generator<void, void, void> {
  if (depth > MAX_DEPTH) throw invalidArgument(`directories are nested deeper than ${MAX_DEPTH}`)
  const isIncluded = source.path === '' || run.selection.includes(source.path)
  if (!isIncluded && run.selection.prunes(source.path)) return
  const fd = openSync(source.from, READ_DIRECTORY)
  try {
    using target = createTargetDirectory(run, source, above, name, isIncluded)
    if (isIncluded) target.open()
    const directory = `/proc/self/fd/${fd}`
    // latin1 keeps every byte of a name in one character, which also makes the order that of bytes.
    const entries = readdirSync(directory, { encoding: 'latin1', withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const [index, entry] of entries.entries()) {
      if (index % BATCH === 0) yield
      const child = childOf(source, directory, entry)
      if (entry.isDirectory()) {
        const stat = lstatSync(child.from, { bigint: true, throwIfNoEntry: false })
        if (stat?.isDirectory() === true) yield* copyDirectory(run, { ...child, stat }, target, child.name, depth + 1)
      } else if (run.selection.includes(child.path)) copyEntry(run, child, entry, target)
    }
    target.finish()
  } finally {
    closeSync(fd)
  }
}

function childOf(source: Source, directory: string, entry: Dirent): { name: string; path: string; from: FilePath } {
  const name = decodeName(Buffer.from(entry.name, 'latin1'))
  return { name, path: source.path === '' ? name : `${source.path}/${name}`, from: systemPath(`${directory}/${name}`) }
}

function copyEntry(run: CopyRun, child: Omit<Source, 'stat'> & { name: string }, entry: Dirent, target: TargetDirectory): void {
  if (entry.isFile()) return copyFile(run, child.from, target, child.name)
  const stat = lstatSync(child.from, { bigint: true, throwIfNoEntry: false })
  if (stat !== undefined && !stat.isDirectory()) copyNode(run, { ...child, stat }, target, child.name)
}

/** Anything but a directory. */
function copyNode(run: CopyRun, { from, stat }: Source, above: TargetDirectory, name: string): void {
  if (stat.isFile()) return copyFile(run, from, above, name)
  // A whiteout of overlayfs, seen where a layer lies alone: there is nothing.
  if (stat.isCharacterDevice() && stat.rdev === 0n) return
  const directoryFd = above.open()
  const to = pathIn(directoryFd, name)
  replacing(run, above, name, () => {
    if (stat.isSymbolicLink()) symlinkSync(readlinkSync(from, { encoding: 'buffer' }), to)
    else {
      const { major, minor } = deviceOf(stat)
      run.files.mknodAt(directoryFd, systemPath(name), Number(stat.mode & 0o170000n) | 0o600, major, minor)
    }
  })
  copyAttributes(run.files, from, stat, to, run.changes)
}

function copyFile(run: CopyRun, from: FilePath, above: TargetDirectory, name: string): void {
  const sourceFd = openSync(from, READ_FILE)
  let targetFd: number | undefined
  try {
    const stat = fstatSync(sourceFd, { bigint: true })
    if (!stat.isFile()) throw invalidArgument(`${name}: changed while it was copied`)
    const to = pathIn(above.open(), name)
    const inode = stat.nlink > 1n ? `${stat.dev}:${stat.ino}` : undefined
    const twin = inode === undefined ? undefined : run.links.get(inode)
    if (twin !== undefined) return replacing(run, above, name, () => linkTo(run, twin, to))
    targetFd = replacing(run, above, name, () => openSync(to, NEW_FILE, modeOf(stat, run.changes) & 0o777))
    run.copyContent(sourceFd, stat, targetFd)
    copyFileAttributes(run.files, { fd: sourceFd, stat }, { fd: targetFd, path: to }, run.changes)
    if (inode !== undefined) run.links.set(inode, posix.join(above.path, name))
  } finally {
    closeSync(sourceFd)
    if (targetFd !== undefined) closeSync(targetFd)
  }
}

/** Another name for a file of the target. */
function linkTo({ files, targetRootFd }: CopyRun, path: string, to: FilePath): void {
  const fd = files.openInRoot(targetRootFd, systemPath(posix.dirname(path)), O_PATH | constants.O_DIRECTORY)
  try {
    linkSync(pathIn(fd, posix.basename(path)), to)
  } finally {
    closeSync(fd)
  }
}

/** Runs `make`; when the name is taken, takes away what has it, if that may be, and runs `make` again. */
function replacing<T>(run: CopyRun, above: TargetDirectory, name: string, make: () => T): T {
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

/** `isIncluded`: it is meant itself, and not only on the way to something that is. */
function createTargetDirectory(
  run: CopyRun,
  source: Source,
  above: TargetDirectory,
  name: string,
  isIncluded: boolean,
): TargetDirectory & Disposable & { finish: () => void } {
  const path = posix.join(above.path, name)
  let fd: number | undefined
  let isNew = false
  const to = (): FilePath => systemPathOf({ directoryFd: above.open(), name })

  /** Whether it had to be made. */
  function make(): boolean {
    const existing = lstatSync(to(), { throwIfNoEntry: false })
    if (existing?.isDirectory() === true) return false
    if (existing !== undefined && !run.replaceExisting) throw invalidArgument(`cannot copy to non-directory: ${path}`)
    if (existing !== undefined) unlinkSync(to())
    mkdirSync(to(), 0o700)
    return true
  }

  return {
    path,
    open() {
      if (fd !== undefined) return fd
      isNew = make()
      fd = openSync(to(), O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW)
      return fd
    },
    /** What is put into a directory changes its time: at the end. */
    finish() {
      if (fd === undefined) return
      if (isNew || (isIncluded && source.path !== '')) copyAttributes(run.files, source.from, source.stat, to(), run.changes)
      else if (source.path === '') copyTimes(run.files, source.stat, to(), run.changes)
      else chmodSync(`/proc/self/fd/${fd}`, modeOf(source.stat, {}))
    },
    [Symbol.dispose]() {
      if (fd !== undefined) closeSync(fd)
    },
  }
}
