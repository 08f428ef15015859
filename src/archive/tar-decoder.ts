/**
 * Tar decoder: chunks in, events out, synchronous, so that a worker that inflates, hashes and writes needs no promise per file.
 * Reads ustar, GNU (long names, old sparse), PAX (all sparse versions, SCHILY.xattr) and star. Global PAX headers are skipped as Go's
 * reader skips them: what Docker sees and what we see of one archive must be the same.
 */

import { invalidArgument } from '#errors'
import { decodeName } from './file-name.ts'
import { decodePax, decodePaxNumber, decodePaxTime } from './pax.ts'
import { checkExtents, decodeSparseMap, oldSparseMap, paxSparse } from './sparse.ts'
import type { SparseFields } from './sparse.ts'
import { BLOCK_SIZE, decodeBlock } from './tar-block.ts'
import type { HeaderBlock } from './tar-block.ts'
import { DEFAULT_TAR_LIMITS } from './types.ts'
import type { Step } from './step.ts'
import type { TarEntry, TarEntryType, TarEvent, TarLimits } from './types.ts'

export interface TarDecoder {
  /** Events of the next chunk. Iterate to the end before the next push. Throws INVALID_ARGUMENT on malformed input. */
  push(chunk: Buffer): Generator<TarEvent, void, void>
  /**
   * Call after the last chunk: throws INVALID_ARGUMENT `unexpected EOF` when an entry is cut short. The end blocks may be missing, as for Go, and the padding of
   * the last entry.
   */
  finish(): void
  /** Whether the end-of-archive blocks have been seen; what follows them is ignored. */
  readonly ended: boolean
}

const ENTRY_TYPES: Readonly<Record<string, TarEntryType>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  S: 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
}

export function createTarDecoder(limits: TarLimits = DEFAULT_TAR_LIMITS): TarDecoder {
  const parser = parse(limits)
  let step = parser.next()
  /** The beginning of what is wanted in one piece. Joined only when it is complete: a client may send it byte by byte. */
  let held: Buffer[] = []
  let heldLength = 0

  function* push(chunk: Buffer): Generator<TarEvent, void, void> {
    let rest = chunk
    while (step.done !== true) {
      const wanted = step.value
      if ('take' in wanted) {
        const missing = wanted.take - heldLength
        if (rest.length < missing) {
          if (rest.length > 0) held.push(Buffer.from(rest))
          heldLength += rest.length
          return
        }
        const bytes = heldLength === 0 ? rest.subarray(0, missing) : Buffer.concat([...held, rest.subarray(0, missing)], wanted.take)
        held = []
        heldLength = 0
        rest = rest.subarray(missing)
        step = parser.next(bytes)
      } else if ('body' in wanted || 'skip' in wanted) {
        const length = 'body' in wanted ? wanted.body : wanted.skip
        const piece = rest.subarray(0, length)
        rest = rest.subarray(piece.length)
        if ('body' in wanted && piece.length > 0) yield { kind: 'data', offset: wanted.offset, bytes: piece }
        if (piece.length < length) {
          const left = length - piece.length
          step = { done: false, value: 'body' in wanted ? { body: left, offset: wanted.offset + piece.length } : { ...wanted, skip: left } }
          return
        }
        step = parser.next(piece)
      } else {
        yield wanted
        step = parser.next(rest)
      }
    }
  }

  return {
    push,
    finish() {
      const mayEnd = step.done === true || ('boundary' in step.value && step.value.boundary && heldLength === 0)
      if (!mayEnd) throw invalidArgument('unexpected EOF')
    },
    get ended() {
      return step.done === true
    },
  }
}

/** Fields that headers before the real one (PAX, GNU long names) set for it. */
interface Overrides {
  /** GNU's; they win over PAX's, as in Go's reader. */
  longPath?: string
  longLinkPath?: string
  path?: string
  linkPath?: string
  size?: number
  uid?: number
  gid?: number
  mtime?: bigint
  xattrs: ReadonlyMap<string, Buffer>
  sparse: SparseFields
}

const NO_OWNER = 0xffff_ffff

const NOTHING: Overrides = { xattrs: new Map(), sparse: {} }

function* parse(limits: TarLimits): Generator<Step, void, Buffer> {
  for (;;) {
    let overrides = NOTHING
    let bytes = yield { take: BLOCK_SIZE, boundary: true }
    let block = decodeBlock(bytes)
    while (block !== undefined && isPrelude(block.typeFlag)) {
      const content = yield* prelude(block, limits)
      overrides = apply(overrides, block.typeFlag, content, limits)
      bytes = yield { take: BLOCK_SIZE }
      block = decodeBlock(bytes)
      if (block === undefined) throw invalidArgument('invalid tar header: extended header without a file')
    }
    if (block === undefined) {
      if (decodeBlock(yield { take: BLOCK_SIZE, boundary: true }) !== undefined)
        throw invalidArgument('invalid tar header: data after the end of the archive')
      return
    }
    if (block.typeFlag === 'V') continue // GNU volume label: a name, no file
    yield* entry(block, bytes, overrides, limits)
  }
}

function* entry(block: HeaderBlock, bytes: Buffer, overrides: Overrides, limits: TarLimits): Generator<Step, void, Buffer> {
  const path = overrides.longPath ?? overrides.sparse.name ?? overrides.path ?? block.name
  const type = entryType(block, path)
  // Only files have a body, whatever the size field says: directories of old archives carry one (as Go's reader).
  let stored = type === 'file' ? (overrides.size ?? block.size) : 0
  const tail = padding(stored)
  let realSize = stored
  let extents = undefined
  if (block.typeFlag === 'S') {
    ;({ realSize, extents } = yield* oldSparseMap(bytes, limits))
  } else if (type === 'file' && overrides.sparse.mapInData === true) {
    realSize = overrides.sparse.realSize ?? 0
    const map = yield* decodeSparseMap(stored, limits)
    extents = map.extents
    stored -= map.consumed
  } else if (type === 'file' && overrides.sparse.extents !== undefined) {
    realSize = overrides.sparse.realSize ?? 0
    extents = overrides.sparse.extents
  }
  if (extents !== undefined) checkExtents(extents, realSize, stored)

  yield {
    kind: 'entry',
    entry: { ...describe(block, type, path, overrides, limits), size: realSize, ...(extents === undefined ? {} : { sparse: extents }) },
  }
  for (const extent of extents ?? [{ offset: 0, length: stored }]) yield { body: extent.length, offset: extent.offset }
  yield { kind: 'end' }
  // The docker CLI forgets the padding when it puts a Dockerfile into a context (`build -f -`).
  yield { skip: tail, boundary: true }
}

function describe(block: HeaderBlock, type: TarEntryType, path: string, overrides: Overrides, limits: TarLimits): Omit<TarEntry, 'size'> {
  const isLink = type === 'symlink' || type === 'hardlink'
  const isDevice = type === 'character' || type === 'block'
  const linkPath = isLink ? (overrides.longLinkPath ?? overrides.linkPath ?? block.linkName) : ''
  for (const name of [path, linkPath]) {
    if (name.length > limits.maxPathLength) throw invalidArgument('invalid tar header: file name too long')
    // A NUL would cut the name short in the system call, after the checks have seen all of it.
    if (name.includes('\0')) throw invalidArgument('invalid tar header: NUL in a file name')
  }
  return {
    type,
    path,
    linkPath,
    mode: block.mode,
    uid: owner(overrides.uid ?? block.uid),
    gid: owner(overrides.gid ?? block.gid),
    mtime: overrides.mtime ?? BigInt(block.mtime) * 1_000_000_000n,
    major: isDevice ? block.major : 0,
    minor: isDevice ? block.minor : 0,
    xattrs: overrides.xattrs,
  }
}

/** Attack: chown(2) takes -1, which is 0xffffffff too, for "leave it as it is": the file would stay root's. */
function owner(id: number): number {
  if (id < 0 || id >= NO_OWNER) throw invalidArgument(`invalid tar header: owner ${id} out of range`)
  return id
}

function entryType(block: HeaderBlock, path: string): TarEntryType {
  const type = ENTRY_TYPES[block.typeFlag]
  if (type === undefined) throw invalidArgument(`unhandled tar header type ${JSON.stringify(block.typeFlag)}`)
  // Before POSIX, directories were files whose name ends in a slash.
  return type === 'file' && path.endsWith('/') ? 'directory' : type
}

function isPrelude(typeFlag: string): boolean {
  return typeFlag === 'x' || typeFlag === 'g' || typeFlag === 'L' || typeFlag === 'K'
}

function* prelude(block: HeaderBlock, limits: TarLimits): Generator<Step, Buffer, Buffer> {
  const limit = block.typeFlag === 'L' || block.typeFlag === 'K' ? limits.maxPathLength + BLOCK_SIZE : limits.maxPaxSize
  // Checked before the bytes are awaited: the size field is the attacker's, the memory ours.
  if (block.size > limit) throw invalidArgument(`invalid tar header: extended header of ${block.size} bytes, at most ${limit} are allowed`)
  const content = yield { take: block.size }
  yield { skip: padding(block.size) }
  return content
}

function apply(overrides: Overrides, typeFlag: string, content: Buffer, limits: TarLimits): Overrides {
  switch (typeFlag) {
    case 'L':
      return { ...overrides, longPath: untilNul(content) }
    case 'K':
      return { ...overrides, longLinkPath: untilNul(content) }
    case 'x':
      return applyPax(overrides, content, limits)
    default:
      return NOTHING // a global header ends what came before it, as in Go's reader
  }
}

/**
 * Replaces what an earlier PAX header said. Attack: a file with a thousand headers of 1 MiB each, which together would fill the memory.
 */
function applyPax({ longPath, longLinkPath }: Overrides, content: Buffer, limits: TarLimits): Overrides {
  const records = decodePax(content)
  const xattrs = new Map<string, Buffer>()
  const result: Overrides = {
    ...(longPath === undefined ? {} : { longPath }),
    ...(longLinkPath === undefined ? {} : { longLinkPath }),
    xattrs,
    sparse: paxSparse(records, limits),
  }
  for (const { key, value } of records) {
    if (key.startsWith(XATTR_PREFIX)) xattrs.set(key.slice(XATTR_PREFIX.length), Buffer.from(value))
    else if (value.length > 0) PAX_FIELDS[key]?.(result, value)
  }
  return result
}

export const XATTR_PREFIX = 'SCHILY.xattr.'

const PAX_FIELDS: Readonly<Record<string, (overrides: Overrides, value: Buffer) => void>> = {
  path: (overrides, value) => (overrides.path = decodeName(value)),
  linkpath: (overrides, value) => (overrides.linkPath = decodeName(value)),
  size: (overrides, value) => (overrides.size = decodePaxNumber(value, 'size')),
  uid: (overrides, value) => (overrides.uid = decodePaxNumber(value, 'uid')),
  gid: (overrides, value) => (overrides.gid = decodePaxNumber(value, 'gid')),
  mtime: (overrides, value) => (overrides.mtime = decodePaxTime(value)),
}

function untilNul(content: Buffer): string {
  const end = content.indexOf(0)
  return decodeName(end < 0 ? content : content.subarray(0, end))
}

/** Bytes from the end of `size` bytes to the next block. */
export function padding(size: number): number {
  return (BLOCK_SIZE - (size % BLOCK_SIZE)) % BLOCK_SIZE
}
