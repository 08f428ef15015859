import { open, readdir, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { notFound } from '#errors'
import { isDigest, type Digest } from '#oci'
import type { BlobStorage, StoredBlob } from '../types.ts'
import { isMissing, type DurableFiles } from './durable-files.ts'
import type { StoragePaths } from './paths.ts'

/** Bytes per read: large enough that the thread pool's round trip does not count. */
const READ_SIZE = 1024 * 1024

export function createFileBlobs(paths: StoragePaths, files: DurableFiles): BlobStorage {
  async function statBlob(digest: Digest): Promise<StoredBlob | undefined> {
    try {
      const { size, mtimeMs } = await stat(paths.blob(digest))
      return { digest, size, modified: Math.trunc(mtimeMs) }
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  return {
    stat: statBlob,

    read: (digest, range) => openForReading(paths.blob(digest), `blob ${digest}`, range),

    put: (digest, bytes) => files.write(paths.blob(digest), bytes),

    async touch(digest) {
      const now = new Date()
      try {
        await utimes(paths.blob(digest), now, now)
      } catch (error) {
        if (isMissing(error)) throw notFound(`blob ${digest} is not stored`, error)
        throw error
      }
    },

    delete: (digest) => files.remove(paths.blob(digest), paths.blobs),

    async *list() {
      for (const group of await readdir(paths.blobs)) {
        for (const hex of await namesIn(join(paths.blobs, group))) {
          const digest = `sha256:${hex}`
          const blob = isDigest(digest) ? await statBlob(digest) : undefined
          if (blob !== undefined) yield blob
        }
      }
    },
  }
}

/** Opens first, so that a missing file is an error here and not in the middle of an answer. Throws NOT_FOUND. */
export async function openForReading(path: string, what: string, range?: { start: number; end: number }): Promise<Readable> {
  try {
    const file = await open(path, 'r')
    return file.createReadStream({ highWaterMark: READ_SIZE, ...range })
  } catch (error) {
    if (isMissing(error)) throw notFound(`${what} is not stored`, error)
    throw error
  }
}

/** Names in a directory that may be gone. */
async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}
