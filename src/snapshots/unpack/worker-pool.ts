import { Worker } from 'node:worker_threads'
import type { Transferable } from 'node:worker_threads'
import { growthOf, nextGrowth } from '#content'
import { EngineError, internal } from '#errors'
import type { AnyResult, Job, JobOptions, JobResult, JobRunner } from './job.ts'
import { performJob } from './perform-job.ts'
import type { JobDeps } from './perform-job.ts'
import { failureOf, revive } from './worker-messages.ts'
import type { SharedOutcome, WorkerMessage, WorkerRequest } from './worker-messages.ts'

/** Milliseconds after which a worker without work ends: each keeps some MiB. */
const IDLE_TIMEOUT = 5000

/** Jobs at once that wait for somebody slow: they are in workers beyond the others, which take memory and no processor while they wait. */
const MAX_WAITING = 16

interface Task {
  job: Job
  options: JobOptions
  resolve: (result: AnyResult) => void
  reject: (error: unknown) => void
  /** Gives up the task while it waits for a worker. */
  onAbort: () => void
}

type JobClass = 'layer' | 'growing' | 'background' | 'waiting'

/**
 * Runs jobs in up to `size` worker threads, and in one more if need be; jobs that wait for somebody slow have others beside these. Workers are started when they
 * are needed. `entry` is a module that calls `runUnpackWorker` when loaded in a worker. Jobs beyond wait in order, but neither deletions and syncs, which nobody
 * waits for, nor layers whose downloads may be slow ever take all workers: each may last long, and a stored layer is to be unpacked meanwhile. An aborted job
 * stops at its next chunk: ending its thread would leak the descriptors it has open.
 */
export function createWorkerPool(deps: { entry: URL; size: number }): JobRunner {
  const idle = new Set<Worker>()
  const workers = new Set<Worker>()
  const queue: Task[] = []
  const running: Record<JobClass, number> = { layer: 0, growing: 0, background: 0, waiting: 0 }
  const closing = new AbortController()

  function mayRun(job: Job): boolean {
    const kind = classOf(job)
    if (kind === 'waiting') return running.waiting < MAX_WAITING
    const others = running.layer + running.background
    if (kind === 'growing') return others + running.growing < deps.size
    if (kind === 'background' && running.background >= Math.max(1, deps.size - 1)) return false
    return others < Math.max(1, deps.size - running.growing)
  }

  function takeTask(): Task | undefined {
    const index = queue.findIndex(({ job }) => mayRun(job))
    const task = index < 0 ? undefined : queue.splice(index, 1)[0]
    task?.options.signal?.removeEventListener('abort', task.onAbort)
    return task
  }

  function next(): void {
    for (let task = takeTask(); task !== undefined; task = takeTask()) {
      const worker = idle.values().next().value ?? start()
      idle.delete(worker)
      execute(worker, task)
    }
  }

  /** The layer may run under other conditions then. */
  function reconsiderWhenGrown(progress: SharedArrayBuffer): void {
    nextGrowth({ progress }, Infinity, closing.signal).then(next, () => {}) // it only fails when the pool is closing
  }

  function start(): Worker {
    // Descriptors are opened by system calls that node does not see and closed by node: it must not keep count of them.
    const worker = new Worker(deps.entry, { workerData: { role: 'unpack' }, name: 'gantry-unpack', trackUnmanagedFds: false })
    // Threads may not keep a process alive whose daemon is done.
    worker.unref()
    workers.add(worker)
    worker.once('exit', () => {
      workers.delete(worker)
      idle.delete(worker)
      next()
    })
    return worker
  }

  function execute(worker: Worker, task: Task): void {
    const { job, options } = task
    const kind = classOf(job)
    running[kind]++
    worker.ref()
    const settle = (finish: () => void): void => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit)
      options.signal?.removeEventListener('abort', onAbort)
      running[kind]--
      finish()
    }
    const onMessage = (message: WorkerMessage): void => {
      if (message.kind === 'progress') return options.progress?.(message.read)
      if (message.kind === 'share') return share(worker, message, options.signal)
      const aborted = options.signal?.aborted === true
      settle(() =>
        message.kind === 'done' ? task.resolve(message.result) : task.reject(aborted ? options.signal?.reason : revive(message)),
      )
      rest(worker)
    }
    const onError = (error: unknown): void => settle(() => task.reject(error))
    const onExit = (): void => {
      settle(() => task.reject(closing.signal.aborted ? closedError() : internal('Cannot finish the job: its worker ended')))
      next()
    }
    const onAbort = (): void => send(worker, { kind: 'abort' })
    worker.on('message', onMessage).on('error', onError).on('exit', onExit)
    options.signal?.addEventListener('abort', onAbort, { once: true })
    send(worker, { kind: 'job', job }, options.transfer)
  }

  /**
   * A part is never queued: who waits for it has a worker, and workers that wait for each other would stay so. Where there may be another worker, it is up when
   * the next part is offered.
   */
  function share(worker: Worker, { id, task, input }: WorkerMessage & { kind: 'share' }, signal: AbortSignal | undefined): void {
    const answer = (outcome: SharedOutcome): void => send(worker, { kind: 'shared', id, ...outcome })
    const job = { kind: 'task', task, input } as const
    if (idle.size > 0 && mayRun(job)) {
      pool.run(job, signal === undefined ? {} : { signal }).then(
        (result) => answer({ outcome: 'done', result }),
        (error: unknown) => answer({ outcome: 'failed', ...failureOf(error) }),
      )
      return
    }
    answer({ outcome: 'refused' })
    if (workers.size - running.waiting < deps.size && !closing.signal.aborted) rest(start())
  }

  function rest(worker: Worker): void {
    worker.unref()
    idle.add(worker)
    next()
    if (!idle.has(worker)) return
    setTimeout(() => {
      if (idle.delete(worker)) void worker.terminate()
    }, IDLE_TIMEOUT).unref()
  }

  const pool: JobRunner = {
    run<J extends Job>(job: J, options: JobOptions = {}): Promise<JobResult<J>> {
      const { promise, resolve, reject } = Promise.withResolvers<AnyResult>()
      if (closing.signal.aborted) reject(closedError())
      else if (options.signal?.aborted === true) reject(options.signal.reason)
      else {
        const onAbort = (): void => {
          queue.splice(queue.indexOf(task), 1)
          reject(options.signal?.reason)
        }
        const task = { job, options, resolve, reject, onAbort }
        queue.push(task)
        options.signal?.addEventListener('abort', onAbort, { once: true })
        next()
        if (job.kind === 'unpack' && job.growing !== undefined) reconsiderWhenGrown(job.growing)
      }
      return promise as Promise<JobResult<J>>
    },
    warmUp() {
      if (workers.size === 0 && !closing.signal.aborted) rest(start())
    },
    async [Symbol.asyncDispose]() {
      closing.abort()
      for (const task of queue.splice(0)) task.reject(closedError())
      await Promise.all([...workers].map((worker) => worker.terminate()))
    },
  }
  return pool
}

/** Somebody waits for `system df`, or for a build. */
const AWAITED: ReadonlySet<Job['kind']> = new Set(['measure', 'pack', 'task'])

/** As of now: a layer whose download is over waits for nothing any more. */
function classOf(job: Job): JobClass {
  if (job.kind === 'task' && job.waits === true) return 'waiting'
  if (job.kind !== 'unpack') return AWAITED.has(job.kind) ? 'layer' : 'background'
  return job.growing !== undefined && growthOf({ progress: job.growing }).state === 'growing' ? 'growing' : 'layer'
}

/** A {@link JobRunner} without threads, for tests and tools. */
export function createInlineRunner(deps: JobDeps): JobRunner {
  return {
    run: (job, options = {}) => performJob(deps, job, options),
    async [Symbol.asyncDispose]() {},
  }
}

/** The daemon is ending: who waits for background work need not hear of it as of a failure. */
function closedError(): EngineError {
  return new EngineError('CANCELLED', 'Cannot run the job: the daemon is shutting down')
}

function send(worker: Worker, request: WorkerRequest, transfer?: Transferable[]): void {
  worker.postMessage(request, transfer)
}
