/** Contract of the registry's storage: what a file system and an S3 bucket can both do well. `test/contract/registry-storage.ts` is its suite. */

import type { Readable } from 'node:stream'
import type { Digest } from '#oci'

export interface StoredBlob {
  digest: Digest
  /** Bytes. */
  size: number
  /** When it was written or last touched; milliseconds since the epoch. */
  modified: number
}

/** An upload that is not finished; it may go on after the server was started again. */
export interface StoredUpload {
  id: string
  /** Bytes stored so far: the offset at which the next chunk has to begin. */
  size: number
  started: number
}

/** Immutable bytes by digest, shared by all repositories. */
export interface BlobStorage {
  stat(digest: Digest): Promise<StoredBlob | undefined>
  /** Bytes `start` to `end` (inclusive; default: all). Throws NOT_FOUND. */
  read(digest: Digest, range?: { start: number; end: number }): Promise<Readable>
  /** A small blob in one piece. Idempotent. */
  put(digest: Digest, bytes: Uint8Array): Promise<void>
  /** Sets `modified` to now, so that a collection that is running leaves it alone. Throws NOT_FOUND. */
  touch(digest: Digest): Promise<void>
  /** Absent is fine. */
  delete(digest: Digest): Promise<void>
  list(): AsyncIterable<StoredBlob>
}

/** Uploads in pieces. One writer at a time per upload: the caller serialises. */
export interface UploadStorage {
  create(): Promise<StoredUpload>
  stat(id: string): Promise<StoredUpload | undefined>
  /** Appends; resolves with the new size when the bytes survive a crash of the process. On failure the size is what was stored until then. */
  append(id: string, chunks: AsyncIterable<Uint8Array>): Promise<number>
  /** What was stored, for hashing after a restart. */
  read(id: string): Promise<Readable>
  /** Turns it into the blob `digest`, which the caller has verified; the upload is gone. */
  commit(id: string, digest: Digest): Promise<void>
  /** Absent is fine. */
  abort(id: string): Promise<void>
  list(): AsyncIterable<StoredUpload>
}

/** Small documents by path-like key (`repositories/a/b/tags/latest`): segments of `[A-Za-z0-9._-]`, joined by `/`. Read-after-write consistent. */
export interface RecordStorage {
  get(key: string): Promise<Buffer | undefined>
  put(key: string, value: Uint8Array): Promise<void>
  delete(key: string): Promise<void>
  /** Keys that begin with `prefix` (a whole directory: ends with `/`), in byte order, after `after`. */
  list(prefix: string, options?: { after?: string; limit?: number }): AsyncIterable<{ key: string; modified: number }>
  /** The next segments below `prefix`, sorted, each once: `readdir`. */
  children(prefix: string, options?: { after?: string; limit?: number }): AsyncIterable<string>
}

export interface RegistryStorage extends AsyncDisposable {
  readonly blobs: BlobStorage
  readonly uploads: UploadStorage
  readonly records: RecordStorage
  /** Throws when the storage cannot be used at present; for the health check. */
  check(): Promise<void>
  /** A URL where a client may fetch the blob by itself (S3, pre-signed), or undefined. */
  redirect(digest: Digest, method: 'GET' | 'HEAD'): Promise<string | undefined>
}
