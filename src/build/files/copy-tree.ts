import {
  chmodSync,
  closeSync,
  constants,
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
import type { FilePath } from '#kernel'
import { deviceOf } from '#lib'
import { O_PATH, pathIn } from '#snapshots'
import { copyAttributes, copyTimes, modeOf } from './attributes.ts'
import type { CopyAssistant } from './copy-assistant.ts'
import { copyFile, replacing } from './copy-file.ts'
import type { FileCopy, TargetDirectory } from './copy-file.ts'
import { systemPathOf } from './find-path.ts'
import type { Found } from './find-path.ts'
import type { Selection } from './selection.ts'

/** Directories held open at once are twice as many. */
const MAX_DEPTH = 1000

/** Entries of a directory after which others get their turn. */
const BATCH = 64
/** Files that are copied at a time, here or by the assistant: as few as are worth the way to it and back. */
const FILES = { most: 48, leastShared: 8 }

const DIRECTORY = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW
const READ_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW

/** What one copy is done with. */
export interface CopyRun extends FileCopy {
  readonly selection: Selection
  /** Root of the file system that is copied to. */
  readonly rootFd: number
  /** See `ActionInput`. */
  readonly upperFd?: number
  /** Absent: all is done here. */
  readonly assistant?: CopyAssistant
}

/** Where a copy goes. `isNew`: a directory that was made for it. */
export type Target = Found & { isNew: boolean }

/** A node of the source. `from` ends in its own name. */
interface Source {
  from: FilePath
  stat: BigIntStats
  /** Relative to where the copy began; empty there. */
  path: string
}

/**
 * Copies what was found in a source to a place in a target, with all below it: links as links, hard links, devices, holes, owners, modes, times, extended
 * attributes. An existing directory is merged with; what is in it gets the source's attributes, itself only the times. Every directory of either side is entered
 * by descriptor without following links: a source that changes meanwhile is copied somehow, but nothing else is. Yields now and then, for the thread to look
 * around. Throws INVALID_ARGUMENT in BuildKit's words for a file in the place of a directory or the other way round. Source: tonistiigi/fsutil copy/copy.go.
 */
export function* copyTree(run: CopyRun, source: Found & { stat: BigIntStats }, target: Target): Generator<void, void, void> {
  const top = { from: systemPathOf(source), stat: source.stat, path: '' }
  const above: TargetDirectory = { open: () => target.directoryFd, path: posix.dirname(target.path), rootFd: run.rootFd }
  if (source.stat.isDirectory()) yield* copyDirectory(run, top, { ...target, above }, 1)
  else copyNode(run, top, above, target.name)
}

/** Where a directory goes. `isNew`: it was made for this. */
interface Place {
  above: TargetDirectory
  name: string
  isNew: boolean
}

function* copyDirectory(run: CopyRun, source: Source, place: Place, depth: number): Generator<void, void, void> {
  if (depth > MAX_DEPTH) throw invalidArgument(`directories are nested deeper than ${MAX_DEPTH}`)
  const isIncluded = source.path === '' || run.selection.includes(source.path)
  if (!isIncluded && run.selection.prunes(source.path)) return
  const held = new DisposableStack()
  let finish = (): void => {}
  try {
    const fd = openSync(source.from, READ_DIRECTORY)
    held.defer(() => closeSync(fd))
    const target = held.use(createTargetDirectory(run, source, place, isIncluded))
    if (isIncluded) target.open()
    const directory = `/proc/self/fd/${fd}`
    // latin1 keeps every byte of a name in one character, which also makes the order that of bytes.
    const entries = readdirSync(directory, { encoding: 'latin1', withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
    const files: string[] = []
    for (const [index, entry] of entries.entries()) {
      if (index % BATCH === 0) yield
      const child = childOf(source, directory, entry)
      if (entry.isDirectory()) {
        const stat = lstatSync(child.from, { bigint: true, throwIfNoEntry: false })
        if (stat?.isDirectory() === true) {
          yield* copyDirectory(run, { ...child, stat }, { above: target, name: child.name, isNew: false }, depth + 1)
        }
      } else if (!run.selection.includes(child.path)) continue
      else if (entry.isFile()) files.push(child.name)
      else copyEntry(run, child, target)
    }
    yield* copyFiles(run, files, fd, target)
    finish = () => target.finish()
  } finally {
    const end = (): void => {
      using _ = held
      finish()
    }
    // Descriptors of this directory, and of those above it, may be in use by another thread.
    if (run.assistant === undefined) end()
    else run.assistant.afterwards(end)
  }
}

function* copyFiles(run: CopyRun, names: readonly string[], fromFd: number, target: TargetDirectory): Generator<void, void, void> {
  const copy = (name: string): void => void copyFile(run, systemPath(`/proc/self/fd/${fromFd}/${name}`), target, name)
  for (let start = 0; start < names.length; start += FILES.most) {
    yield
    const batch = names.slice(start, start + FILES.most)
    const isTaken = batch.length >= FILES.leastShared && run.assistant?.take({ fromFd, target, names: batch }, copy)
    if (isTaken !== true) for (const name of batch) copy(name)
  }
}

function childOf(source: Source, directory: string, entry: Dirent): { name: string; path: string; from: FilePath } {
  const name = decodeName(Buffer.from(entry.name, 'latin1'))
  return { name, path: source.path === '' ? name : `${source.path}/${name}`, from: systemPath(`${directory}/${name}`) }
}

function copyEntry(run: CopyRun, child: Omit<Source, 'stat'> & { name: string }, target: TargetDirectory): void {
  const stat = lstatSync(child.from, { bigint: true, throwIfNoEntry: false })
  if (stat !== undefined && !stat.isDirectory()) copyNode(run, { ...child, stat }, target, child.name)
}

/** Anything but a directory. */
function copyNode(run: CopyRun, { from, stat }: Source, above: TargetDirectory, name: string): void {
  if (stat.isFile()) return void copyFile(run, from, above, name)
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

/** `isIncluded`: it is meant itself, and not only on the way to something that is. */
function createTargetDirectory(
  run: CopyRun,
  source: Source,
  { above, name, isNew: wasMade }: Place,
  isIncluded: boolean,
): TargetDirectory & Disposable & { finish: () => void } {
  const path = posix.join(above.path, name)
  let fd: number | undefined
  let isNew = false
  let { rootFd } = above
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
      if ((isNew || wasMade) && run.upperFd !== undefined && rootFd !== run.upperFd) {
        rootFd = run.upperFd
        fd = run.files.openInRoot(rootFd, systemPath(path), DIRECTORY)
      } else fd = openSync(to(), DIRECTORY)
      return fd
    },
    get rootFd() {
      return rootFd
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
