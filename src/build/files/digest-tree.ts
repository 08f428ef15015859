import { createHash, hash } from 'node:crypto'
import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { posix } from 'node:path'
import { decodeName, systemPath } from '#archive'
import { invalidArgument } from '#errors'
import type { FilePath, Files } from '#kernel'
import type { Digest } from '#oci'
import { inSlices, isOverlayXattr } from '#snapshots'
import type { ContentSelection } from '../types.ts'
import { createFileDigests } from './file-digests.ts'
import type { FileDigests } from './file-digests.ts'
import { absent, findPath, systemPathOf } from './find-path.ts'
import { createSelection } from './selection.ts'
import type { Selection } from './selection.ts'
import { hasWildcard, resolveWildcards } from './wildcards.ts'
import { isWhiteout } from './is-whiteout.ts'

const MAX_DEPTH = 1000
const BATCH = 64
/** Characters that are hashed at once. */
const MANY = 64 * 1024
const READ_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
const READ_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY

export interface DigestInput {
  /** The caller's, open until it is done. */
  rootFd: number
  selection: ContentSelection
  /** Records of an earlier run over the same directory; see {@link createFileDigests}. Absent: none are wanted back either. */
  known?: Uint8Array
}

export interface DigestOutput {
  digest: Digest
  /** For the next run. */
  known: Uint8Array | undefined
}

interface Run {
  files: Files
  selection: Selection
  digests: FileDigests
  /** One line for each node. */
  record: (line: string) => void
}

/**
 * Digest of what a selection names in a file system, in a thread that has nothing else to do. Equal trees have equal digests whatever their times are and wherever
 * they lie; names count below what is named, and the last name of each match of a pattern. Throws NOT_FOUND for a path that is not there.
 */
export async function digestTree(files: Files, input: DigestInput, signal: AbortSignal | undefined): Promise<DigestOutput> {
  const { rootFd, selection, known } = input
  const total = createHash('sha256')
  let lines = ''
  const hashLines = (): void => {
    total.update(lines)
    lines = ''
  }
  const digests = createFileDigests(known ?? new Uint8Array())
  const run: Run = {
    files,
    digests,
    selection: createSelection(selection.includePatterns, selection.excludePatterns),
    record(line) {
      lines += `${line}\n`
      if (lines.length >= MANY) hashLines()
    },
  }
  for await (const _ of inSlices(nodes(run, rootFd, selection))) signal?.throwIfAborted()
  hashLines()
  return { digest: `sha256:${total.digest('hex')}`, known: known === undefined ? undefined : digests.records() }
}

function* nodes(run: Run, rootFd: number, { path, wildcard, followLinks }: ContentSelection): Generator<void, void, void> {
  const isPattern = wildcard && hasWildcard(path)
  for (const match of isPattern ? resolveWildcards(rootFd, path) : [path]) {
    if (isPattern) run.record(JSON.stringify(posix.basename(match)))
    using found = findPath(rootFd, match, { follow: followLinks })
    if (found.stat === undefined) throw absent(path)
    // The root of a file system has no attributes that are copied.
    if (found.name === '') yield* children(run, systemPathOf(found), '', 0)
    else yield* node(run, { at: systemPathOf(found), stat: found.stat, path: '' }, 0)
  }
}

interface Node {
  /** Ends in its own name. */
  at: FilePath
  stat: BigIntStats
  /** Below what is named. */
  path: string
}

function* node(run: Run, { at, stat, path }: Node, depth: number): Generator<void, void, void> {
  if (depth > MAX_DEPTH) throw invalidArgument(`directories are nested deeper than ${MAX_DEPTH}`)
  const isIncluded = path === '' || run.selection.includes(path)
  if (!stat.isDirectory()) {
    if (isIncluded) run.record(describe(run, at, stat, path))
    return
  }
  if (!isIncluded && run.selection.prunes(path)) return
  // A directory that only leads to something counts if there is something: its attributes are copied then.
  const outer = run.record
  let isTold = false
  const tell = (line: string): void => {
    if (!isTold) outer(describe(run, at, stat, path))
    isTold = true
    outer(line)
  }
  if (isIncluded) {
    outer(describe(run, at, stat, path))
    isTold = true
  }
  yield* children({ ...run, record: tell }, at, path, depth)
}

function* children(run: Run, at: FilePath, path: string, depth: number): Generator<void, void, void> {
  const fd = openSync(at, READ_DIRECTORY)
  try {
    const directory = `/proc/self/fd/${fd}`
    // latin1 keeps every byte of a name in one character, which also makes the order that of bytes.
    for (const [index, raw] of readdirSync(directory, { encoding: 'latin1' }).sort().entries()) {
      if (index % BATCH === 0) yield
      const name = decodeName(Buffer.from(raw, 'latin1'))
      const child = systemPath(`${directory}/${name}`)
      const stat = lstatSync(child, { bigint: true, throwIfNoEntry: false })
      if (stat !== undefined && !isWhiteout(stat))
        yield* node(run, { at: child, stat, path: path === '' ? name : `${path}/${name}` }, depth + 1)
    }
  } finally {
    closeSync(fd)
  }
}

function describe(run: Run, at: FilePath, stat: BigIntStats, path: string): string {
  // All that a file has but its name goes into what is remembered of it: none of it changes without a change of its ctime.
  const node = stat.isFile()
    ? (run.digests.get(stat) ?? run.digests.put(stat, hash('sha256', attributesOf(run, at, stat), 'hex')))
    : undefined
  return JSON.stringify([path, node ?? attributesOf(run, at, stat)])
}

function attributesOf({ files }: Run, at: FilePath, stat: BigIntStats): string {
  const names = files.listXattr(at).filter((name) => !isOverlayXattr(name))
  const xattrs = names.sort().map((name) => [name, files.getXattr(at, name)?.toString('hex')])
  return JSON.stringify([Number(stat.mode), Number(stat.uid), Number(stat.gid), contentOf(at, stat), xattrs])
}

function contentOf(at: FilePath, stat: BigIntStats): string {
  if (stat.isFile()) return digestFile(at)
  if (stat.isSymbolicLink()) return readlinkSync(at, { encoding: 'buffer' }).toString('hex')
  return stat.isCharacterDevice() || stat.isBlockDevice() ? String(stat.rdev) : ''
}

/** In hexadecimal digits. */
function digestFile(at: FilePath): string {
  const fd = openSync(at, READ_FILE)
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile()) throw invalidArgument('a file has become something else while it was read')
    const buffer = Buffer.allocUnsafe(Math.min(stat.size + 1, 1024 * 1024))
    const first = readSync(fd, buffer, 0, buffer.length, null)
    if (first < buffer.length) return hash('sha256', buffer.subarray(0, first), 'hex')
    const digest = createHash('sha256')
    for (let count = first; count > 0; count = readSync(fd, buffer, 0, buffer.length, null)) digest.update(buffer.subarray(0, count))
    return digest.digest('hex')
  } finally {
    closeSync(fd)
  }
}
