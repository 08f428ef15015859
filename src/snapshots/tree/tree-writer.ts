/**
 * Writes the entries of a tar archive below a directory: the one place where names from strangers become files.
 *
 * Rules, and the attack each stops:
 * - Names are cut to components; `..` beyond the top is refused (`../../etc/cron.d/x`).
 * - Directories are opened by the kernel inside the root, everything else is done relative to that descriptor (a link `d -> /etc` planted by
 *   an earlier entry, or swapped in by a running container, then `d/passwd`).
 * - Files are made with O_EXCL and O_NOFOLLOW: what has the name already is removed first (`removeTree`), never written through.
 * - A hard link's target is resolved the same way, so it cannot name a file of the host.
 * - Owner and mode: see `setAttributes`. overlayfs's own attributes are not taken from archives: see `isOverlayXattr`.
 */

import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import type { Stats } from 'node:fs'
import { posix } from 'node:path'
import { systemPath } from '#archive'
import type { TarEntry, TarEvent } from '#archive'
import { EngineError, invalidArgument } from '#errors'
import type { FilePath, Files } from '#kernel'
import { entryComponents } from './entry-path.ts'
import { O_PATH, pathIn } from './descriptor-path.ts'
import { setAttributes, setOwnerAndMode, setXattrs } from './node-attributes.ts'
import { createParentDirectories } from './parent-directories.ts'
import type { TreePlace } from './parent-directories.ts'
import { removeTree } from './remove-tree.ts'
import { OPAQUE_VALUE, OPAQUE_XATTR, parseMarker } from './whiteout.ts'

export interface WriteOptions {
  /** `overlay`: marker files of a layer become overlayfs's whiteouts. `none`: they are files like others. */
  whiteouts: 'overlay' | 'none'
  /** Everything belongs to this owner instead of the one in the archive. */
  owner?: { uid: number; gid: number }
  /** Refuse to put a directory in the place of something else or the other way round. */
  keepKinds?: boolean
  /**
   * The directory is a container's: its name for messages. What something is mounted on is not replaced, and a link that leads nowhere is an
   * error, as in Docker.
   */
  container?: { target: string }
}

export interface WrittenTree {
  /** Bytes of all files, holes included: what Docker calls the size of a layer. */
  size: number
  /** Entries made. */
  inodes: number
}

export interface TreeWriter extends Disposable {
  /**
   * Events of one archive in order, data by synchronous calls. Throws INVALID_ARGUMENT for what an archive may not hold; system errors pass
   * through.
   */
  write(event: TarEvent): void
  /** The file whose data comes between its `entry` and its `end`, for those who write the data themselves. */
  readonly fd: number | undefined
  /** After the last event: sets the times of directories, which writing into them has changed. */
  finish(): WrittenTree
}

/** Tries to put something where a running container puts something else again and again. */
const MAX_RACES = 8

const FILE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
const DEVICE_TYPES = { character: constants.S_IFCHR, block: constants.S_IFBLK, fifo: 0o010000 } as const

/** Writes below the directory of `place`, whose descriptors the caller keeps open. */
export function createTreeWriter(files: Files, place: TreePlace, options: WriteOptions): TreeWriter {
  const target = options.container?.target
  const parents = createParentDirectories(files, place, { makeTargets: target === undefined })
  /** By path; an archive may name a directory more than once, and the last one counts. */
  const directories = new Map<string, bigint>()
  const total: WrittenTree = { size: 0, inodes: 0 }
  /** The file whose data is coming. */
  let current: { entry: TarEntry; path: FilePath; fd: number } | undefined
  let currentName = ''

  function begin(entry: TarEntry): void {
    const components = entryComponents(entry.path, target)
    const name = components.at(-1)
    if (name === undefined) return describeRoot(entry)
    const directoryFd = openParent(components.slice(0, -1))
    const marker = options.whiteouts === 'overlay' ? parseMarker(name) : undefined
    if (marker?.kind === 'opaque') files.setXattr(`/proc/self/fd/${directoryFd}/.`, OPAQUE_XATTR, OPAQUE_VALUE)
    else if (marker?.kind === 'whiteout') hide(directoryFd, marker.name)
    else if (marker === undefined) create(entry, components, directoryFd, name)
  }

  function openParent(components: readonly string[]): number {
    try {
      return parents.open(components)
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOTDIR' || !removeWhiteoutAbove(components)) throw error
      return parents.open(components)
    }
  }

  /** `.wh.d` and then `d/x` without an entry for `d`: the whiteout gives way to an empty, opaque directory. Whether there was one. */
  function removeWhiteoutAbove(components: readonly string[]): boolean {
    for (const [depth, name] of components.entries()) {
      const path = pathIn(parents.open(components.slice(0, depth)), name)
      const stat = lstatSync(path, { throwIfNoEntry: false })
      if (stat === undefined || options.whiteouts === 'none' || !isWhiteout(stat)) continue
      unlinkSync(path)
      mkdirSync(path, 0o755)
      files.setXattr(path, OPAQUE_XATTR, OPAQUE_VALUE)
      return true
    }
    return false
  }

  function create(entry: TarEntry, components: readonly string[], directoryFd: number, name: string): void {
    const path = pathIn(directoryFd, name)
    total.inodes++
    if (entry.type === 'file') {
      current = { entry, path, fd: replacing(directoryFd, name, entry, () => openSync(path, FILE_FLAGS, 0o600)) }
      if (entry.sparse !== undefined) ftruncateSync(current.fd, entry.size)
      total.size += entry.size
      return
    }
    if (entry.type === 'hardlink') return makeHardLink(entry, directoryFd, name) // shares the attributes of its target
    if (entry.type === 'directory') makeDirectory(entry, directoryFd, name)
    else if (entry.type === 'symlink') replacing(directoryFd, name, entry, () => symlinkSync(systemPath(entry.linkPath), path))
    else makeDevice(entry, DEVICE_TYPES[entry.type], directoryFd, name)
    setAttributes(files, path, entry, options.owner ?? entry)
    if (entry.type === 'directory') directories.set(components.join('/'), entry.mtime)
    else files.setTimes(path, entry.mtime, entry.mtime)
  }

  function makeDirectory(entry: TarEntry, directoryFd: number, name: string): void {
    const path = pathIn(directoryFd, name)
    const existing = lstatSync(path, { throwIfNoEntry: false })
    if (existing?.isDirectory() === true) return
    replacing(directoryFd, name, entry, () => mkdirSync(path, 0o700))
    // Deleted and made anew in one layer: without the mark, what lower layers have below it would shine through.
    if (existing !== undefined && isWhiteout(existing) && options.whiteouts === 'overlay') files.setXattr(path, OPAQUE_XATTR, OPAQUE_VALUE)
  }

  function makeDevice(entry: TarEntry, type: number, directoryFd: number, name: string): void {
    replacing(directoryFd, name, entry, () => files.mknodAt(directoryFd, systemPath(name), type | 0o600, entry.major, entry.minor))
  }

  function makeHardLink(entry: TarEntry, directoryFd: number, name: string): void {
    const components = entryComponents(entry.linkPath, target)
    const linked = components.at(-1)
    if (linked === undefined) throw invalidArgument('invalid tar entry: hard link to the root directory')
    // Not by `parents`, which would make directories that are missing.
    const parent = [place.path, ...components.slice(0, -1)].join('/')
    const fd = files.openInRoot(place.rootFd, systemPath(parent), O_PATH | constants.O_DIRECTORY)
    try {
      // link(2) does not follow the last component, so a symbolic link there is linked itself.
      replacing(directoryFd, name, entry, () => linkSync(pathIn(fd, linked), pathIn(directoryFd, name)))
    } finally {
      closeSync(fd)
    }
  }

  /** `./` describes the directory that everything goes to; only a layer may change that one. */
  function describeRoot(entry: TarEntry): void {
    if (options.whiteouts === 'none' || entry.type !== 'directory') return
    setOwnerAndMode(place.directoryFd, entry, options.owner ?? entry)
    setXattrs(files, `/proc/self/fd/${place.directoryFd}/.`, entry)
    directories.set('.', entry.mtime)
  }

  /** A whiteout hides what lower layers have, never what its own layer has put there (image-spec layer.md). */
  function hide(directoryFd: number, name: string): void {
    const path = pathIn(directoryFd, name)
    const existing = lstatSync(path, { throwIfNoEntry: false })
    if (existing === undefined) files.mknodAt(directoryFd, systemPath(name), constants.S_IFCHR, 0, 0)
    else if (existing.isDirectory()) files.setXattr(path, OPAQUE_XATTR, OPAQUE_VALUE)
  }

  /** Runs `make`; when the name is taken, removes what has it and runs `make` again. */
  function replacing<T>(directoryFd: number, name: string, entry: TarEntry, make: () => T): T {
    for (let race = 0; ; race++) {
      try {
        return make()
      } catch (error) {
        // A program of the container may make something of this name again and again.
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || race === MAX_RACES) throw error
      }
      const existing = lstatSync(pathIn(directoryFd, name), { throwIfNoEntry: false })
      if (existing === undefined) continue
      if (options.keepKinds === true) refuseOtherKind(existing, entry, target ?? '/')
      removeTree(directoryFd, name, { keepMounts: options.container !== undefined })
      if (existing.isDirectory() || existing.isSymbolicLink()) parents.forget()
    }
  }

  function end(): void {
    if (current === undefined) return
    const { entry, fd, path } = current
    current = undefined
    try {
      // As `setOwnerAndMode`, but by the descriptor itself: nearly all of a layer are files, and each way through /proc is a walk of four names.
      const { uid, gid } = options.owner ?? entry
      fchownSync(fd, uid, gid)
      fchmodSync(fd, entry.mode)
      setXattrs(files, path, entry)
      files.setOpenTimes(fd, entry.mtime, entry.mtime)
    } finally {
      closeSync(fd)
    }
  }

  return {
    write(event) {
      try {
        if (event.kind === 'entry') {
          currentName = event.entry.path
          begin(event.entry)
        } else if (event.kind === 'end') end()
        else if (current !== undefined) writeAll(current.fd, event.bytes, event.offset)
      } catch (error) {
        throw explain(error, currentName)
      }
    },
    finish() {
      // Deepest first: the way to a directory is not gone through again once its time is set.
      for (const [path, mtime] of [...directories].toReversed()) setDirectoryTime(files, place, path, mtime)
      return total
    },
    get fd() {
      return current?.fd
    },
    [Symbol.dispose]() {
      if (current !== undefined) closeSync(current.fd)
      current = undefined
      parents[Symbol.dispose]()
    },
  }
}

function writeAll(fd: number, bytes: Buffer, offset: number): void {
  for (let written = 0; written < bytes.length;) written += writeSync(fd, bytes, written, bytes.length - written, offset + written)
}

export function isWhiteout(stat: Stats): boolean {
  return stat.isCharacterDevice() && stat.rdev === 0
}

function setDirectoryTime(files: Files, place: TreePlace, path: string, mtime: bigint): void {
  let fd: number
  try {
    fd = files.openInRoot(place.rootFd, systemPath(`${place.path}/${path}`), O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  } catch (error) {
    // A later entry has replaced the directory by something else.
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes((error as { code?: string }).code ?? '')) return
    throw error
  }
  try {
    files.setTimes(`/proc/self/fd/${fd}/.`, mtime, mtime)
  } finally {
    closeSync(fd)
  }
}

/** Docker's words. Source: moby pkg/archive, Unpack with NoOverwriteDirNonDir. */
function refuseOtherKind(existing: Stats, entry: TarEntry, target: string): void {
  const path = posix.join(target, entry.path)
  if (existing.isDirectory() && entry.type !== 'directory')
    throw invalidArgument(`cannot overwrite directory "${path}" with non-directory "${target}"`)
  if (!existing.isDirectory() && entry.type === 'directory')
    throw invalidArgument(`cannot overwrite non-directory "${path}" with directory "${target}"`)
}

/** Failures that are the archive's fault: it names what cannot be. */
const ARCHIVE_FAULTS: ReadonlySet<string> = new Set(
  'E2BIG EEXIST EFBIG EINVAL EISDIR ELOOP EMLINK ENAMETOOLONG ENOENT ENOTDIR ERANGE EXDEV'.split(' '),
)

function explain(error: unknown, name: string): unknown {
  const { code, message, syscall } = error as { code?: string; message: string; syscall?: string }
  // link(2) says so of a directory, mknod(2) of a whiteout on overlayfs; elsewhere it is the machine that does not let us.
  const isFault = ARCHIVE_FAULTS.has(code ?? '') || (code === 'EPERM' && (syscall === 'link' || syscall === 'mknodat'))
  if (error instanceof EngineError || !isFault) return error
  // The path of the call would show a number below /proc instead of a name.
  const reason = message.replace(/,? ?'\/proc\/self\/fd\/.*$| \/proc\/self\/fd\/[^:]*(?=:)/s, '')
  return invalidArgument(`Cannot unpack ${JSON.stringify(name)}: ${reason}`, error)
}
