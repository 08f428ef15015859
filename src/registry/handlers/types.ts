/** What the handlers work with. */

import type { KeyedMutex } from '#lib'
import type { BlobKeeper, Repositories } from '../repositories/types.ts'
import type { RegistryStorage } from '../storage/types.ts'
import type { AccessController, RegistryEvents, Upstream } from '../types.ts'
import type { UploadHashes } from './upload-hashes.ts'

export interface HandlerDeps {
  storage: RegistryStorage
  repositories: Repositories
  keeper: BlobKeeper
  access: AccessController | undefined
  events: RegistryEvents | undefined
  upstream: Upstream | undefined
  /** Whether manifests, tags and blobs may be deleted. */
  deletes: boolean
  /** Whether anything may be written: then content that a client asks about is kept for the push that may follow. */
  isWritable: boolean
  /** By upload id: one writer at a time. */
  uploadLocks: KeyedMutex
  uploadHashes: UploadHashes
  /** Clock: milliseconds since the epoch. */
  now: () => number
}
