/** Work that would hold up the daemon's main thread, as plain data that can be sent to a worker. */

import type { Digest } from '#oci'

export type Job =
  /**
   * Unpacks the layer blob (compressed or not) at `blob` into `directory`, which is made. `verify`: an uncompressed blob is hashed, too; else it is
   * taken for what was ingested as `digest`. `growing`: progress of the ingest that is still writing the file.
   */
  | { kind: 'unpack'; blob: string; digest: Digest; directory: string; verify: boolean; growing?: SharedArrayBuffer }
  /** Deletes everything in `directory`. */
  | { kind: 'empty'; directory: string }
  /** Writes the file system that holds `path` to the disk. */
  | { kind: 'sync'; path: string }

export interface UnpackResult {
  /** Digest of the uncompressed tar. */
  diffId: Digest
  /** Bytes of the uncompressed tar. */
  tarSize: number
  /** Bytes of the files. */
  size: number
  inodes: number
}

export type JobResult<J extends Job> = J extends { kind: 'unpack' } ? UnpackResult : undefined

export interface JobOptions {
  signal?: AbortSignal
  /** Called now and then with the bytes of the blob that have been read. */
  progress?: (read: number) => void
}

/** Where jobs run: in workers, or for tests in this thread. */
export interface JobRunner extends AsyncDisposable {
  run<J extends Job>(job: J, options?: JobOptions): Promise<JobResult<J>>
}
