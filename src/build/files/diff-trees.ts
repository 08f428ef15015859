import { constants, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { posix } from 'node:path'
import { decodeName, systemPath } from '#archive'
import { ownDescriptor } from '#kernel'
import type { FilePath, Files } from '#kernel'
import { inSlices, isOverlayXattr, OPAQUE_VALUE, OPAQUE_XATTR, walkTree } from '#snapshots'
import { createContentCopier } from './copy-content.ts'
import { copyTree } from './copy-tree.ts'
import { findPath } from './find-path.ts'
import { directoryMaker } from './make-nodes.ts'
import { isWhiteout } from './is-whiteout.ts'

/** Descriptors are the caller's, and open until it is done; -1: an empty file system. */
export interface DiffInput {
  /** Where the difference is written, in overlayfs's language: the root of a layer that lies over nothing. */
  rootFd: number
  lowerFd: number
  upperFd: number
}

const READ_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
const WHITEOUT_MODE = constants.S_IFCHR
/** Nanoseconds. */
const SECOND = 1_000_000_000n

interface Difference {
  /** What is new or other in the upper tree, and the directories on the way; without slash in front. */
  changed: Set<string>
  /** What the upper tree lacks. */
  deleted: string[]
}

/** Writes what has to be put on top of the lower tree to get the upper one: files with their directories, and whiteouts. */
export async function writeDifference(
  files: Files,
  { rootFd, lowerFd, upperFd }: DiffInput,
  signal: AbortSignal | undefined,
): Promise<void> {
  const found: Difference = { changed: new Set(), deleted: [] }
  for await (const _ of inSlices(compareDirectories({ files, found }, lowerFd, upperFd, ''))) signal?.throwIfAborted()
  const make = directoryMaker(files, {})
  for (const path of found.deleted) {
    using place = findPath(rootFd, path, { follow: false, make })
    files.mknodAt(place.directoryFd, systemPath(place.name), WHITEOUT_MODE, 0, 0)
  }
  if (upperFd === -1) return
  const run = {
    files,
    changes: {},
    selection: { includes: (path: string) => found.changed.has(path), prunes: (path: string) => !found.changed.has(path) },
    replaceExisting: false,
    copyContent: createContentCopier(files),
    links: new Map<string, string>(),
    rootFd,
  }
  using source = findPath(upperFd, '/', { follow: false })
  using target = findPath(rootFd, '/', { follow: false })
  if (source.stat === undefined) return
  for await (const _ of inSlices(copyTree(run, { ...source, stat: source.stat }, { ...target, isNew: false }))) signal?.throwIfAborted()
}

interface Comparison {
  files: Files
  found: Difference
}

/** Whether anything in it is different. */
function* compareDirectories(run: Comparison, lowerFd: number, upperFd: number, path: string): Generator<void, boolean, void> {
  const [lower, upper] = [new Set(namesIn(lowerFd)), namesIn(upperFd)]
  let isChanged = false
  for (const name of upper) {
    yield
    if (
      yield* compareNodes(run, { lowerFd: lower.delete(name) ? lowerFd : -1, upperFd, name, path: path === '' ? name : `${path}/${name}` })
    )
      isChanged = true
  }
  for (const name of lower) {
    if (isWhiteout(lstatSync(at(lowerFd, name), { bigint: true }))) continue
    run.found.deleted.push(posix.join(path, name))
    isChanged = true
  }
  return isChanged
}

function* compareNodes(
  run: Comparison,
  { lowerFd, upperFd, name, path }: { lowerFd: number; upperFd: number; name: string; path: string },
): Generator<void, boolean, void> {
  const above = lstatSync(at(upperFd, name), { bigint: true })
  const below = lowerFd === -1 ? undefined : lstatSync(at(lowerFd, name), { bigint: true })
  let isChanged = below === undefined || !isSame(run.files, at(lowerFd, name), below, at(upperFd, name), above)
  if (above.isDirectory()) {
    using lower = below?.isDirectory() === true ? openDirectory(at(lowerFd, name)) : undefined
    using upper = openDirectory(at(upperFd, name))
    if (yield* compareDirectories(run, lower?.fd ?? -1, upper.fd, path)) isChanged = true
  }
  if (isChanged) run.found.changed.add(path)
  return isChanged
}

function isSame(files: Files, lower: FilePath, below: BigIntStats, upper: FilePath, above: BigIntStats): boolean {
  const attributes = ['mode', 'uid', 'gid', 'rdev'] as const
  if (attributes.some((name) => below[name] !== above[name])) return false
  if (above.isSymbolicLink()) return readlinkSync(lower, 'latin1') === readlinkSync(upper, 'latin1')
  if (above.isFile() && (below.size !== above.size || !haveSameData(lower, below, upper, above))) return false
  return xattrsOf(files, lower) === xattrsOf(files, upper)
}

/**
 * Files of one size with one time hold the same, as everywhere where trees are compared; else they are read. A time without fraction says nothing, unless it is one
 * inode that both show: archives have only such times, and those of reproducible builds have the same for all files.
 */
function haveSameData(lower: FilePath, below: BigIntStats, upper: FilePath, above: BigIntStats): boolean {
  const isOne = below.ino === above.ino && below.ctimeNs === above.ctimeNs
  if (below.mtimeNs === above.mtimeNs && (isOne || below.mtimeNs % SECOND !== 0n)) return true
  using one = openFile(lower)
  using other = openFile(upper)
  const [a, b] = [Buffer.allocUnsafe(64 * 1024), Buffer.allocUnsafe(64 * 1024)]
  for (;;) {
    const [count, same] = [readSync(one.fd, a), readSync(other.fd, b)]
    if (count !== same || !a.subarray(0, count).equals(b.subarray(0, same))) return false
    if (count === 0) return true
  }
}

function xattrsOf(files: Files, path: FilePath): string {
  const names = files.listXattr(path).filter((name) => !isOverlayXattr(name))
  return JSON.stringify(names.sort().map((name) => [name, files.getXattr(path, name)?.toString('hex')]))
}

/**
 * Whether layers (directories of overlayfs) say the same on top of something else than the tree that they were made on. One directory is enough that hides all that
 * is below, as one does that was deleted and made anew: elsewhere that would be more than what was deleted.
 */
export async function standsAlone(
  files: Files,
  { layers }: { layers: readonly string[] },
  signal: AbortSignal | undefined,
): Promise<boolean> {
  for (const layer of layers) {
    for await (const { stat, systemPath: node } of inSlices(walkTree(layer))) {
      signal?.throwIfAborted()
      if (stat.isDirectory() && files.getXattr(node, OPAQUE_XATTR)?.equals(OPAQUE_VALUE) === true) return false
    }
  }
  return true
}

function namesIn(fd: number): string[] {
  if (fd === -1) return []
  return readdirSync(`/proc/self/fd/${fd}/.`, { encoding: 'buffer' }).map(decodeName)
}

function at(fd: number, name: string): FilePath {
  return systemPath(`/proc/self/fd/${fd}/${name}`)
}

function openDirectory(path: FilePath): Disposable & { fd: number } {
  return ownDescriptor(openSync(path, READ_DIRECTORY))
}

function openFile(path: FilePath): Disposable & { fd: number } {
  return ownDescriptor(openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW))
}
