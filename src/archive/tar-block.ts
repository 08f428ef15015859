/**
 * The 512-byte header block of a tar archive and its fields.
 * Source: POSIX.1-2017 pax(1) "ustar Interchange Format"; GNU tar manual, "Basic Tar Format"; star(5).
 */

import { invalidArgument } from '#errors'
import { decodeName } from './file-name.ts'
import type { Extent } from './types.ts'

export const BLOCK_SIZE = 512

/** Fields of a header block as they are; PAX records may replace them. */
export interface HeaderBlock {
  name: string
  mode: number
  uid: number
  gid: number
  size: number
  /** Seconds. */
  mtime: number
  typeFlag: string
  linkName: string
  major: number
  minor: number
  isGnu: boolean
}

/** Decodes a block, undefined for one of zeros (end of archive). Throws INVALID_ARGUMENT. */
export function decodeBlock(block: Buffer): HeaderBlock | undefined {
  if (block[0] === 0 && block.every((byte) => byte === 0)) return undefined
  verifyChecksum(block)
  const magic = block.toString('latin1', 257, 265)
  const isUstar = magic === 'ustar\u000000'
  const isGnu = magic === 'ustar  \0'
  // star keeps two times in the last bytes of the prefix field and says so at the very end of the block.
  const isStar = isUstar && block.toString('latin1', 508, 512) === 'tar\0'
  const prefix = isUstar ? text(block, 345, isStar ? 131 : 155) : ''
  const name = text(block, 0, 100)
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    mode: number(block, 100, 8, 'mode') & 0o7777,
    uid: number(block, 108, 8, 'uid'),
    gid: number(block, 116, 8, 'gid'),
    size: natural(block, 124, 12, 'size'),
    mtime: number(block, 136, 12, 'mtime'),
    typeFlag: String.fromCharCode(block[156] ?? 0),
    linkName: text(block, 157, 100),
    major: isUstar || isGnu ? number(block, 329, 8, 'devmajor') : 0,
    minor: isUstar || isGnu ? number(block, 337, 8, 'devminor') : 0,
    isGnu,
  }
}

/** The part of the sparse map that old GNU headers hold, and whether more blocks of it follow. */
export function decodeOldSparse(block: Buffer): { realSize: number; extents: Extent[]; extended: boolean } {
  return { realSize: natural(block, 483, 12, 'realsize'), extents: sparseEntries(block, 386, 4), extended: block[482] !== 0 }
}

/** One continuation block of an old GNU sparse map. */
export function decodeSparseExtension(block: Buffer): { extents: Extent[]; extended: boolean } {
  return { extents: sparseEntries(block, 0, 21), extended: block[504] !== 0 }
}

function sparseEntries(block: Buffer, start: number, count: number): Extent[] {
  const extents: Extent[] = []
  for (let i = 0; i < count; i++) {
    const position = start + i * 24
    if (block[position] === 0) break // an entry of zero bytes ends the list
    extents.push({ offset: natural(block, position, 12, 'sparse offset'), length: natural(block, position + 12, 12, 'sparse length') })
  }
  return extents
}

/** The sum of all bytes with the checksum field as spaces; some old programs summed signed bytes. */
function verifyChecksum(block: Buffer): void {
  const stored = number(block, 148, 8, 'checksum')
  let unsigned = 8 * 0x20
  let signed = unsigned
  for (let i = 0; i < BLOCK_SIZE; i++) {
    if (i >= 148 && i < 156) continue
    const byte = block[i] ?? 0
    unsigned += byte
    signed += byte < 128 ? byte : byte - 256
  }
  if (stored !== unsigned && stored !== signed) throw invalidArgument('invalid tar header')
}

/** Sum of the bytes of a block whose checksum field holds spaces. */
export function checksum(block: Buffer): number {
  let sum = 0
  for (let index = 0; index < block.length; index++) sum += block[index] ?? 0
  return sum
}

/** A text field: up to its first NUL. */
function text(block: Buffer, start: number, length: number): string {
  const field = block.subarray(start, start + length)
  const end = field.indexOf(0)
  return decodeName(end < 0 ? field : field.subarray(0, end))
}

function natural(block: Buffer, start: number, length: number, field: string): number {
  const value = number(block, start, length, field)
  if (value < 0) throw invalidArgument(`invalid tar header: negative ${field}`)
  return value
}

/** Octal digits between spaces and NULs, or GNU's base-256 with the first bit set (two's complement). */
function number(block: Buffer, start: number, length: number, field: string): number {
  const first = block[start] ?? 0
  if ((first & 0x80) !== 0) {
    let value = BigInt(first & 0x7f)
    for (let i = start + 1; i < start + length; i++) value = (value << 8n) | BigInt(block[i] ?? 0)
    const signed = Number(BigInt.asIntN(length * 8 - 1, value))
    if (!Number.isSafeInteger(signed)) throw invalidArgument(`invalid tar header: ${field} out of range`)
    return signed
  }
  let value = 0
  let ended = false
  for (let i = start; i < start + length; i++) {
    const byte = block[i] ?? 0
    if (byte >= 0x30 && byte <= 0x37 && !ended) value = value * 8 + byte - 0x30
    else if (byte !== 0 && byte !== 0x20) throw invalidArgument(`invalid tar header: ${field} is not a number`)
    else if (i > start && isDigit(block[i - 1])) ended = true
  }
  return value
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x37
}
