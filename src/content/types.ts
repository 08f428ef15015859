/** Contracts of `content/`. The manual is in `index.ts`. */

import type { Readable } from 'node:stream'
import type { Digest } from '#oci'

export interface Blob {
  digest: Digest
  /** Bytes. */
  size: number
}

/**
 * Keeps what an operation has made (blobs, and layers by diff id) from being collected until somebody's row names it. Taken before the
 * first is made, disposed after the operation's transaction.
 */
export interface Lease extends Disposable {
  hold(digest: Digest): void
  /**
   * Resolves when all blobs that the lease holds survive a loss of power, whoever ingested them: to be waited for before a row names them. Throws
   * what writing them to the disk failed with.
   */
  durable(): Promise<void>
}

/**
 * A blob while it is being written, for a reader that does not want to wait for its end (a worker that unpacks it). The file keeps its bytes when it
 * is renamed or deleted: open it at once. What has been read counts only once the blob is whole.
 */
export interface GrowingBlob {
  path: string
  /** Shared with worker threads; read by `nextGrowth`. */
  progress: SharedArrayBuffer
}

export interface IngestOptions {
  /** Protects the blob from the moment it exists. */
  lease: Lease
  /** The content must have this digest. */
  digest?: Digest
  /** The content must have this many bytes; reading stops beyond it. */
  size?: number
  signal?: AbortSignal
  /** Called before the first byte is written. What it gives ends, whole or failed, before `ingest` settles. */
  growing?: (blob: GrowingBlob) => void
}

/** Immutable bytes by digest. */
export interface ContentStore {
  lease(): Lease
  /** Whether a lease holds this digest. */
  isHeld(digest: Digest): boolean
  /**
   * Stores what `source` gives; until it is whole nothing is seen under its digest. It is written to the disk in the background, see
   * `Lease.durable`, so that it can be used meanwhile. May run several times at once for the same content. Throws INVALID_ARGUMENT when digest
   * or size differ from what was expected; errors of `source` pass through. Either way nothing is left behind.
   */
  ingest(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, options: IngestOptions): Promise<Blob>
  /**
   * As `ingest`, of a file that `write` makes at the path it is given and whose digest it tells: for worker threads, which hash what they write. When it
   * fails, nothing is left behind.
   */
  adopt(write: (path: string) => Promise<Digest>, options: { lease: Lease }): Promise<Blob>
  has(digest: Digest): boolean
  /** Bytes. Throws NOT_FOUND. */
  size(digest: Digest): number
  /** The file itself, for workers; never to be written. */
  path(digest: Digest): string
  /** Throws NOT_FOUND. */
  read(digest: Digest): Readable
  /** A small blob in one piece. Throws NOT_FOUND, or INVALID_ARGUMENT when it is larger than `limit` bytes. */
  readAll(digest: Digest, limit: number): Buffer
  list(): Blob[]
  /** Bytes that blobs take of the disk, and everything else in the store (directories, what is being ingested). */
  diskUsage(): { blobs: Map<Digest, number>; other: number }
  /** Deletes one blob unless a lease holds it. Whether it is gone; absent is fine. */
  discard(digest: Digest): boolean
  /** Paths of files that are neither blobs nor being written: what a crash, or somebody else, has left. */
  leftovers(): string[]
  /** Deletes every blob that is neither in `keep` nor held by a lease. Returns the bytes freed. */
  collect(keep: ReadonlySet<Digest>): Promise<number>
  /** After a start: removes what interrupted ingests left. Before the first ingest. */
  restore(): Promise<void>
}
