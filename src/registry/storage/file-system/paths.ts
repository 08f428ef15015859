import { join } from 'node:path'
import { hexOf, type Digest } from '#oci'

/**
 * Every path below the root of a registry on a file system. The whole tree:
 *
 * ```
 * layout                          "1\n"; another number is a layout that this program does not know
 * blobs/sha256/<2 hex>/<64 hex>   whole and verified; its modification time is its last touch
 * uploads/<id>/owner              the repository
 * uploads/<id>/data               what has come so far; renamed to a blob at the end
 * records/<key>                   documents, see repositories/record-keys.ts
 * tmp/<random>                    what is being written; emptied at start
 * ```
 */
export interface StoragePaths {
  layout: string
  blobs: string
  uploads: string
  records: string
  temporary: string
  blob(digest: Digest): string
  upload(id: string): { directory: string; owner: string; data: string }
  /** `key` is checked by the caller. */
  record(key: string): string
}

export function storagePaths(root: string): StoragePaths {
  const blobs = join(root, 'blobs/sha256')
  const uploads = join(root, 'uploads')
  const records = join(root, 'records')
  return {
    layout: join(root, 'layout'),
    blobs,
    uploads,
    records,
    temporary: join(root, 'tmp'),
    blob(digest) {
      const hex = hexOf(digest)
      return join(blobs, hex.slice(0, 2), hex)
    },
    upload(id) {
      const directory = join(uploads, id)
      return { directory, owner: join(directory, 'owner'), data: join(directory, 'data') }
    },
    record: (key) => join(records, key),
  }
}
