import assert from 'node:assert/strict'
import { test } from 'node:test'
import { retry } from './retry.ts'

test('retry calls again until it succeeds', async () => {
  const attempts: number[] = []
  const result = await retry(
    (attempt) => {
      attempts.push(attempt)
      if (attempt < 3) throw new Error('busy')
      return 'done'
    },
    { attempts: 5, delayMs: 1 },
  )
  assert.equal(result, 'done')
  assert.deepEqual(attempts, [1, 2, 3])
})

test('retry rejects with the last error when attempts are used up', async () => {
  let calls = 0
  await assert.rejects(
    retry(
      () => {
        throw new Error(`failure ${++calls}`)
      },
      { attempts: 3, delayMs: 1, maxDelayMs: 1 },
    ),
    /failure 3/,
  )
})

test('retry does not repeat an error that is not retryable', async () => {
  let calls = 0
  const work = () => {
    calls++
    throw new TypeError('wrong')
  }
  await assert.rejects(retry(work, { attempts: 3, delayMs: 1, retryable: (error) => !(error instanceof TypeError) }), TypeError)
  assert.equal(calls, 1)
})

test('retry rejects with the reason when aborted while it waits', async () => {
  const controller = new AbortController()
  const running = retry(
    () => {
      throw new Error('busy')
    },
    { attempts: 2, delayMs: 60_000, signal: controller.signal },
  )
  controller.abort(new Error('shutting down'))
  await assert.rejects(running, /shutting down/)
})
