/**
 * Paths below open directories. A path of several components would be resolved anew by every call, from the daemon's root: an absolute link put
 * in its middle leads to the host. `/proc/self/fd/N/name` jumps to what N refers to, whatever that is called by now, and the calls used on it do
 * not follow a link in the last component (lstat, unlink, rename, mkdir, lchown, open with O_NOFOLLOW …).
 */

import { readFileSync } from 'node:fs'
import { systemPath } from '#archive'
import { internal } from '#errors'
import type { FilePath } from '#kernel'

/** Open without reading; not among node's constants, the same on x64 and arm64. */
export const O_PATH = 0o10000000

/** The entry `name` of an open directory. Throws INTERNAL for what is no single name. */
export function pathIn(directoryFd: number, name: string): FilePath {
  if (name === '' || name === '.' || name === '..' || name.includes('/')) throw internal(`Cannot name a file ${JSON.stringify(name)}`)
  return systemPath(`/proc/self/fd/${directoryFd}/${name}`)
}

/** Identifies the mount a descriptor was reached through (proc_pid_fdinfo(5)): differs from its directory's where something is mounted. */
export function mountIdOf(fd: number): string {
  return /^mnt_id:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1] ?? ''
}
