/**
 * Contract of the registry's storage: what a file system and an S3 bucket can both do well. `test/contract/registry-storage.ts` is its suite.
 *
 * Errors: NOT_FOUND where it is said, anything else means that the storage does not work. What was acknowledged survives a crash of the process
 * and, unless the implementation says otherwise, a loss of power.
 */

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
  /** Lower-case letters, digits and `-`; cannot be guessed. */
  id: string
  /** What {@link UploadStorage.create} was given: the repository that it is for. */
  owner: string
  /** Bytes stored so far: the offset at which the next chunk has to begin. */
  size: number
  /** Milliseconds since the epoch. */
  started: number
  /** When bytes last came; milliseconds since the epoch. */
  modified: number
}

/**
 * How far `StoredBlob.modified` may lie behind the last touch, milliseconds: a storage in which a touch is dear leaves it out for what was modified a
 * moment ago. A collection must leave alone what is younger than this and its own grace together.
 */
export const TOUCH_SLACK: number = 5 * 60_000

/** Immutable bytes by digest, shared by all repositories. */
export interface BlobStorage {
  stat(digest: Digest): Promise<StoredBlob | undefined>
  /** Bytes `start` to `end` (inclusive; default: all). `range` lies within the blob. Throws NOT_FOUND. */
  read(digest: Digest, range?: { start: number; end: number }): Promise<Readable>
  /** A small blob in one piece; the caller has verified it. Idempotent; `modified` becomes now. */
  put(digest: Digest, bytes: Uint8Array): Promise<void>
  /** Sets `modified` to now (see {@link TOUCH_SLACK}), so that a collection that is running leaves it alone. Throws NOT_FOUND. */
  touch(digest: Digest): Promise<void>
  /** Absent is fine. Whoever reads it at the moment gets it whole, or an error. */
  delete(digest: Digest): Promise<void>
  /** In no particular order. What is written or deleted meanwhile may or may not be seen. */
  list(): AsyncIterable<StoredBlob>
}

/** Uploads in pieces. One writer at a time per upload: the caller serialises. Ids come from clients: anything that is no id of ours is unknown. */
export interface UploadStorage {
  create(owner: string): Promise<StoredUpload>
  stat(id: string): Promise<StoredUpload | undefined>
  /**
   * Appends all of `chunks`; resolves with the new size when the bytes survive a crash of the process. When `chunks` throws, what it gave before is
   * kept as far as possible, and the error is passed on; `stat` then tells the size. `stored` is told, as it grows, how many bytes of the upload `read`
   * gives: fewer than were taken from `chunks`, since they are written in larger pieces. Throws NOT_FOUND.
   */
  append(id: string, chunks: AsyncIterable<Uint8Array>, stored?: (size: number) => void): Promise<number>
  /** What was stored from byte `start` (default: 0) on, to its present end; also while an append runs. For hashing after a restart. Throws NOT_FOUND. */
  read(id: string, start?: number): Promise<Readable>
  /** Turns it into the blob `digest`, which the caller has verified, modified now, replacing an equal one; the upload is gone. Throws NOT_FOUND. */
  commit(id: string, digest: Digest): Promise<void>
  /** Absent is fine. */
  abort(id: string): Promise<void>
  list(): AsyncIterable<StoredUpload>
}

export interface ListOptions {
  /** Only names that sort behind this one; it need not exist. */
  after?: string
  limit?: number
}

/**
 * Small documents (at most 5 MiB) by path-like key (`repositories/a/_tags/latest`): segments of `[A-Za-z0-9._-]`, at most 255 bytes each, not
 * `.` and `..`, joined by `/`. No key is the directory of another; a directory exists while there is a key in it. Read-after-write consistent; a
 * put replaces as a whole.
 */
export interface RecordStorage {
  get(key: string): Promise<Buffer | undefined>
  put(key: string, value: Uint8Array): Promise<void>
  /** Absent is fine. */
  delete(key: string): Promise<void>
  /** The documents directly in `directory` (`repositories/a/_tags`, no slash at the end), by name, in byte order. */
  list(directory: string, options?: ListOptions): AsyncIterable<string>
  /** The directories directly in `directory` by name, each once, in byte order of the name (`a` before `a-b`). */
  directories(directory: string, options?: ListOptions): AsyncIterable<string>
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
