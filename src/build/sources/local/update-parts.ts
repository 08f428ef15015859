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
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join, parse } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { systemPath } from '#archive'
import type { FilePath, Files } from '#kernel'
import type { FileStat } from '../../session.ts'
import { typeOf } from './stat-signature.ts'

/** A regular file whose content is at hand, or lies on this host and may be linked. `replaces`: something has its name, no directory. */
export interface NewFile {
  stat: FileStat
  replaces: boolean
  source: { content: readonly Uint8Array[] } | { path: string }
}

/** A part of an update of the directory `tree`, as plain data. */
export type UpdatePart =
  | { part: 'prepare'; tree: string; removals: readonly string[]; directories: readonly FileStat[] }
  | { part: 'files'; tree: string; files: readonly NewFile[] }
  | { part: 'complete'; tree: string; nodes: readonly FileStat[]; hardLinks: readonly FileStat[]; attributes: readonly FileStat[] }

/** Things done between two looks at the signal. */
const SLICE = 256

/** Does a part by synchronous calls: for worker threads, and for what is done at once. */
export async function performUpdatePart(files: Files, input: UpdatePart, signal?: AbortSignal): Promise<void> {
  let done = 0
  const each = async <T>(items: readonly T[], perform: (item: T) => void): Promise<void> => {
    for (const item of items) {
      perform(item)
      if (++done % SLICE !== 0) continue
      await setImmediate()
      signal?.throwIfAborted()
    }
  }
  const at = (path: string): FilePath => systemPath(join(input.tree, path))
  if (input.part === 'prepare') {
    await each(input.removals, (path) => removeEntry(at(path)))
    await each(input.directories, ({ path }) => mkdirSync(at(path), { mode: 0o700 }))
  } else if (input.part === 'files') {
    await each(input.files, (file) => {
      const path = at(file.stat.path)
      if (file.replaces) removeEntry(path)
      makeFile(files, path, file)
    })
  } else {
    await each(input.nodes, (stat) => {
      removeEntry(at(stat.path))
      makeNode(files, join(input.tree, stat.path), stat)
    })
    await each(input.hardLinks, ({ path, linkname }) => {
      removeEntry(at(path))
      linkSync(at(linkname), at(path))
    })
    await each(input.attributes, (stat) => {
      const path = at(stat.path)
      if (!isOwn(stat)) chownSync(path, stat.uid, stat.gid)
      chmodSync(path, stat.mode & 0o7777)
      setXattrs(files, path, stat)
      files.setTimes(path, stat.mtime, stat.mtime)
    })
  }
}

/** A file nobody has; its content comes next. */
export function createFile(path: FilePath): number {
  return openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)
}

/** After the content: a new owner takes away setuid bits and capabilities, and writing changes the time. */
export function setFileAttributes(files: Files, fd: number, path: FilePath, stat: FileStat): void {
  if (!isOwn(stat)) fchownSync(fd, stat.uid, stat.gid)
  fchmodSync(fd, stat.mode & 0o7777)
  setXattrs(files, path, stat)
  files.setOpenTimes(fd, stat.mtime, stat.mtime)
}

function makeFile(files: Files, path: FilePath, { stat, source }: NewFile): void {
  if ('path' in source) return linkSync(systemPath(source.path), path)
  const fd = createFile(path)
  try {
    for (const chunk of source.content) for (let offset = 0; offset < chunk.length;) offset += writeSync(fd, chunk, offset)
    setFileAttributes(files, fd, path, stat)
  } finally {
    closeSync(fd)
  }
}

function makeNode(files: Files, place: string, stat: FileStat): void {
  const path = systemPath(place)
  if (typeOf(stat.mode) === constants.S_IFLNK) symlinkSync(systemPath(stat.linkname), path)
  else makeDevice(files, place, stat)
  if (!isOwn(stat)) lchownSync(path, stat.uid, stat.gid)
  if (typeOf(stat.mode) !== constants.S_IFLNK) chmodSync(path, stat.mode & 0o7777)
  setXattrs(files, path, stat)
  files.setTimes(path, stat.mtime, stat.mtime)
}

function makeDevice(files: Files, path: string, { mode, device }: FileStat): void {
  const { dir, base } = parse(path)
  const fd = openSync(systemPath(dir), constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    files.mknodAt(fd, systemPath(base), typeOf(mode) | 0o600, device.major, device.minor)
  } finally {
    closeSync(fd)
  }
}

/** Attributes that the file system cannot hold do not fail a build; those of overlayfs would mean something in a layer. */
function setXattrs(files: Files, path: FilePath, { xattrs }: FileStat): void {
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

/** A directory must be empty. Gone already is fine: an update may have broken off. */
export function removeEntry(path: FilePath): void {
  try {
    unlinkSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return
    if (code !== 'EISDIR' && code !== 'EPERM') throw error
    rmdirSync(path)
  }
}
