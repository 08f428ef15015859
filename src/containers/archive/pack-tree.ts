import { fstatSync, read, readdirSync, readlinkSync, readSync, type BigIntStats } from 'node:fs'
import { promisify } from 'node:util'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { decodeName, encodeEntry, END_OF_ARCHIVE, tarEntry, type TarEntry, type TarEntryType } from '#archive'
import { invalidArgument } from '#errors'
import type { Files } from '#kernel'
import { errorCode, mountIdOf, type Pinned } from './pinned.ts'
import { ChunkBatch } from './chunk-batch.ts'

/** Resolves with the bytes read and the buffer given. */
const readAsync = promisify(read) as (
  fd: number,
  buffer: Buffer,
  offset: number,
  length: number,
  position: number,
) => Promise<{ bytesRead: number; buffer: Buffer }>

/** Bytes per read of a large file: the way to the thread pool and back must not count. */
const BLOCK = 1024 * 1024

/** Files up to this size are read at once, and several go into one chunk. */
const SMALL = 64 * 1024

/** Directories held open at once; a container can nest more, to use up the daemon's descriptors. */
const MAX_DEPTH = 1000

/** Milliseconds of synchronous calls (open, stat, readdir) after which other requests get their turn. */
const TURN_MS = 8

const SECOND = 1_000_000_000n

const TYPES: Record<number, TarEntryType> = {
  0o040000: 'directory',
  0o100000: 'file',
  0o120000: 'symlink',
  0o020000: 'character',
  0o060000: 'block',
  0o010000: 'fifo',
}

/** A file to be packed and what it is called. */
export interface PackedFile {
  file: Pinned
  /** Where it was found; needed for everything but directories. */
  place?: { directory: Pinned; name: string }
  /** In the archive, without slash at the end. */
  path: string
  /** Put before the names of what is in it. */
  contents: string
  /** Where it is in the container, links resolved; the root is empty. */
  location: string
}

interface Packing {
  files: Files
  /** Whether what is mounted at this place of the container is part of its files. */
  isOwnMount: (location: string) => boolean
  batch: ChunkBatch
  /** First name of files with several, by device and inode. */
  links: Map<string, string>
  turnStarted: number
}

/**
 * A file or directory tree as tar chunks, ready for the wire.
 *
 * As Docker writes these archives: sockets left out, mtime in whole seconds, `security.capability` as the only extended attribute, no sparse
 * entries (several clients cannot read them). Entries are in order of name. A file that shrinks while it is read is filled up with zeros, one
 * that grows is cut, so that the archive stays readable. A name that is gone by the time it is looked at, and a file that cannot be opened, are left
 * out. Directories on which something is mounted that is not the container's own (/proc, /sys, /dev) are empty, unless they are the top.
 */
export async function* packTree(
  files: Files,
  top: PackedFile,
  isOwnMount: (location: string) => boolean,
): AsyncGenerator<Buffer, void, void> {
  const packing: Packing = { files, isOwnMount, batch: new ChunkBatch(), links: new Map(), turnStarted: performance.now() }
  yield* packFile(packing, top, 0)
  packing.batch.add(END_OF_ARCHIVE)
  yield* packing.batch.take()
}

async function* packFile(packing: Packing, packed: PackedFile, depth: number): AsyncGenerator<Buffer, void, void> {
  const { batch } = packing
  const entry = describe(packing, packed, fstatSync(packed.file.fd, { bigint: true }))
  if (entry === undefined) return
  const { header, padding } = encodeEntry(entry)
  if (entry.type === 'file' && entry.size > 0) {
    using content = openContent(packed.file)
    if (content === undefined) return
    batch.add(header)
    if (entry.size <= SMALL) batch.add(readSmall(content, entry.size))
    else yield* packLarge(batch, content, entry.size)
    if (padding > 0) batch.add(END_OF_ARCHIVE.subarray(0, padding))
  } else batch.add(header)
  if (entry.type === 'directory') yield* packDirectory(packing, packed, depth)
  if (batch.isFull) yield* batch.take()
  if (performance.now() - packing.turnStarted > TURN_MS) {
    await nextTurn()
    packing.turnStarted = performance.now()
  }
}

/** undefined: not to be packed. */
function describe({ files, links }: Packing, { place, path }: PackedFile, stat: BigIntStats): TarEntry | undefined {
  const type = TYPES[Number(stat.mode) & 0o170000]
  if (type === undefined) return undefined
  const entry = tarEntry({
    type,
    path: type === 'directory' ? `${path}/` : path,
    mode: Number(stat.mode) & 0o7777,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mtime: (stat.mtimeNs / SECOND) * SECOND,
  })
  if (type !== 'directory' && stat.nlink > 1n) {
    const inode = `${stat.dev}:${stat.ino}`
    const first = links.get(inode)
    if (first !== undefined) return { ...entry, type: 'hardlink', linkPath: first }
    links.set(inode, path)
  }
  switch (type) {
    case 'symlink': {
      const linkPath = place === undefined ? undefined : readLink(place.directory, place.name)
      return linkPath === undefined ? undefined : { ...entry, linkPath }
    }
    case 'file': {
      const capability = place === undefined ? undefined : files.getXattr(place.directory.child(place.name), 'security.capability')
      return { ...entry, size: Number(stat.size), ...(capability && { xattrs: new Map([['security.capability', capability]]) }) }
    }
    case 'character':
    case 'block': {
      // dev_t of the C library: gnu_dev_major and gnu_dev_minor, sys/sysmacros.h.
      const device = stat.rdev
      const major = Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n))
      return { ...entry, major, minor: Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n)) }
    }
    default:
      return entry
  }
}

async function* packDirectory(packing: Packing, directory: PackedFile, depth: number): AsyncGenerator<Buffer, void, void> {
  if (depth >= MAX_DEPTH) throw invalidArgument(`directories are nested deeper than ${MAX_DEPTH}`)
  const { file } = directory
  const mount = mountIdOf(file)
  const names = readdirSync(file.path, { encoding: 'buffer' })
    .sort((a, b) => a.compare(b))
    .map(decodeName)
  for (const name of names) {
    using child = pinIfThere(file, name)
    if (child === undefined) continue
    const path = directory.contents + name
    const location = `${directory.location}/${name}`
    const packed = { file: child, place: { directory: file, name }, path, contents: `${path}/`, location }
    // Files may be mounted, too (/etc/hosts): they are what the container sees.
    if (isForeignMount(packing, packed, mount)) packing.batch.add(encodeEntry(emptyDirectory(path, child)).header)
    else yield* packFile(packing, packed, depth + 1)
  }
}

function isForeignMount({ isOwnMount }: Packing, { file, location }: PackedFile, parentMount: string): boolean {
  return fstatSync(file.fd).isDirectory() && mountIdOf(file) !== parentMount && !isOwnMount(location)
}

function emptyDirectory(path: string, file: Pinned): TarEntry {
  const { mode, mtime } = fstatSync(file.fd)
  return tarEntry({ type: 'directory', path: `${path}/`, mode: mode & 0o7777, mtime: BigInt(Math.trunc(mtime.getTime() / 1000)) * SECOND })
}

/** undefined for what even root may not read (files of other kernels' or FUSE's file systems). */
function openContent(file: Pinned): Pinned | undefined {
  try {
    return file.reopen()
  } catch (error) {
    if (['EACCES', 'EPERM', 'EIO', 'ENXIO', 'ENOENT'].includes(errorCode(error) ?? '')) return undefined
    throw error
  }
}

/** Bytes past the end of a file that shrank are zeros. */
function readSmall(content: Pinned, size: number): Buffer {
  const buffer = Buffer.alloc(size)
  let position = 0
  for (let count = -1; position < size && count !== 0; position += count)
    count = readSync(content.fd, buffer, position, size - position, position)
  return buffer
}

async function* packLarge(batch: ChunkBatch, content: Pinned, size: number): AsyncGenerator<Buffer, void, void> {
  let position = 0
  const readNext = (): ReturnType<typeof readAsync> => {
    const buffer = Buffer.allocUnsafeSlow(Math.min(BLOCK, size - position))
    return readAsync(content.fd, buffer, 0, buffer.length, position)
  }
  let pending: ReturnType<typeof readAsync> | undefined = readNext()
  try {
    yield* batch.take()
    while (pending !== undefined) {
      const { bytesRead, buffer } = await pending
      // Shorter than it was: made up with zeros, which then count as read.
      const block = bytesRead === 0 ? buffer.fill(0) : buffer.subarray(0, bytesRead)
      position += block.length
      // The next block is read while the consumer is busy with this one.
      pending = position < size ? readNext() : undefined
      yield block
    }
  } finally {
    // A read still under way must not hit whoever gets the descriptor's number next.
    await pending?.catch(() => undefined)
  }
}

function pinIfThere(directory: Pinned, name: string): Pinned | undefined {
  try {
    return directory.pin(name)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** undefined when it is no link any more. */
function readLink(directory: Pinned, name: string): string | undefined {
  try {
    return decodeName(readlinkSync(directory.child(name), { encoding: 'buffer' }))
  } catch (error) {
    if (errorCode(error) === 'EINVAL' || errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}
