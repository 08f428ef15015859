import { constants } from 'node:fs'
import { encodeName } from '#archive'
import { invalidArgument } from '#errors'
import type { DirectoryTransfer, FileStat } from '../../session.ts'
import { typeOf } from './stat-signature.ts'

/** What a client may send as one directory. */
export interface EntryLimits {
  entries: number
  /** Bytes of all names, link targets and attributes together. */
  text: number
}

export const DEFAULT_ENTRY_LIMITS: EntryLimits = { entries: 2_000_000, text: 512 * 1024 * 1024 }

/** As the kernel has them. */
const LONGEST_PATH = 4096
const LONGEST_NAME = 255
/** Attributes of one file, names and values. */
const LARGEST_XATTRS = 64 * 1024

/** An entry, with its place among all that were sent. */
export interface ReceivedEntry {
  index: number
  stat: FileStat
}

/**
 * Takes what a client lists of a directory, and refuses what could lead out of the directory that it is written to: paths that are not plain, entries out of
 * order or sent twice, parents that are no directories (a link `d -> /etc`, then `d/passwd`), hard links to what was not sent before. Sockets are left out:
 * nobody listens here. Rules: tonistiigi/fsutil validator.go. Throws INVALID_ARGUMENT.
 */
export async function receiveEntries(transfer: DirectoryTransfer, limits: EntryLimits = DEFAULT_ENTRY_LIMITS): Promise<ReceivedEntry[]> {
  const entries: ReceivedEntry[] = []
  const directories = new Set([''])
  const files = new Set<string>()
  let previous: Buffer = Buffer.alloc(0)
  let index = -1
  let text = 0
  for await (const stat of transfer.entries()) {
    index++
    const { path } = stat
    text += path.length + stat.linkname.length + sizeOfXattrs(stat)
    if (index >= limits.entries || text > limits.text) throw invalidArgument('the directory has too many files to be sent')
    checkPath(path)
    const place = sortKey(path)
    if (Buffer.compare(previous, place) >= 0) throw invalid(path, 'is out of order')
    if (!directories.has(parentOf(path))) throw invalid(path, 'has no directory to be in')
    previous = place
    switch (typeOf(stat.mode)) {
      case constants.S_IFSOCK:
        continue
      case constants.S_IFDIR:
        directories.add(path)
        break
      case constants.S_IFREG:
        if (stat.linkname !== '' && !files.has(stat.linkname)) throw invalid(path, 'is a hard link to what was not sent')
        if (stat.linkname === '') files.add(path)
        break
      case constants.S_IFLNK:
        if (stat.linkname === '' || stat.linkname.length > LONGEST_PATH || stat.linkname.includes('\0'))
          throw invalid(path, 'is no symbolic link')
        break
      case constants.S_IFIFO:
      case constants.S_IFCHR:
      case constants.S_IFBLK:
        break
      default:
        throw invalid(path, 'is of no known type')
    }
    checkNumbers(stat)
    entries.push({ index, stat })
  }
  return entries
}

export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

/** In whose order a walk finds entries: by components (`a/b` before `a.b`), and in these by bytes. */
export function sortKey(path: string): Buffer {
  // NUL was refused, so `/` sorts before every character of a name.
  return encodeName(path.replaceAll('/', '\0'))
}

function checkPath(path: string): void {
  if (path === '' || path.length > LONGEST_PATH || path.includes('\0')) throw invalid(path, 'is no path')
  for (const name of path.split('/')) {
    if (name === '' || name === '.' || name === '..' || encodeName(name).length > LONGEST_NAME) throw invalid(path, 'is no plain path')
  }
}

function checkNumbers({ path, size, uid, gid, mtime }: FileStat): void {
  const isWhole = [size, uid, gid].every((number) => Number.isSafeInteger(number) && number >= 0)
  if (!isWhole || uid > 0xffffffff || gid > 0xffffffff) throw invalid(path, 'has bad attributes')
  // Beyond what a file system keeps, times would be cut, and the file would never count as unchanged.
  if (mtime < -(1n << 63n) || mtime >= 1n << 63n) throw invalid(path, 'has no valid time')
}

function sizeOfXattrs({ path, xattrs }: FileStat): number {
  let size = 0
  for (const [name, value] of Object.entries(xattrs)) size += name.length + value.length
  if (size > LARGEST_XATTRS) throw invalid(path, 'has too many attributes')
  return size
}

function invalid(path: string, reason: string): Error {
  return invalidArgument(`invalid path ${JSON.stringify(path.slice(0, LONGEST_NAME))} from the client: it ${reason}`)
}
