import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { systemPath } from '#archive'
import type { Files } from '#kernel'
import { O_PATH } from './descriptor-path.ts'

const ABSENT: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'])

/**
 * Opens the regular file that an archive's name means below an open root, links on the way resolved inside it; undefined when there is none. What
 * it is, is asked before it is opened: opening a fifo waits, opening a device may do anything.
 */
export function openRegular(files: Files, rootFd: number, path: string): { fd: number; stat: BigIntStats } | undefined {
  let named: number
  try {
    named = files.openInRoot(rootFd, systemPath(path), O_PATH | constants.O_NOFOLLOW)
  } catch (error) {
    if (ABSENT.has((error as { code?: string }).code ?? '')) return undefined
    throw error
  }
  try {
    const stat = fstatSync(named, { bigint: true })
    if (!stat.isFile()) return undefined
    return { fd: openSync(`/proc/self/fd/${named}`, constants.O_RDONLY), stat }
  } finally {
    closeSync(named)
  }
}
