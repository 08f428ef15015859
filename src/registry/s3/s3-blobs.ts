import { notFound } from '#errors'
import { hexOf, isDigest, type Digest } from '#oci'
import { TOUCH_SLACK, type BlobStorage } from '../storage/types.ts'
import type { Bucket } from './types.ts'

/** Keys of blobs: `blobs/sha256/<64 hex>`. */
const BLOBS = 'blobs/sha256/'

export function blobKey(digest: Digest): string {
  return BLOBS + hexOf(digest)
}

export function createS3Blobs(bucket: Bucket): BlobStorage {
  return {
    async stat(digest) {
      const object = await bucket.head(blobKey(digest))
      return object && { digest, size: object.size, modified: object.modified }
    },

    async read(digest, range) {
      const body = await bucket.get(blobKey(digest), range)
      if (body === undefined) throw notFound(`blob ${digest} is not stored`)
      return body
    },

    put: (digest, bytes) => bucket.put(blobKey(digest), bytes),

    async touch(digest) {
      const key = blobKey(digest)
      const object = await bucket.head(key)
      // A copy onto itself is the only way to a new date, and its time goes with the size: half of the slack is left for the clocks to differ.
      const isRecent = object !== undefined && Date.now() - object.modified < TOUCH_SLACK / 2
      if (object === undefined || (!isRecent && !(await bucket.copy(object, key)))) throw notFound(`blob ${digest} is not stored`)
    },

    delete: (digest) => bucket.delete(blobKey(digest)),

    async *list() {
      for await (const { key, size, modified } of bucket.list(BLOBS)) {
        const digest = `sha256:${key.slice(BLOBS.length)}`
        if (isDigest(digest)) yield { digest, size, modified }
      }
    },
  }
}
