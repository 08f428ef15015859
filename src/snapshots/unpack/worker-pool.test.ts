import assert from 'node:assert/strict'
import { mkdtempDisposableSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createContentStore } from '#content'
import type { Job } from './job.ts'
import { createWorkerPool } from './worker-pool.ts'

/** A worker that unpacks at once, ends on `sync`, and deletes until it is told to give up. */
const ENTRY = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from 'node:worker_threads'
    parentPort.on('message', ({ kind, job }) => {
      if (kind === 'abort') parentPort.postMessage({ kind: 'failed', message: 'gave up' })
      else if (job.kind === 'unpack') parentPort.postMessage({ kind: 'done', result: { tarSize: 1 } })
      else if (job.kind === 'sync') process.exit(1)
    })`)}`,
)
/** A worker that waits for ever for a layer that has not a single byte yet. */
const STUCK_ENTRY = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from 'node:worker_threads'
    parentPort.on('message', ({ job }) => {
      if (job.growing === undefined || new BigInt64Array(job.growing)[0] > 0n) parentPort.postMessage({ kind: 'done', result: { tarSize: 1 } })
    })`)}`,
)
/** A worker that offers a part of the task `whole` to others and says what became of it; a part it does, or fails with one that is `bad`. */
const SHARING_ENTRY = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from 'node:worker_threads'
    const done = (result) => parentPort.postMessage({ kind: 'done', result })
    parentPort.on('message', ({ kind, job, ...answer }) => {
      if (kind === 'shared') return done(answer)
      if (job.task === 'whole') parentPort.postMessage({ kind: 'share', id: 7, task: job.input, input: { of: 'whole' } })
      else if (job.task === 'bad') parentPort.postMessage({ kind: 'failed', code: 'NOT_FOUND', message: 'no such part' })
      else done([job.task, job.input])
    })`)}`,
)
const UNPACK: Job = { kind: 'unpack', blob: '/blob', directory: '/d', verify: false }
const EMPTY: Job = { kind: 'empty', directory: '/d' }

describe('createWorkerPool', () => {
  it('unpacks while deletions go on and more of them wait', async () => {
    await using pool = createWorkerPool({ entry: ENTRY, size: 2 })
    const background = [pool.run(EMPTY), pool.run(EMPTY), pool.run(EMPTY)]
    for (const job of background) job.catch(() => {})
    assert.deepEqual(await pool.run(UNPACK), { tarSize: 1 })
  })

  it('unpacks while tasks wait for somebody slow', async () => {
    await using pool = createWorkerPool({ entry: ENTRY, size: 1 })
    for (let i = 0; i < 3; i++) pool.run({ kind: 'task', task: 'slow', input: undefined, waits: true }).catch(() => {})
    assert.deepEqual(await pool.run(UNPACK), { tarSize: 1 })
  })

  it('starts a worker before there is anything to do, and only one', async () => {
    await using pool = createWorkerPool({ entry: ENTRY, size: 2 })
    pool.warmUp?.()
    pool.warmUp?.()
    assert.deepEqual(await pool.run(UNPACK), { tarSize: 1 })
  })

  it('unpacks stored layers while others wait for their downloads', async () => {
    await using pool = createWorkerPool({ entry: STUCK_ENTRY, size: 1 })
    const growing: Job = { ...UNPACK, growing: new SharedArrayBuffer(8) }
    for (let i = 0; i < 10; i++) pool.run(growing).catch(() => {})
    assert.deepEqual(await pool.run(UNPACK), { tarSize: 1 })
  })

  it('takes a layer for one like others once its download is over', async () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'worker-pool-'))
    await using pool = createWorkerPool({ entry: STUCK_ENTRY, size: 1 })
    pool.run({ ...UNPACK, growing: new SharedArrayBuffer(8) }).catch(() => {})
    const content = createContentStore({ root: directory.path })
    let unpacked: Promise<unknown> | undefined
    await content.ingest([Buffer.from('layer')], {
      lease: content.lease(),
      growing: ({ progress }) => (unpacked = pool.run({ ...UNPACK, growing: progress })),
    })
    assert.deepEqual(await unpacked, { tarSize: 1 })
  })

  it('gives parts of a task to workers that have nothing to do, and to no others', async () => {
    await using pool = createWorkerPool({ entry: SHARING_ENTRY, size: 2 })
    const whole = async (part: string): Promise<unknown> => await pool.run({ kind: 'task', task: 'whole', input: part })
    // The first offer starts the other worker.
    assert.deepEqual(await whole('part'), { id: 7, outcome: 'refused' })
    assert.deepEqual(await whole('part'), { id: 7, outcome: 'done', result: ['part', { of: 'whole' }] })
    const { stack: _, ...failure } = (await whole('bad')) as Record<string, unknown>
    assert.deepEqual(failure, { id: 7, outcome: 'failed', code: 'NOT_FOUND', message: 'no such part' })
  })

  it('refuses parts when there is only one worker', async () => {
    await using pool = createWorkerPool({ entry: SHARING_ENTRY, size: 1 })
    for (let i = 0; i < 3; i++)
      assert.deepEqual(await pool.run({ kind: 'task', task: 'whole', input: 'part' }), { id: 7, outcome: 'refused' })
  })

  it('rejects what is running and what waits as cancelled when it is disposed', async () => {
    const pool = createWorkerPool({ entry: ENTRY, size: 1 })
    const outcomes = Promise.allSettled([pool.run(EMPTY), pool.run(UNPACK)])
    await pool[Symbol.asyncDispose]()
    assert.deepEqual(
      (await outcomes).map((outcome) => outcome.status === 'rejected' && outcome.reason.code),
      ['CANCELLED', 'CANCELLED'],
    )
    await assert.rejects(pool.run(UNPACK), { code: 'CANCELLED' })
  })

  it('rejects the job of a worker that ends, and goes on with another', async () => {
    await using pool = createWorkerPool({ entry: ENTRY, size: 1 })
    await assert.rejects(pool.run({ kind: 'sync', path: '/' }), { code: 'INTERNAL', message: /its worker ended/ })
    assert.deepEqual(await pool.run(UNPACK), { tarSize: 1 })
  })

  it('gives up a job when its signal aborts, and uses the worker again', async () => {
    await using pool = createWorkerPool({ entry: ENTRY, size: 1 })
    const abort = new AbortController()
    const job = pool.run(EMPTY, { signal: abort.signal })
    abort.abort(new Error('enough'))
    await assert.rejects(job, { message: 'enough' })
    assert.deepEqual(await pool.run(UNPACK), { tarSize: 1 })
  })

  it('gives up a job at once that waits when its signal aborts', async () => {
    await using pool = createWorkerPool({ entry: ENTRY, size: 1 })
    pool.run(EMPTY).catch(() => {}) // occupies the worker until the end
    const abort = new AbortController()
    const [given, kept] = [pool.run(EMPTY, { signal: abort.signal }), pool.run(EMPTY)]
    kept.catch(() => {})
    abort.abort(new Error('enough'))
    await assert.rejects(given, { message: 'enough' })
    await pool[Symbol.asyncDispose]()
    await assert.rejects(kept, { code: 'CANCELLED' })
  })
})
