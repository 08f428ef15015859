import { chmodSync, chownSync, closeSync, constants, fchmodSync, fchownSync, fstatSync, lchownSync, openSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import type { FilePath, Files } from '#kernel'
import { isOverlayXattr, O_PATH } from '#snapshots'
import type { ModeChange } from './file-mode.ts'

/** What becomes of the attributes of all that a step makes. Absent: as in the source; root's, of now, for what has none. */
export interface Changes {
  owner?: { uid: number; gid: number }
  mode?: ModeChange
  /** Nanoseconds since the epoch. */
  time?: bigint
}

/** Answers of a file system, or of a type of file, that cannot hold an attribute. As with BuildKit it does not fail the copy. */
const UNSUPPORTED: ReadonlySet<string> = new Set(['EOPNOTSUPP', 'ENOTSUP', 'EPERM'])

/** Mode of directories that are made on the way, before any change. */
export const NEW_DIRECTORY_MODE = 0o755

export function modeOf(stat: BigIntStats, { mode }: Changes): number {
  const bits = Number(stat.mode & 0o7777n)
  return mode === undefined ? bits : mode(bits, stat.isDirectory())
}

function ownerOf(stat: BigIntStats, { owner }: Changes): { uid: number; gid: number } {
  return owner ?? { uid: Number(stat.uid), gid: Number(stat.gid) }
}

/** Owner, mode, extended attributes and times of a copy, in the order in which they do not undo each other. `from`, `to`: paths that end in the nodes' own names. */
export function copyAttributes(files: Files, from: FilePath, stat: BigIntStats, to: FilePath, changes: Changes): void {
  const { uid, gid } = ownerOf(stat, changes)
  if (stat.isSymbolicLink()) lchownSync(to, uid, gid)
  else {
    // By descriptor: chmod(2) would follow a link that has taken the name. fchmod(2) refuses O_PATH; its entry below /proc does not.
    const fd = openSync(to, O_PATH | constants.O_NOFOLLOW)
    try {
      chownSync(`/proc/self/fd/${fd}`, uid, gid)
      chmodSync(`/proc/self/fd/${fd}`, modeOf(stat, changes))
    } finally {
      closeSync(fd)
    }
  }
  copyXattrs(files, from, to)
  copyTimes(files, stat, to, changes)
}

/**
 * The same between regular files that are open. Nearly everything that is copied: the ways through /proc are saved, and what is right already is not written,
 * for the file system would note it in its journal.
 */
export function copyFileAttributes(
  files: Files,
  from: { fd: number; stat: BigIntStats },
  to: { fd: number; path: FilePath },
  changes: Changes,
): void {
  const { stat } = from
  const { uid, gid } = ownerOf(stat, changes)
  const mode = modeOf(stat, changes)
  const now = fstatSync(to.fd)
  if (now.uid !== uid || now.gid !== gid) fchownSync(to.fd, uid, gid)
  // A new owner takes away set-id bits, which were not there yet.
  if ((now.mode & 0o7777) !== mode) fchmodSync(to.fd, mode)
  copyXattrs(files, from.fd, to.path)
  const { atime, mtime } = timesOf(stat, changes)
  files.setOpenTimes(to.fd, atime, mtime)
}

export function copyTimes(files: Files, stat: BigIntStats, to: FilePath, changes: Changes): void {
  const { atime, mtime } = timesOf(stat, changes)
  files.setTimes(to, atime, mtime)
}

function timesOf(stat: BigIntStats, { time }: Changes): { atime: bigint; mtime: bigint } {
  return { atime: time ?? stat.atimeNs, mtime: time ?? stat.mtimeNs }
}

/** overlayfs's own are not copied: they would show files of other layers, by paths that the source chose. */
function copyXattrs(files: Files, from: FilePath | number, to: FilePath): void {
  for (const name of files.listXattr(from)) {
    const value = isOverlayXattr(name) ? undefined : files.getXattr(from, name)
    if (value === undefined) continue
    try {
      files.setXattr(to, name, value)
    } catch (error) {
      if (!UNSUPPORTED.has((error as { code?: string }).code ?? '')) throw error
    }
  }
}

/** Owner, mode and time of a node that has no source. `fallback`: mode and time where no change says otherwise. */
export function setAttributes(files: Files, path: FilePath, changes: Changes, fallback: { mode?: number; isDirectory: boolean }): void {
  const { owner, mode, time } = changes
  if (fallback.mode === undefined) {
    if (owner !== undefined) lchownSync(path, owner.uid, owner.gid)
  } else {
    const fd = openSync(path, O_PATH | constants.O_NOFOLLOW)
    try {
      if (owner !== undefined) chownSync(`/proc/self/fd/${fd}`, owner.uid, owner.gid)
      chmodSync(`/proc/self/fd/${fd}`, mode === undefined ? fallback.mode : mode(fallback.mode, fallback.isDirectory))
    } finally {
      closeSync(fd)
    }
  }
  if (time !== undefined) files.setTimes(path, time, time)
}
