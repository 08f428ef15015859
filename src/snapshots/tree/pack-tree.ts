import { closeSync, constants, fstatSync, lstatSync, openSync, read, readSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { promisify } from 'node:util'
import { tarEntry, writeTar } from '#archive'
import type { Extent, TarEntry, TarEntryType, WritableEntry } from '#archive'
import type { FilePath, Files } from '#kernel'
import { isOverlayXattr, OPAQUE_MARKER, OPAQUE_VALUE, OPAQUE_XATTR, whiteoutName } from './whiteout.ts'
import { readLink, walkTree } from './walk-tree.ts'

export interface PackOptions {
  /** `overlay`: overlayfs's whiteouts become marker files, as a layer tar has them. `none`: they are devices like others. */
  whiteouts: 'overlay' | 'none'
  /** Name of the root in the archive, before everything else; empty: the root itself gets no entry and names begin below it. */
  name?: string
  /** Write holes of at least this many bytes as holes (PAX sparse 1.0). Not every reader knows them; 0 or absent: zeros are written. */
  sparse?: number
}

/** A file is read in pieces of this size; up to one piece is read at once without the thread pool. */
const CHUNK = 1024 * 1024
const SMALL = 64 * 1024

/**
 * The tar archive of the node at `path`: a directory with all below it, or a single file. Sorted by name, with hard links, owners, modes,
 * times (ns), extended attributes and devices; sockets are left out (as Docker). A tree that changes meanwhile gives a well-formed archive
 * all the same: a file that shrinks is filled with zeros, one that grows is cut.
 */
export function packTree(files: Files, path: FilePath, options: PackOptions): AsyncGenerator<Buffer, void, void> {
  return writeTar(treeEntries(files, path, options))
}

function* treeEntries(files: Files, path: FilePath, options: PackOptions): Generator<WritableEntry, void, void> {
  const links = new Map<string, string>()
  const name = options.name ?? ''
  const root = lstatSync(path, { bigint: true })
  if (!root.isDirectory()) {
    yield* nodeEntries(files, { path: name, stat: root, systemPath: path }, links, options)
    return
  }
  if (name !== '') yield { entry: describe(files, path, root, 'directory', `${name}/`) }
  const prefix = name === '' ? '' : `${name}/`
  for (const node of walkTree(path)) yield* nodeEntries(files, { ...node, path: prefix + node.path }, links, options)
}

/** The entries of one node: none for a socket, two for an opaque directory. */
function* nodeEntries(
  files: Files,
  node: { path: string; stat: BigIntStats; systemPath: FilePath },
  links: Map<string, string>,
  options: PackOptions,
): Generator<WritableEntry, void, void> {
  const { stat, path } = node
  const type = typeOf(stat)
  if (type === undefined) return
  if (options.whiteouts === 'overlay' && type === 'character' && stat.rdev === 0n) {
    const slash = path.lastIndexOf('/') + 1
    yield { entry: tarEntry({ path: path.slice(0, slash) + whiteoutName(path.slice(slash)), mode: 0o600, mtime: stat.mtimeNs }) }
    return
  }
  if (type !== 'directory' && stat.nlink > 1n) {
    const inode = `${stat.dev}:${stat.ino}`
    const first = links.get(inode)
    if (first !== undefined) {
      yield { entry: describe(files, node.systemPath, stat, 'hardlink', path, first) }
      return
    }
    links.set(inode, path)
  }
  if (type === 'file') {
    const present = yield* fileEntry(files, node, options)
    // Another name of the same file may still be there; it must not be a link to an entry that was never written.
    if (!present) links.delete(`${stat.dev}:${stat.ino}`)
  } else if (type === 'symlink') yield { entry: describe(files, node.systemPath, stat, type, path, readLink(node.systemPath)) }
  else yield { entry: describe(files, node.systemPath, stat, type, type === 'directory' ? `${path}/` : path) }
  if (
    options.whiteouts === 'overlay' &&
    type === 'directory' &&
    files.getXattr(node.systemPath, OPAQUE_XATTR)?.equals(OPAQUE_VALUE) === true
  ) {
    yield { entry: tarEntry({ path: `${path}/${OPAQUE_MARKER}`, mode: 0o600, mtime: stat.mtimeNs }) }
  }
}

function* fileEntry(
  files: Files,
  node: { path: string; stat: BigIntStats; systemPath: FilePath },
  options: PackOptions,
): Generator<WritableEntry, boolean, void> {
  const fd = openSame(node.systemPath, node.stat)
  if (fd === undefined) return false // gone, or replaced by something else
  const entry = describe(files, node.systemPath, node.stat, 'file', node.path)
  try {
    const size = Number(node.stat.size)
    const extents = options.sparse ? dataExtents(files, fd, node.stat, options.sparse) : undefined
    const body = readExtents(fd, extents ?? [{ offset: 0, length: size }])
    yield { entry: { ...entry, size, ...(extents === undefined ? {} : { sparse: extents }) }, body }
    return true
  } finally {
    closeSync(fd)
  }
}

function describe(files: Files, path: FilePath, stat: BigIntStats, type: TarEntryType, name: string, linkPath = ''): TarEntry {
  const isDevice = type === 'character' || type === 'block'
  return tarEntry({
    type,
    path: name,
    linkPath,
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mtime: stat.mtimeNs,
    major: isDevice ? Number(((stat.rdev >> 8n) & 0xfffn) | ((stat.rdev >> 32n) & ~0xfffn)) : 0,
    minor: isDevice ? Number((stat.rdev & 0xffn) | ((stat.rdev >> 12n) & ~0xffn)) : 0,
    xattrs: type === 'hardlink' ? new Map() : readXattrs(files, path),
  })
}

/** All attributes that make sense elsewhere: not overlayfs's books, not the labels of this machine's SELinux. */
function readXattrs(files: Files, path: FilePath): Map<string, Buffer> {
  const xattrs = new Map<string, Buffer>()
  for (const name of files.listXattr(path)) {
    if (isOverlayXattr(name) || name === 'security.selinux') continue
    const value = files.getXattr(path, name)
    if (value !== undefined) xattrs.set(name, value)
  }
  return xattrs
}

function typeOf(stat: BigIntStats): TarEntryType | undefined {
  if (stat.isFile()) return 'file'
  if (stat.isDirectory()) return 'directory'
  if (stat.isSymbolicLink()) return 'symlink'
  if (stat.isCharacterDevice()) return 'character'
  if (stat.isBlockDevice()) return 'block'
  return stat.isFIFO() ? 'fifo' : undefined
}

/** Opens the file that was looked at, or nothing. O_NONBLOCK: a fifo put in its place must not stop the daemon. */
function openSame(path: FilePath, stat: BigIntStats): number | undefined {
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (['ENOENT', 'ELOOP', 'ENXIO'].includes((error as { code?: string }).code ?? '')) return undefined
    throw error
  }
  const now = fstatSync(fd, { bigint: true })
  if (now.ino === stat.ino && now.dev === stat.dev) return fd
  closeSync(fd)
  return undefined
}

/** The data of a file with holes worth the trouble; undefined for all others. */
function dataExtents(files: Files, fd: number, stat: BigIntStats, smallestHole: number): Extent[] | undefined {
  const size = Number(stat.size)
  if (size - Number(stat.blocks) * 512 < smallestHole) return undefined
  return files.dataExtents(fd, size)
}

const readAsync = promisify(read)

/** Exactly as many bytes as the extents say, whatever happens to the file meanwhile. */
async function* readExtents(fd: number, extents: readonly Extent[]): AsyncGenerator<Buffer, void, void> {
  for (const { offset, length } of extents) {
    for (let position = 0; position < length;) {
      const buffer = Buffer.allocUnsafe(Math.min(CHUNK, length - position))
      const count =
        length <= SMALL
          ? readSync(fd, buffer, 0, buffer.length, offset + position)
          : (await readAsync(fd, buffer, 0, buffer.length, offset + position)).bytesRead
      if (count === 0) buffer.fill(0) // shorter than it was: the header has promised the bytes
      const chunk = count === 0 ? buffer : buffer.subarray(0, count)
      position += chunk.length
      yield chunk
    }
  }
}
