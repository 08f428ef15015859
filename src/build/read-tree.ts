import { closeSync, constants, fstatSync, readdirSync, readlinkSync, readSync } from 'node:fs'
import { posix } from 'node:path'
import { decodeName, systemPath } from '#archive'
import { EngineError, invalidArgument, notFound } from '#errors'
import type { Files } from '#kernel'
import { O_PATH, pathIn, type Snapshotter } from '#snapshots'
import { compileComponent } from './files/wildcards.ts'
import type { Ref } from './graph/ref.ts'
import type { FileStat } from './session.ts'

export interface ReadTreeDeps {
  snapshotter: Pick<Snapshotter, 'view'>
  files: Pick<Files, 'openRoot' | 'openInRoot'>
}

/** Most that one read gives, bytes: what fits into one message of BuildKit's. */
const MAX_READ = 16 << 20

/**
 * A regular file of a solved file system, or a part of it. Links are followed inside of it, whatever they say: nothing of the host can be read. Throws
 * NOT_FOUND, INVALID_ARGUMENT for what is no file or too large.
 */
export function readFileIn(deps: ReadTreeDeps, ref: Ref, path: string, range?: { offset: number; length: number }): Uint8Array {
  // Never waits: opening a pipe that nobody writes to would.
  return inRoot(deps, ref, path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY, (fd) => {
    const stat = fstatSync(fd)
    if (!stat.isFile()) throw invalidArgument(`read ${path}: ${stat.isDirectory() ? 'is a directory' : 'not a regular file'}`)
    const offset = range?.offset ?? 0
    const length = Math.max(0, Math.min(range?.length === undefined || range.length === 0 ? Infinity : range.length, stat.size - offset))
    if (length > MAX_READ) throw invalidArgument(`read ${path}: ${length} bytes are more than the ${MAX_READ} that can be read at once`)
    return readFully(fd, offset, length)
  })
}

/** The entries of a directory, by name; `path` is the name. `pattern`: as Go's filepath.Match, empty: all. */
export function readDirectoryIn(deps: ReadTreeDeps, ref: Ref, path: string, pattern: string): FileStat[] {
  // An empty file system has its top, where others are mounted.
  if (ref.kind === 'layers' && ref.chain === undefined && posix.join('/', path) === '/') return []
  return inRoot(deps, ref, path, constants.O_RDONLY | constants.O_DIRECTORY, (fd) => {
    return readdirSync(`/proc/self/fd/${fd}`, { encoding: 'buffer' })
      .map(decodeName)
      .filter(pattern === '' ? () => true : compileComponent(pattern))
      .toSorted()
      .map((name) => statEntry(deps, fd, name))
  })
}

/** What a path leads to; `path` is its last name. */
export function statFileIn(deps: ReadTreeDeps, ref: Ref, path: string): FileStat {
  return inRoot(deps, ref, path, O_PATH, (fd) => describe(fd, posix.basename(path), ''))
}

function statEntry({ files }: ReadTreeDeps, directory: number, name: string): FileStat {
  const fd = files.openInRoot(directory, systemPath(name), O_PATH | constants.O_NOFOLLOW)
  try {
    const isLink = fstatSync(fd).isSymbolicLink()
    return describe(fd, name, isLink ? decodeName(readlinkSync(pathIn(directory, name), { encoding: 'buffer' })) : '')
  } finally {
    closeSync(fd)
  }
}

/** Without extended attributes: clients that list files have no use for them. */
function describe(fd: number, path: string, linkname: string): FileStat {
  const { mode, uid, gid, size, mtimeNs, rdev } = fstatSync(fd, { bigint: true })
  return {
    path,
    mode: Number(mode),
    uid: Number(uid),
    gid: Number(gid),
    size: linkname === '' ? Number(size) : 0,
    mtime: mtimeNs,
    linkname,
    device: { major: Number((rdev >> 8n) & 0xfffn), minor: Number((rdev & 0xffn) | ((rdev >> 12n) & 0xfff00n)) },
    xattrs: {},
  }
}

function inRoot<T>(deps: ReadTreeDeps, ref: Ref, path: string, flags: number, read: (fd: number) => T): T {
  const inside = posix.join('/', path)
  using root = openTree(deps, ref)
  if (root === undefined) throw notFound(`open ${inside}: no such file or directory`)
  let fd: number
  try {
    fd = deps.files.openInRoot(root.fd, inside, flags)
  } catch (error) {
    throw openError(error, inside)
  }
  try {
    return read(fd)
  } finally {
    closeSync(fd)
  }
}

/** undefined: there is nothing in it. */
function openTree({ files, snapshotter }: ReadTreeDeps, ref: Ref): (Disposable & { fd: number }) | undefined {
  if (ref.kind === 'directory') return files.openRoot(ref.path)
  return ref.chain === undefined ? undefined : snapshotter.view({ chain: ref.chain })
}

function openError(error: unknown, path: string): unknown {
  switch ((error as { code?: string }).code) {
    case 'ENOENT':
      return notFound(`open ${path}: no such file or directory`, error)
    case 'ENOTDIR':
      return notFound(`open ${path}: not a directory`, error)
    case 'ELOOP':
      return new EngineError('INVALID_ARGUMENT', `open ${path}: too many levels of symbolic links`, { cause: error })
    default:
      return error
  }
}

function readFully(fd: number, offset: number, length: number): Uint8Array {
  const content = Buffer.alloc(length)
  let read = 0
  while (read < length) {
    const count = readSync(fd, content, read, length - read, offset + read)
    if (count === 0) break
    read += count
  }
  return content.subarray(0, read)
}
