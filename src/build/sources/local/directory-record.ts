import { readFileSync, renameSync, writeFileSync } from 'node:fs'

/** What is known of a kept directory besides its files; shown by `docker builder du`. Times are milliseconds since the epoch. */
export interface DirectoryRecord {
  description: string
  createdAt: number
  lastUsedAt: number
  usageCount: number
  /** Bytes of its files. */
  size: number
}

/** undefined: there is none. */
export function readRecord(path: string): DirectoryRecord | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as DirectoryRecord
  } catch (error) {
    // What a loss of power has left is no record either: the directory is new then.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw error
  }
}

/** All or nothing. */
export function writeRecord(path: string, record: DirectoryRecord): void {
  writeFileSync(`${path}.new`, JSON.stringify(record), { mode: 0o600 })
  renameSync(`${path}.new`, path)
}
