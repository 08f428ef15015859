import { posix } from 'node:path'
import type { Digest } from '#oci'
import type { HttpSource } from '../../graph/types.ts'

/** Whether ADD, or a client who names a context, means a file to be fetched. */
export function isHttpAddress(text: string): boolean {
  return /^https?:\/\//.test(text)
}

/** The source for a file by its address; `filename`: what it is called in its file system. */
export function httpSource(url: string, { filename, checksum }: { filename: string; checksum?: Digest | undefined }): HttpSource {
  return { kind: 'http', url, ...(checksum !== undefined && { checksum }), filename, uid: 0, gid: 0, authHeaderSecret: '' }
}

/** What ADD calls a file: the last part of the address's path. */
export function fileNameOf(url: string): string {
  const name = URL.canParse(url) ? posix.basename(decode(new URL(url).pathname)) : ''
  return name === '' || name === '.' || name === '..' ? '__unnamed__' : name
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
