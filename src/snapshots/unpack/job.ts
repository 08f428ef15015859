/** Work that would hold up the daemon's main thread, as plain data that can be sent to a worker. */

import type { Transferable } from 'node:worker_threads'
import type { Files } from '#kernel'
import type { Digest } from '#oci'
import type { DiskUsage } from '../types.ts'
import type { LayerComparison, TarSource } from '../verify/verify-layer.ts'

export type Job =
  /**
   * Unpacks the layer blob (compressed or not) at `blob` into `directory`, which is made. `verify`: an uncompressed blob is hashed, too, which was hashed
   * when it was ingested. `growing`: progress of the ingest that is still writing the file.
   */
  | { kind: 'unpack'; blob: string; directory: string; verify: boolean; growing?: SharedArrayBuffer }
  /** Writes the tar of the layer in `directory` to a new file. `latest`: nanoseconds since the epoch that later times are cut to. */
  | { kind: 'pack'; directory: string; target: string; latest?: bigint }
  /** Deletes everything in `directory`. */
  | { kind: 'empty'; directory: string }
  /** Writes the file system that holds `path` to the disk. */
  | { kind: 'sync'; path: string }
  /** Writes the recipe by which the tar in `blob` is made of the files in `directory` to `target`, synced. What has that name already is replaced. */
  | { kind: 'recipe'; blob: string; directory: string; target: string }
  /** Compares the files in `directory` with the layer's tar. */
  | { kind: 'verify'; source: TarSource; diffId: Digest; directory: string }
  /** Reads a file to its end. */
  | { kind: 'hash'; path: string }
  /** Adds up what `path` and all below it take. */
  | { kind: 'measure'; path: string }
  /**
   * Work of another module, which has given the workers a {@link TaskLoader}. `input` is plain data; descriptors in it are the caller's until the job is over.
   * `waits`: for somebody who may be slow, so it takes no worker that others want.
   */
  | { kind: 'task'; task: string; input: unknown; waits?: true }

export interface UnpackResult {
  /** Digest of the uncompressed tar. Undefined: the blob is not compressed, and its digest is this one. */
  diffId: Digest | undefined
  /** Bytes of the uncompressed tar. */
  tarSize: number
  /** Bytes of the files. */
  size: number
  inodes: number
}

/** A file as it was read; `inode` tells it from one that has taken its name since. */
export interface HashResult {
  digest: Digest
  size: number
  inode: bigint
}

export interface PackResult extends UnpackResult {
  diffId: Digest
}

export interface JobResults {
  unpack: UnpackResult
  pack: PackResult
  empty: undefined
  sync: undefined
  /** Bytes of the recipe. */
  recipe: number
  verify: LayerComparison
  hash: HashResult
  measure: DiskUsage
  task: unknown
}

export type JobResult<J extends Job> = JobResults[J['kind']]
/** What any job may give. */
export type AnyResult = JobResults[keyof JobResults]

export interface JobOptions {
  signal?: AbortSignal
  /** Called now and then with the bytes of the blob that have been read, or of the tar that have been written. */
  progress?: (read: number) => void
  /** What of a task's input is not copied, but goes to the worker. */
  transfer?: Transferable[]
}

/** Work in a worker thread that has nothing else to do: system calls may be synchronous. It looks at its signal now and then, which needs turns of the event loop. */
export type Task = (files: Files, input: unknown, signal: AbortSignal | undefined, share?: ShareTask) => Promise<unknown>

/**
 * Gives a part of a task, itself a task, to another worker that has nothing to do; it ends with the signal of the whole. Resolves with what the part gave; undefined:
 * nobody has time, it was not begun.
 */
export type ShareTask = (task: string, input: unknown) => Promise<{ result: unknown } | undefined>

/** Finds the task of a name. Called in the worker: what a task needs is loaded there, and when it is first wanted. */
export type TaskLoader = (task: string) => Promise<Task>

/** Where jobs run: in workers, or for tests in this thread. */
export interface JobRunner extends AsyncDisposable {
  run<J extends Job>(job: J, options?: JobOptions): Promise<JobResult<J>>
  /** Somebody is about to want a worker, which takes some 50 ms to come up: one is started unless one is there. Absent: there is nothing to start. */
  warmUp?(): void
}
