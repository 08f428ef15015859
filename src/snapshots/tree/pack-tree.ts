import { closeSync, lstatSync, readlinkSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { basename } from 'node:path'
import { batched, decodeName, encodeEntry, END_OF_ARCHIVE, tarEntry, writeTar } from '#archive'
import type { Extent, TarEntry, TarEntryType, WritableEntry } from '#archive'
import type { FilePath, Files } from '#kernel'
import { deviceOf } from '#lib'
import { mountIdOf } from './descriptor-path.ts'
import { inSlices } from './in-slices.ts'
import { createReaderNow, openSame, readExtents } from './read-file.ts'
import { walkTree } from './walk-tree.ts'
import type { Enters } from './walk-tree.ts'
import type { WrittenTree } from './tree-writer.ts'
import { isOverlayXattr, OPAQUE_MARKER, OPAQUE_VALUE, OPAQUE_XATTR, parseMarker, whiteoutName } from './whiteout.ts'

const SECOND = 1_000_000_000n

/** Holes of at least this many bytes stay holes in a layer's archive. */
export const SPARSE_LAYER_HOLE: number = 1024 * 1024

export interface PackOptions {
  /** `overlay`: overlayfs's whiteouts become marker files, as a layer tar has them. `none`: they are devices like others. */
  whiteouts: 'overlay' | 'none'
  /** Name of the top in the archive, before everything else; the empty one gives `/`. Absent: the top gets no entry and names begin below it. */
  name?: string
  /** Write holes of at least this many bytes as holes (PAX sparse 1.0). Not every reader knows them; 0 or absent: zeros are written. */
  sparse?: number
  /** As Docker copies out of containers: times in whole seconds, of the extended attributes `security.capability` alone. */
  plain?: boolean
  /**
   * Directories that something is mounted on are empty in the archive, unless this says of their path below the top that they are part of the
   * tree. Absent: mounts are gone into.
   */
  isOwnMount?: (path: string) => boolean
  /** Later times than this one, nanoseconds since the epoch, become it. */
  latest?: bigint
  /** Counts what is written, as `WrittenTree` does. */
  counted?: WrittenTree
  /** The top gets an entry `./` if it is not root's with mode 0755, as everybody takes it to be without. */
  changedTop?: boolean
}

/**
 * The tar archive of the node at `path`: a directory with all below it, or a single file; in chunks worth sending. Sorted by name, with hard
 * links, owners, modes, times (ns), extended attributes and devices; sockets are left out (as Docker). A tree that changes meanwhile gives a
 * well-formed archive all the same: a file that shrinks is filled with zeros, one that grows is cut, one that vanishes is left out.
 */
export function packTree(files: Files, path: FilePath, options: PackOptions): AsyncGenerator<Buffer, void, void> {
  return batched(writeTar(inSlices(finished(treeEntries(files, path, options), options))))
}

/**
 * The same of a directory that nobody changes, by synchronous calls: for worker threads. Pieces are small, and those of one file share their memory: each is
 * to be used before the next is asked for.
 */
export function* packTreeNow(files: Files, path: FilePath, options: PackOptions): Generator<Buffer, void, void> {
  const source = { opensFiles: true, read: createReaderNow() }
  for (const { entry, body } of finished(treeEntries(files, path, options, source), options)) {
    const { header, padding } = encodeEntry(entry)
    yield header
    if (entry.type !== 'file') continue
    yield* (body ?? []) as Iterable<Buffer> // as `source` gives it
    if (padding > 0) yield END_OF_ARCHIVE.subarray(0, padding)
  }
  yield END_OF_ARCHIVE
}

/** How files are read. */
interface FileSource {
  /** By the walk, without care for what happens to them meanwhile. */
  opensFiles: boolean
  /** Exactly as many bytes as the extents say. */
  read(fd: number, extents: readonly Extent[]): AsyncIterable<Buffer> | Iterable<Buffer>
}

const CAREFULLY: FileSource = { opensFiles: false, read: readExtents }

function* finished(entries: Iterable<WritableEntry>, { latest, counted }: PackOptions): Generator<WritableEntry, void, void> {
  for (const { entry, body } of entries) {
    if (latest !== undefined && entry.mtime > latest) entry.mtime = latest
    if (counted !== undefined && entry.path !== './' && parseMarker(basename(entry.path)) === undefined) {
      counted.inodes++
      counted.size += entry.size
    }
    yield body === undefined ? { entry } : { entry, body }
  }
}

/** What all entries of one archive share. */
interface Packing {
  files: Files
  options: PackOptions
  source: FileSource
  /** Files with several names: inode → the first. */
  links: Map<string, string>
}

function* treeEntries(
  files: Files,
  path: FilePath,
  options: PackOptions,
  source: FileSource = CAREFULLY,
): Generator<WritableEntry, void, void> {
  const { name, isOwnMount } = options
  const packing: Packing = { files, options, source, links: new Map() }
  const root = lstatSync(path, { bigint: true })
  if (!root.isDirectory()) {
    yield* presentEntries(packing, { path: name ?? '', stat: root, systemPath: path })
    return
  }
  if (options.changedTop === true && (root.uid !== 0n || root.gid !== 0n || (root.mode & 0o7777n) !== 0o755n)) {
    yield { entry: describe(files, path, root, 'directory', './', options) }
  }
  if (name !== undefined) yield { entry: describe(files, path, root, 'directory', `${name}/`, options) }
  const prefix = name === undefined ? '' : `${name}/`
  const enters: Enters | undefined = isOwnMount && ((below, fd, parentFd) => mountIdOf(fd) === mountIdOf(parentFd) || isOwnMount(below))
  for (const node of walkTree(path, { ...(enters && { enters }), opensFiles: source.opensFiles }))
    yield* presentEntries(packing, { ...node, path: prefix + node.path })
}

/** None for a node that is gone by the time it is looked at. */
function* presentEntries(...node: Parameters<typeof nodeEntries>): Generator<WritableEntry, void, void> {
  try {
    yield* nodeEntries(...node)
  } catch (error) {
    if (!['ENOENT', 'EINVAL'].includes((error as { code?: string }).code ?? '')) throw error
  }
}

interface PackedNode {
  path: string
  stat: BigIntStats
  systemPath: FilePath
  fd?: number
}

/** The entries of one node: none for a socket, two for an opaque directory. */
function* nodeEntries(packing: Packing, node: PackedNode): Generator<WritableEntry, void, void> {
  const { files, links, options } = packing
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
      yield { entry: describe(files, node.systemPath, stat, 'hardlink', path, options, first) }
      return
    }
    links.set(inode, path)
  }
  if (type === 'file') {
    const present = yield* fileEntry(packing, node)
    // Another name of the same file may still be there; it must not be a link to an entry that was never written.
    if (!present) links.delete(`${stat.dev}:${stat.ino}`)
  } else if (type === 'symlink') yield { entry: describe(files, node.systemPath, stat, type, path, options, readLink(node.systemPath)) }
  else yield { entry: describe(files, node.systemPath, stat, type, type === 'directory' ? `${path}/` : path, options) }
  if (
    options.whiteouts === 'overlay' &&
    type === 'directory' &&
    files.getXattr(node.systemPath, OPAQUE_XATTR)?.equals(OPAQUE_VALUE) === true
  ) {
    yield { entry: tarEntry({ path: `${path}/${OPAQUE_MARKER}`, mode: 0o600, mtime: stat.mtimeNs }) }
  }
}

function* fileEntry({ files, options, source }: Packing, node: PackedNode): Generator<WritableEntry, boolean, void> {
  const fd = node.fd ?? openSame(node.systemPath, node.stat)
  if (fd === undefined) return false // gone, or replaced by something else
  const entry = describe(files, node.fd ?? node.systemPath, node.stat, 'file', node.path, options)
  try {
    const size = Number(node.stat.size)
    const extents = options.sparse ? dataExtents(files, fd, node.stat, options.sparse) : undefined
    const body = source.read(fd, extents ?? [{ offset: 0, length: size }])
    yield { entry: { ...entry, size, ...(extents === undefined ? {} : { sparse: extents }) }, body }
    return true
  } finally {
    if (node.fd === undefined) closeSync(fd)
  }
}

function describe(
  files: Files,
  path: FilePath | number,
  stat: BigIntStats,
  type: TarEntryType,
  name: string,
  { plain = false }: PackOptions,
  linkPath = '',
): TarEntry {
  const isDevice = type === 'character' || type === 'block'
  return tarEntry({
    type,
    path: name,
    linkPath,
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mtime: plain ? (stat.mtimeNs / SECOND) * SECOND : stat.mtimeNs,
    ...(isDevice ? deviceOf(stat) : {}),
    xattrs: type === 'hardlink' ? new Map() : plain ? readCapability(files, path, type) : readXattrs(files, path),
  })
}

/** All attributes that make sense elsewhere: not overlayfs's books, not the labels of this machine's SELinux. */
function readXattrs(files: Files, path: FilePath | number): Map<string, Buffer> {
  const xattrs = new Map<string, Buffer>()
  for (const name of files.listXattr(path)) {
    if (isOverlayXattr(name) || name === 'security.selinux') continue
    const value = files.getXattr(path, name)
    if (value !== undefined) xattrs.set(name, value)
  }
  return xattrs
}

function readCapability(files: Files, path: FilePath | number, type: TarEntryType): Map<string, Buffer> {
  const capability = type === 'file' ? files.getXattr(path, 'security.capability') : undefined
  return new Map(capability && [['security.capability', capability]])
}

/** The target of a symbolic link, byte for byte. */
function readLink(path: FilePath): string {
  return decodeName(readlinkSync(path, { encoding: 'buffer' }))
}

function typeOf(stat: BigIntStats): TarEntryType | undefined {
  if (stat.isFile()) return 'file'
  if (stat.isDirectory()) return 'directory'
  if (stat.isSymbolicLink()) return 'symlink'
  if (stat.isCharacterDevice()) return 'character'
  if (stat.isBlockDevice()) return 'block'
  return stat.isFIFO() ? 'fifo' : undefined
}

/** The data of a file with holes worth the trouble; undefined for all others. */
function dataExtents(files: Files, fd: number, stat: BigIntStats, smallestHole: number): Extent[] | undefined {
  const size = Number(stat.size)
  if (size - Number(stat.blocks) * 512 < smallestHole) return undefined
  return files.dataExtents(fd, size)
}
