import { parentPort } from 'node:worker_threads'
import { EngineError, internal } from '#errors'
import type { ErrorCode } from '#errors'
import { createFiles } from '#kernel'
import type { AnyResult, Job, TaskLoader } from './job.ts'
import { performJob } from './perform-job.ts'

/** What a worker is told: a job when it has none, and to give up the one it has. */
export type WorkerRequest = { kind: 'job'; job: Job } | { kind: 'abort' }

/** What a worker says about its job. */
export type WorkerMessage =
  | { kind: 'progress'; read: number }
  | { kind: 'done'; result: AnyResult }
  | { kind: 'failed'; code: ErrorCode | undefined; message: string; stack: string | undefined }

/** Milliseconds between two reports of progress. */
const PROGRESS_INTERVAL = 100

/**
 * The body of a worker thread: does the jobs it is sent, one after the other, until it is terminated. To be called by the program's entry
 * file when that is loaded as a worker. `loadTask`: for jobs that are tasks of other modules.
 */
export function runUnpackWorker(loadTask?: TaskLoader): void {
  const port = parentPort
  if (port === null) throw internal('Cannot run jobs: this is not a worker thread')
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
  const send = (message: WorkerMessage): void => port.postMessage(message)
  const deps = { files: createFiles(), ...(loadTask === undefined ? {} : { loadTask }) }
  let abort = new AbortController()
  port.on('message', (request: WorkerRequest) => {
    if (request.kind === 'abort') return abort.abort()
    abort = new AbortController()
    const progress = throttle((read) => send({ kind: 'progress', read }))
    performJob(deps, request.job, { progress, signal: abort.signal }).then(
      (result) => send({ kind: 'done', result }),
      (error: unknown) => send(failure(error)),
    )
  })
}

/** Error classes do not survive the way between threads. */
function failure(error: unknown): WorkerMessage {
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  return { kind: 'failed', code: error instanceof EngineError ? error.code : undefined, message, stack }
}

function throttle(report: (read: number) => void): (read: number) => void {
  let last = performance.now()
  return (read) => {
    const now = performance.now()
    if (now - last < PROGRESS_INTERVAL) return
    last = now
    report(read)
  }
}
