import { parentPort } from 'node:worker_threads'
import { internal } from '#errors'
import { createFiles } from '#kernel'
import type { ShareTask, TaskLoader } from './job.ts'
import { performJob } from './perform-job.ts'
import { failureOf, revive } from './worker-messages.ts'
import type { SharedOutcome, WorkerMessage, WorkerRequest } from './worker-messages.ts'

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
  const { share, settle } = createSharing(send)
  const deps = { files: createFiles(), share, ...(loadTask === undefined ? {} : { loadTask }) }
  let abort = new AbortController()
  port.on('message', (request: WorkerRequest) => {
    if (request.kind === 'abort') return abort.abort()
    if (request.kind === 'shared') return settle(request.id, request)
    abort = new AbortController()
    const progress = throttle((read) => send({ kind: 'progress', read }))
    performJob(deps, request.job, { progress, signal: abort.signal }).then(
      (result) => send({ kind: 'done', result }),
      (error: unknown) => send({ kind: 'failed', ...failureOf(error) }),
    )
  })
}

/** Asks the pool to have a part done elsewhere. */
function createSharing(send: (message: WorkerMessage) => void): { share: ShareTask; settle: (id: number, outcome: SharedOutcome) => void } {
  const waiting = new Map<number, PromiseWithResolvers<{ result: unknown } | undefined>>()
  let last = 0
  return {
    share(task, input) {
      const answer = Promise.withResolvers<{ result: unknown } | undefined>()
      waiting.set(++last, answer)
      send({ kind: 'share', id: last, task, input })
      return answer.promise
    },
    settle(id, outcome) {
      const answer = waiting.get(id)
      waiting.delete(id)
      if (outcome.outcome === 'failed') answer?.reject(revive(outcome))
      else answer?.resolve(outcome.outcome === 'done' ? { result: outcome.result } : undefined)
    },
  }
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
