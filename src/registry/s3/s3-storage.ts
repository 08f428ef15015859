import type { S3Config } from '../config/storage-section.ts'
import type { RegistryStorage } from '../storage/types.ts'
import { openBucket } from './bucket.ts'
import { blobKey, createS3Blobs } from './s3-blobs.ts'
import { createS3Records } from './s3-records.ts'
import { createS3Uploads } from './s3-uploads.ts'

/**
 * Storage in a bucket of S3 or of a service that speaks its protocol and lets readers see what was written at once (Amazon S3, MinIO, Ceph, R2 …).
 * The layout below the prefix: `blobs/sha256/<hex>`, `records/<key>`, `uploads/<id>/…`.
 */
export async function openS3Storage(config: S3Config): Promise<RegistryStorage> {
  const bucket = await openBucket(config)
  return {
    blobs: createS3Blobs(bucket),
    uploads: createS3Uploads(bucket, config),
    records: createS3Records(bucket),

    check: () => bucket.check(),

    redirect: (digest, method) => bucket.presign(blobKey(digest), method),

    async [Symbol.asyncDispose]() {
      bucket[Symbol.dispose]()
      await Promise.resolve()
    },
  }
}
