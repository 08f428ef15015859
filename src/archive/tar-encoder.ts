/**
 * Tar encoder: ustar where it says everything, with a PAX header in front where it does not (long or non-ASCII names, big numbers,
 * fractions of seconds, extended attributes, holes). The same entry always gives the same bytes.
 */

import { encodeName } from './file-name.ts'
import { encodePax, encodePaxTime } from './pax.ts'
import { BLOCK_SIZE, checksum } from './tar-block.ts'
import { padding, XATTR_PREFIX } from './tar-decoder.ts'
import type { Extent, TarEntry, TarEntryType } from './types.ts'

/** Two blocks of zeros. */
export const END_OF_ARCHIVE: Buffer = Buffer.alloc(2 * BLOCK_SIZE)

const TYPE_FLAGS: Readonly<Record<TarEntryType, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
}

const MAX_OCTAL_7 = 0o7777777
const MAX_OCTAL_11 = 0o77777777777

/** What a field of the header can hold; the rest goes to PAX. */
interface Fields {
  name: Buffer
  prefix: Buffer
  linkName: Buffer
}

/**
 * The bytes in front of an entry's data and the number of zero bytes to put after it. Data of a file: `size` bytes, or with `sparse` only
 * the extents, one after the other.
 */
export function encodeEntry(entry: TarEntry): { header: Buffer; padding: number } {
  const map = entry.sparse === undefined ? undefined : encodeSparseMap(entry.sparse)
  const dataSize = entry.sparse === undefined ? entry.size : entry.sparse.reduce((sum, extent) => sum + extent.length, 0)
  const stored = entry.type === 'file' ? dataSize + (map?.length ?? 0) : 0
  const path = encodeName(entry.path)
  const linkName = entry.linkPath === '' ? EMPTY : encodeName(entry.linkPath)
  const split = splitPath(path)
  const records = paxRecords(entry, stored, { path: split === undefined ? path : undefined, linkName })
  const pax = records.length === 0 ? EMPTY : encodePax(records)
  const before = records.length === 0 ? 0 : BLOCK_SIZE + pax.length + padding(pax.length)
  const header = Buffer.alloc(before + BLOCK_SIZE + (map?.length ?? 0))
  if (before > 0) {
    const name = madeUpName(entry.path, 'PaxHeaders.0')
    encodeBlock(header.subarray(0, BLOCK_SIZE), PAX_HEADER, 'x', { name, prefix: EMPTY, linkName: EMPTY }, pax.length)
    pax.copy(header, BLOCK_SIZE)
  }
  const name = map === undefined ? undefined : { name: madeUpName(entry.path, 'GNUSparseFile.0'), prefix: EMPTY }
  const fields = { ...(name ?? split ?? { name: path.subarray(0, 100), prefix: EMPTY }), linkName: linkName.subarray(0, 100) }
  encodeBlock(header.subarray(before, before + BLOCK_SIZE), entry, TYPE_FLAGS[entry.type], fields, stored)
  map?.copy(header, before + BLOCK_SIZE)
  return { header, padding: padding(stored) }
}

const EMPTY: Buffer = Buffer.alloc(0)

const PAX_HEADER: TarEntry = {
  type: 'file',
  path: '',
  linkPath: '',
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: 0n,
  major: 0,
  minor: 0,
  xattrs: new Map(),
}

/** Everything about the entry that the header block cannot say, sorted by key. `path`: one that does not fit. */
function paxRecords(
  entry: TarEntry,
  stored: number,
  { path, linkName }: { path: Buffer | undefined; linkName: Buffer },
): [string, Buffer | string][] {
  const records: [string, Buffer | string][] = []
  const seconds = entry.mtime / 1_000_000_000n
  if (entry.mtime < 0n || entry.mtime % 1_000_000_000n !== 0n || seconds > BigInt(MAX_OCTAL_11))
    records.push(['mtime', encodePaxTime(entry.mtime)])
  if (entry.uid > MAX_OCTAL_7) records.push(['uid', String(entry.uid)])
  if (entry.gid > MAX_OCTAL_7) records.push(['gid', String(entry.gid)])
  if (stored > MAX_OCTAL_11) records.push(['size', String(stored)])
  if (path !== undefined && entry.sparse === undefined) records.push(['path', path])
  if (!fitsField(linkName)) records.push(['linkpath', linkName])
  for (const [name, value] of entry.xattrs) records.push([XATTR_PREFIX + name, value])
  if (entry.sparse !== undefined) {
    records.push(['GNU.sparse.major', '1'], ['GNU.sparse.minor', '0'])
    records.push(['GNU.sparse.name', encodeName(entry.path)], ['GNU.sparse.realsize', String(entry.size)])
  }
  return records.length > 1 ? records.sort(([a], [b]) => (a < b ? -1 : 1)) : records
}

/** Version 1.0 of GNU's sparse format: the map in front of the data. */
function encodeSparseMap(extents: readonly Extent[]): Buffer {
  const numbers = [extents.length, ...extents.flatMap(({ offset, length }) => [offset, length])]
  const text = Buffer.from(numbers.map((number) => `${number}\n`).join(''))
  return Buffer.concat([text, Buffer.alloc(padding(text.length))])
}

/** ustar's way of names up to 256 bytes: cut at a slash. Undefined: does not fit, or is not plain ASCII (readers disagree about the rest). */
function splitPath(path: Buffer): { name: Buffer; prefix: Buffer } | undefined {
  if (path.some((byte) => byte >= 0x80)) return undefined
  if (path.length <= 100) return { name: path, prefix: EMPTY }
  const slash = path.indexOf(0x2f, path.length - 101)
  if (slash <= 0 || slash > 155 || slash === path.length - 1) return undefined
  return { name: path.subarray(slash + 1), prefix: path.subarray(0, slash) }
}

function fitsField(linkName: Buffer): boolean {
  return linkName.length <= 100 && linkName.every((byte) => byte < 0x80)
}

/** A name that only readers without PAX show: the base name in a folder that says what it is. */
function madeUpName(path: string, folder: string): Buffer {
  const base = path.replace(/\/+$/, '').split('/').at(-1) ?? ''
  return Buffer.from(`${folder}/${base.replaceAll(/[^\x20-\x7e]/g, '')}`).subarray(0, 100)
}

/** `block`: all zeros. */
function encodeBlock(block: Buffer, entry: TarEntry, typeFlag: string, fields: Fields, stored: number): void {
  const seconds = entry.mtime < 0n ? 0n : entry.mtime / 1_000_000_000n
  fields.name.copy(block, 0)
  octal(block, 100, 8, entry.mode)
  octal(block, 108, 8, entry.uid > MAX_OCTAL_7 ? 0 : entry.uid)
  octal(block, 116, 8, entry.gid > MAX_OCTAL_7 ? 0 : entry.gid)
  octal(block, 124, 12, stored > MAX_OCTAL_11 ? 0 : stored)
  octal(block, 136, 12, seconds > BigInt(MAX_OCTAL_11) ? 0 : Number(seconds))
  block.write('        ', 148, 'latin1')
  block.write(typeFlag, 156, 'latin1')
  fields.linkName.copy(block, 157)
  block.write('ustar\u000000', 257, 'latin1')
  octal(block, 329, 8, entry.major)
  octal(block, 337, 8, entry.minor)
  fields.prefix.copy(block, 345)
  octal(block, 148, 7, checksum(block))
  block[154] = 0
}

/** Digits that fill the field but for its last byte. */
function octal(block: Buffer, start: number, length: number, value: number): void {
  let rest = value
  for (let index = start + length - 2; index >= start; index--) {
    block[index] = 0x30 + (rest % 8)
    rest = Math.floor(rest / 8)
  }
}
