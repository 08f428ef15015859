import type { RequestListener } from 'node:http'
import type { StorageConfig } from '../config/storage-section.ts'
import { createRecordLock, OWN_STORAGE, type CollectionLock } from '../gc/collection-lock.ts'
import { claimRoot } from '../gc/control-socket.ts'
import { openS3Storage } from '../s3/s3-storage.ts'
import { openFileStorage } from '../storage/file-system/file-storage.ts'
import { TOUCH_SLACK, type RegistryStorage } from '../storage/types.ts'
import { mkdir } from 'node:fs/promises'

export interface OpenedStorage extends AsyncDisposable {
  readonly storage: RegistryStorage
  readonly lock: CollectionLock
  /** Milliseconds that a collection leaves alone what is young, at least. */
  readonly minGrace: number
}

/** Opens what the configuration names. A directory is claimed for this process: `control` answers what others ask. Throws CONFLICT when it is in use. */
export async function openStorage(config: StorageConfig, control: RequestListener): Promise<OpenedStorage> {
  await using undo = new AsyncDisposableStack()
  const { backend } = config
  if (backend.kind === 's3') {
    const storage = undo.use(await openS3Storage(backend.s3))
    const owned = undo.move()
    return {
      storage: config.redirect ? storage : { ...storage, redirect: () => Promise.resolve(undefined) },
      lock: createRecordLock(storage.records),
      // Other servers touch by S3's clock and leave touches out: the double is for clocks that differ.
      minGrace: 2 * TOUCH_SLACK,
      [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
    }
  }
  await mkdir(backend.root, { recursive: true, mode: 0o700 })
  // First: opening removes what a process that died left behind, and that of one that lives must stay.
  undo.use(await claimRoot(backend.root, control))
  const storage = undo.use(await openFileStorage({ root: backend.root }))
  const owned = undo.move()
  return { storage, lock: OWN_STORAGE, minGrace: 0, [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose]() }
}
