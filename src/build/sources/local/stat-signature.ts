import { constants } from 'node:fs'
import type { FileStat } from '../../session.ts'

/**
 * A stat as one text without NUL: two entries with the same path and signature are the same file. The times and sizes of directories follow from what is done
 * in them; only their time counts, which COPY gives on.
 */
export function signatureOf(stat: FileStat): string {
  const { mode, uid, gid, size, mtime, device, linkname } = stat
  const names = Object.keys(stat.xattrs).sort()
  const xattrs = names.map((name) => `${encodeURIComponent(name)}=${Buffer.from(stat.xattrs[name] ?? []).toString('base64')}`)
  const bytes = typeOf(mode) === constants.S_IFREG ? size : 0
  return `${mode.toString(8)} ${uid}:${gid} ${bytes} ${mtime} ${device.major}:${device.minor} ${xattrs.join(',')} ${linkname}`
}

/** Signatures of what is there, but not yet as it should be: nothing that a client sends has them. */
export const UNFINISHED = { directory: '40000 unfinished', file: '100000 unfinished' } as const

export function isDirectorySignature(signature: string): boolean {
  return typeOf(Number.parseInt(signature, 8)) === constants.S_IFDIR
}

/** The bits of a mode that say what it is: `S_IFDIR` … */
export function typeOf(mode: number): number {
  return mode & constants.S_IFMT
}
