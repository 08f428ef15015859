import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  lchownSync,
  linkSync,
  mkdirSync,
  openSync,
  rmdirSync,
  renameSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Files } from '#kernel'
import { createFileWriter, inSlices } from '#snapshots'
import type { DirectoryTransfer, FileStat } from '../../session.ts'
import type { KnownTree, UpdatePlan } from './plan-update.ts'
import { sortKey } from './receive-entries.ts'
import type { ReceivedEntry } from './receive-entries.ts'
import { signatureOf, typeOf, UNFINISHED_DIRECTORY } from './stat-signature.ts'

/** Files that are asked for at once: the client's disk and the connection are to be busy, not our memory. */
const PARALLEL = 32

export interface ApplyDeps {
  files: Files
  /** The directory to be changed; nobody else writes to it. */
  tree: string
  /** An empty directory on the same file system: files are whole before they get their names. */
  incoming: string
}

/** What became of an update that broke off. */
export class UpdateFailure extends Error {
  /** What is there now. */
  readonly tree: KnownTree

  constructor(cause: unknown, tree: KnownTree) {
    super('the transfer of a directory broke off', { cause })
    this.tree = tree
  }
}

/**
 * Carries out a plan; `received` hears of bytes as they come. Nothing that is there is written to: what changes gets a new inode, for others may have links to
 * the old one. Throws {@link UpdateFailure}; each file is then the old one or the new one.
 */
export async function applyUpdate(
  deps: ApplyDeps,
  known: KnownTree,
  plan: UpdatePlan,
  transfer: Pick<DirectoryTransfer, 'read' | 'link'>,
  options: { signal: AbortSignal; received: (bytes: number) => void },
): Promise<void> {
  const { tree } = deps
  const present = new Map(known)
  for (const { path } of plan.attributes) if (present.has(path)) present.set(path, UNFINISHED_DIRECTORY)
  const done = (stat: FileStat): void => void present.set(stat.path, signatureOf(stat))
  try {
    for await (const path of inSlices(plan.removals)) {
      remove(join(tree, path))
      present.delete(path)
    }
    for await (const { path } of inSlices(plan.directories)) {
      mkdirSync(join(tree, path), { mode: 0o700 })
      present.set(path, UNFINISHED_DIRECTORY)
    }
    await fetchFiles(deps, plan.files, transfer, { ...options, done })
    for await (const stat of inSlices(plan.nodes)) {
      makeNode(deps, stat)
      done(stat)
    }
    for await (const stat of inSlices(plan.hardLinks)) {
      const path = join(tree, stat.path)
      remove(path)
      linkSync(join(tree, stat.linkname), path)
      done(stat)
    }
    for await (const stat of inSlices(plan.attributes)) {
      const path = join(tree, stat.path)
      if (!isOwn(stat)) chownSync(path, stat.uid, stat.gid)
      chmodSync(path, stat.mode & 0o7777)
      setXattrs(deps, path, stat)
      deps.files.setTimes(path, stat.mtime, stat.mtime)
      done(stat)
    }
  } catch (error) {
    throw new UpdateFailure(error, new Map([...present].sort(([a], [b]) => Buffer.compare(sortKey(a), sortKey(b)))))
  }
}

interface FetchOptions {
  signal: AbortSignal
  received: (bytes: number) => void
  done: (stat: FileStat) => void
}

/** Several at once, in the order of the list. The first failure stops all. */
async function fetchFiles(
  deps: ApplyDeps,
  entries: readonly ReceivedEntry[],
  transfer: Pick<DirectoryTransfer, 'read' | 'link'>,
  options: FetchOptions,
): Promise<void> {
  const stop = new AbortController()
  const queue = entries.values()
  const work = async (lane: number): Promise<void> => {
    for (const entry of queue) {
      options.signal.throwIfAborted()
      stop.signal.throwIfAborted()
      const temporary = join(deps.incoming, String(lane))
      if (transfer.link !== undefined) await transfer.link(entry.index, temporary)
      else await fetchFile(deps, entry.stat, temporary, transfer.read(entry.index), options)
      renameSync(temporary, join(deps.tree, entry.stat.path))
      options.done(entry.stat)
    }
  }
  const lanes = Array.from({ length: Math.min(PARALLEL, entries.length) }, (_, lane) => work(lane))
  // None may still be writing when the failure is reported.
  for (const lane of lanes) lane.catch((error: unknown) => stop.abort(error))
  await Promise.allSettled(lanes)
  options.signal.throwIfAborted()
  stop.signal.throwIfAborted()
}

async function fetchFile(
  deps: ApplyDeps,
  stat: FileStat,
  path: string,
  content: AsyncIterable<Uint8Array>,
  { received, signal }: FetchOptions,
): Promise<void> {
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)
  const writer = createFileWriter()
  let offset = 0
  try {
    for await (const chunk of content) {
      signal.throwIfAborted()
      await writer.write(fd, offset, Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
      offset += chunk.length
      received(chunk.length)
    }
    await writer.end()
    if (!isOwn(stat)) fchownSync(fd, stat.uid, stat.gid)
    fchmodSync(fd, stat.mode & 0o7777)
    setXattrs(deps, path, stat)
    deps.files.setOpenTimes(fd, stat.mtime, stat.mtime)
  } finally {
    // A write under way must not outlive the descriptor.
    await writer.end().catch(() => undefined)
    closeSync(fd)
  }
}

function makeNode({ files, tree, incoming }: ApplyDeps, stat: FileStat): void {
  const path = join(tree, stat.path)
  const temporary = join(incoming, 'node')
  if (typeOf(stat.mode) === constants.S_IFLNK) symlinkSync(stat.linkname, temporary)
  else makeDevice(files, incoming, stat)
  if (!isOwn(stat)) lchownSync(temporary, stat.uid, stat.gid)
  if (typeOf(stat.mode) !== constants.S_IFLNK) chmodSync(temporary, stat.mode & 0o7777)
  setXattrs({ files }, temporary, stat)
  files.setTimes(temporary, stat.mtime, stat.mtime)
  renameSync(temporary, path)
}

function makeDevice(files: Files, directory: string, { mode, device }: FileStat): void {
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    files.mknodAt(fd, 'node', typeOf(mode) | 0o600, device.major, device.minor)
  } finally {
    closeSync(fd)
  }
}

/** Attributes that the file system cannot hold do not fail a build; those of overlayfs would mean something in a layer. */
function setXattrs({ files }: Pick<ApplyDeps, 'files'>, path: string, { xattrs }: FileStat): void {
  for (const [name, value] of Object.entries(xattrs)) {
    if (/^(trusted|user)\.overlay\./.test(name)) continue
    try {
      files.setXattr(path, name, Buffer.from(value))
    } catch (error) {
      if (!['EOPNOTSUPP', 'ENOTSUP', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
  }
}

/** What is made here belongs to us. */
function isOwn({ uid, gid }: FileStat): boolean {
  return uid === process.geteuid?.() && gid === process.getegid?.()
}

/** A directory is empty by now. */
function remove(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return
    if (code !== 'EISDIR' && code !== 'EPERM') throw error
    rmdirSync(path)
  }
}
