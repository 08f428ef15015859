/**
 * Maps of sparse files in their four encodings: old GNU (header type S), PAX 0.0 (a record per number), 0.1 (one record), 1.0 (in front of
 * the data). Source: GNU tar manual, "Storing Sparse Files".
 */

import { invalidArgument } from '#errors'
import { decodeName } from './file-name.ts'
import { decodePaxNumber } from './pax.ts'
import { BLOCK_SIZE, decodeOldSparse, decodeSparseExtension } from './tar-block.ts'
import type { Step } from './step.ts'
import type { Extent, TarLimits } from './types.ts'

/** What the PAX records of an entry say about holes. */
export interface SparseFields {
  /** The file's name; the header's own is made up by the writer. */
  name?: string
  realSize?: number
  /** Versions 0.0 and 0.1. */
  extents?: Extent[]
  /** Version 1.0. */
  mapInData?: boolean
}

export function paxSparse(records: readonly { key: string; value: Buffer }[], limits: TarLimits): SparseFields {
  const fields: SparseFields = {}
  const numbers: number[] = []
  let major = 0
  for (const { key, value } of records) {
    if (key === 'GNU.sparse.name') fields.name = decodeName(value)
    else if (key === 'GNU.sparse.realsize' || key === 'GNU.sparse.size') fields.realSize = decodePaxNumber(value, key)
    else if (key === 'GNU.sparse.major') major = decodePaxNumber(value, key)
    else if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') numbers.push(decodePaxNumber(value, key))
    else if (key === 'GNU.sparse.map')
      for (const text of value.toString('latin1').split(',')) numbers.push(decodePaxNumber(Buffer.from(text), key))
  }
  if (major > 1) throw invalidArgument(`invalid tar header: sparse format ${major} is not known`)
  refuseTooMany(numbers.length / 2, limits)
  if (major === 1) fields.mapInData = true
  else if (numbers.length > 0) fields.extents = pairs(numbers)
  return fields
}

/** The map of an old GNU sparse file: its header `block` and the extension blocks after it. */
export function* oldSparseMap(block: Buffer, limits: TarLimits): Generator<Step, { realSize: number; extents: Extent[] }, Buffer> {
  const { realSize, extents, extended } = decodeOldSparse(block)
  let more = extended
  while (more) {
    const extension = decodeSparseExtension(yield { take: BLOCK_SIZE })
    extents.push(...extension.extents)
    refuseTooMany(extents.length, limits)
    more = extension.extended
  }
  return { realSize, extents }
}

/** The map at the start of `stored` bytes of data: a count, then offsets and lengths, one decimal number a line, padded to a block. */
export function* decodeSparseMap(stored: number, limits: TarLimits): Generator<Step, { extents: Extent[]; consumed: number }, Buffer> {
  const numbers: number[] = []
  let line = ''
  let consumed = 0
  for (let wanted = 1; numbers.length < wanted;) {
    if (consumed + BLOCK_SIZE > stored) throw invalidArgument('invalid tar header: sparse map is cut short')
    const block: Buffer = yield { take: BLOCK_SIZE }
    consumed += BLOCK_SIZE
    for (const byte of block) {
      if (byte !== 0x0a) line += String.fromCharCode(byte)
      else if (numbers.push(decodePaxNumber(Buffer.from(line), 'sparse map')) === 1) {
        refuseTooMany(numbers[0] ?? 0, limits)
        wanted = 1 + 2 * (numbers[0] ?? 0)
      }
      if (byte === 0x0a) line = ''
      if (numbers.length === wanted) break
    }
    if (line.length > 20) throw invalidArgument('invalid tar header: malformed sparse map')
  }
  return { extents: pairs(numbers.slice(1)), consumed }
}

/** Throws unless the extents are in order, do not overlap, lie within the file and account for every stored byte. */
export function checkExtents(extents: readonly Extent[], realSize: number, stored: number): void {
  let end = 0
  let sum = 0
  for (const { offset, length } of extents) {
    if (offset < end || offset + length > realSize) throw invalidArgument('invalid tar header: sparse map does not fit the file')
    end = offset + length
    sum += length
  }
  if (sum !== stored) throw invalidArgument('invalid tar header: sparse map does not fit the data')
}

function pairs(numbers: readonly number[]): Extent[] {
  if (numbers.length % 2 !== 0) throw invalidArgument('invalid tar header: malformed sparse map')
  return Array.from({ length: numbers.length / 2 }, (_, index) => ({
    offset: numbers[2 * index] ?? 0,
    length: numbers[2 * index + 1] ?? 0,
  }))
}

function refuseTooMany(count: number, limits: TarLimits): void {
  if (count > limits.maxExtents)
    throw invalidArgument(`invalid tar header: ${count} sparse extents, at most ${limits.maxExtents} are allowed`)
}
