import { KeyedMutex } from '#lib'
import type { Digest } from '#oci'
import type { RegistryStorage } from '../storage/types.ts'
import type { BlobKeeper } from './types.ts'

/** The lock is in this process: one server at a time collects on a storage. */
export function createBlobKeeper({ blobs, uploads }: Pick<RegistryStorage, 'blobs' | 'uploads'>): BlobKeeper {
  const locks = new KeyedMutex<Digest>()
  return {
    put: (digest, bytes) => locks.run(digest, () => blobs.put(digest, bytes)),

    commit: (upload, digest) => locks.run(digest, () => uploads.commit(upload, digest)),

    keep: (digest) =>
      locks.run(digest, async () => {
        const blob = await blobs.stat(digest)
        if (blob !== undefined) await blobs.touch(digest)
        return blob
      }),

    ifUntouched: (digest, since, work) =>
      locks.run(digest, async () => {
        const blob = await blobs.stat(digest)
        if (blob !== undefined && blob.modified >= since) return false
        await work()
        return true
      }),

    collect: (digest, { untouchedSince, before }) =>
      locks.run(digest, async () => {
        const blob = await blobs.stat(digest)
        if (blob === undefined || blob.modified >= untouchedSince) return undefined
        await before?.()
        await blobs.delete(digest)
        return blob.size
      }),
  }
}
