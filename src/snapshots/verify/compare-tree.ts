import { closeSync, constants, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { crc32 } from 'node:zlib'
import { decodeName } from '#archive'
import type { Extent, TarEntry } from '#archive'
import type { FilePath, Files } from '#kernel'
import { deviceOf } from '#lib'
import { pathIn } from '../tree/descriptor-path.ts'
import { changesView, isOverlayXattr, OPAQUE_VALUE, OPAQUE_XATTR } from '../tree/whiteout.ts'
import { isDirectory } from './expected-tree.ts'
import type { ExpectedNode } from './expected-tree.ts'

/** A path inside the layer and what about it is not as its archive says. */
export interface Difference {
  path: string
  what: string
}

interface Comparison {
  files: Files
  /** Inode of each node that was met, for hard links. */
  inodes: Map<ExpectedNode, bigint>
  buffer: Buffer
}

/**
 * Compares the directory of a layer with what its archive makes: names, types, owners, modes, times, extended attributes, holes and every byte. Walks by
 * descriptors, in one thread that has nothing else to do.
 */
export function* compareTree(files: Files, directory: FilePath, expected: ExpectedNode): Generator<Difference, void, void> {
  const comparison = { files, inodes: new Map(), buffer: Buffer.allocUnsafeSlow(1024 * 1024) }
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    const self = `/proc/self/fd/${fd}/.`
    for (const what of attributes(comparison, self, lstatSync(self, { bigint: true }), expected, expected.entry)) yield { path: '/', what }
    yield* compareDirectory(comparison, fd, '', expected)
  } finally {
    closeSync(fd)
  }
}

function* compareDirectory(comparison: Comparison, fd: number, prefix: string, expected: ExpectedNode): Generator<Difference, void, void> {
  const children = new Map(expected.children)
  for (const raw of readdirSync(`/proc/self/fd/${fd}`, { encoding: 'buffer' })) {
    const name = decodeName(raw)
    const path = `${prefix}/${name}`
    const node = children.get(name)
    children.delete(name)
    if (node === undefined && lstatSync(pathIn(fd, name)).isSocket()) continue // a build step has left it; archives cannot hold one
    if (node === undefined) yield { path, what: 'is not in the archive' }
    else yield* compareNode(comparison, pathIn(fd, name), path, node)
  }
  for (const name of children.keys()) yield { path: `${prefix}/${name}`, what: 'is missing' }
}

function* compareNode(comparison: Comparison, at: FilePath, path: string, node: ExpectedNode): Generator<Difference, void, void> {
  const stat = lstatSync(at, { bigint: true })
  const type = typeOf(stat)
  if (type !== node.type) {
    yield { path, what: `is a ${type}, not a ${node.type}` }
    return
  }
  if (type === 'whiteout') return
  const known = comparison.inodes.get(node)
  if (known !== undefined) {
    if (known !== stat.ino) yield { path, what: 'is not the same file as its other names' }
    return // everything else was looked at under its first name
  }
  comparison.inodes.set(node, stat.ino)
  for (const what of attributes(comparison, at, stat, node, node.entry)) yield { path, what }
  if (node.type === 'file' && !hasData(comparison, at, stat, node)) yield { path, what: 'has other content' }
  if (!isDirectory(node)) return
  const fd = openSync(at, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    yield* compareDirectory(comparison, fd, path, node)
  } finally {
    closeSync(fd)
  }
}

function* attributes(
  { files }: Comparison,
  at: FilePath,
  stat: BigIntStats,
  node: ExpectedNode,
  entry: TarEntry | undefined,
): Generator<string, void, void> {
  const [uid, gid, mode] = entry === undefined ? [0, 0, 0o755] : [entry.uid, entry.gid, entry.mode]
  if (Number(stat.uid) !== uid || Number(stat.gid) !== gid) yield `belongs to ${stat.uid}:${stat.gid}, not to ${uid}:${gid}`
  const found = Number(stat.mode & 0o7777n)
  if (node.type !== 'symlink' && found !== mode) yield `has mode ${found.toString(8)}, not ${mode.toString(8)}`
  if (entry !== undefined && stat.mtimeNs !== entry.mtime && canHoldTime(entry.mtime)) yield 'has another time'
  if (entry?.type === 'symlink' && decodeName(readlinkSync(at, { encoding: 'buffer' })) !== entry.linkPath) yield 'leads elsewhere'
  if (entry?.type === 'character' || entry?.type === 'block') {
    const { major, minor } = deviceOf(stat)
    if (major !== entry.major || minor !== entry.minor) yield `is device ${major}:${minor}, not ${entry.major}:${entry.minor}`
  }
  yield* xattrs(files, at, node, entry)
}

function* xattrs(files: Files, at: FilePath, node: ExpectedNode, entry: TarEntry | undefined): Generator<string, void, void> {
  const names = new Set(files.listXattr(at))
  for (const [name, value] of entry?.xattrs ?? []) {
    if (isOverlayXattr(name)) continue
    const found = names.delete(name) ? files.getXattr(at, name) : undefined
    // What the file system did not take at the unpack is not missed; it takes the attributes of files for users, and capabilities.
    if (found === undefined ? mustHave(name, node) : !found.equals(value)) yield `has another attribute ${name}`
  }
  const isOpaque = names.delete(OPAQUE_XATTR) && files.getXattr(at, OPAQUE_XATTR)?.equals(OPAQUE_VALUE) === true
  if (isOpaque !== (node.opaque === true)) yield isOpaque ? 'hides lower layers' : 'does not hide lower layers'
  // The kernel's and the machine's own (SELinux labels, ACLs made of the mode) come and go without anybody's doing.
  for (const name of names)
    if (changesView(name) || (name.startsWith('user.') && !isOverlayXattr(name)))
      yield `has an attribute ${name} that is not in the archive`
}

/** ext4 holds the years 1901 to 2446 and takes the nearest time for others; further file systems hold more. */
function canHoldTime(time: bigint): boolean {
  return time >= -(2n ** 31n) * SECOND && time < (3n * 2n ** 32n + 2n ** 31n) * SECOND
}

const SECOND = 1_000_000_000n

function mustHave(name: string, node: ExpectedNode): boolean {
  return name === 'security.capability' || (name.startsWith('user.') && (node.type === 'file' || node.type === 'directory'))
}

/** Whether the file's data sums up to what the archive's did, and holes are empty. */
function hasData({ files, buffer }: Comparison, at: FilePath, stat: BigIntStats, node: ExpectedNode): boolean {
  const size = node.entry?.size ?? 0
  if (stat.size !== BigInt(size)) return false
  const fd = openSync(at, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    let sum = 0
    for (const bytes of stretches(fd, node.extents ?? [{ offset: 0, length: size }], buffer)) sum = crc32(bytes, sum)
    if (sum !== node.crc32) return false
    if (node.extents === undefined) return true
    const holes = without(files.dataExtents(fd, size), node.extents)
    for (const bytes of stretches(fd, holes, buffer)) if (bytes.some((byte) => byte !== 0)) return false
    return true
  } finally {
    closeSync(fd)
  }
}

function* stretches(fd: number, extents: Iterable<Extent>, buffer: Buffer): Generator<Buffer, void, void> {
  for (const { offset, length } of extents) {
    for (let done = 0; done < length;) {
      const count = readSync(fd, buffer, 0, Math.min(buffer.length, length - done), offset + done)
      if (count === 0) return
      yield buffer.subarray(0, count)
      done += count
    }
  }
}

/** The parts of `extents` that lie in none of `known`; both in order. */
function* without(extents: readonly Extent[], known: readonly Extent[]): Generator<Extent, void, void> {
  let index = 0
  for (const { offset, length } of extents) {
    let position = offset
    const end = offset + length
    for (;;) {
      const next = known[index]
      if (next === undefined || next.offset >= end) break
      if (next.offset > position) yield { offset: position, length: next.offset - position }
      position = Math.max(position, next.offset + next.length)
      if (next.offset + next.length > end) break
      index++
    }
    if (position < end) yield { offset: position, length: end - position }
  }
}

function typeOf(stat: BigIntStats): string {
  if (stat.isFile()) return 'file'
  if (stat.isDirectory()) return 'directory'
  if (stat.isSymbolicLink()) return 'symlink'
  if (stat.isCharacterDevice()) return stat.rdev === 0n ? 'whiteout' : 'character'
  if (stat.isBlockDevice()) return 'block'
  return stat.isFIFO() ? 'fifo' : 'socket'
}
