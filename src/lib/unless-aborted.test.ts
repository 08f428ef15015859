import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { describe, test } from 'node:test'
import { unlessAborted } from './unless-aborted.ts'

describe('unlessAborted', () => {
  test('gives what becomes of the work, and listens no longer', async () => {
    const { signal } = new AbortController()
    assert.equal(await unlessAborted(Promise.resolve(7), signal), 7)
    await assert.rejects(unlessAborted(Promise.reject(new Error('broken')), signal), { message: 'broken' })
    assert.deepEqual(getEventListeners(signal, 'abort'), [])
  })

  test('throws the reason when the signal aborts first, whatever the work does later', async () => {
    const controller = new AbortController()
    const work = Promise.withResolvers<void>()
    const waiting = unlessAborted(work.promise, controller.signal)
    controller.abort(new Error('gone'))
    await assert.rejects(waiting, { message: 'gone' })
    work.reject(new Error('nobody hears this'))
  })

  test('throws the reason when the signal has aborted before', async () => {
    await assert.rejects(unlessAborted(Promise.resolve(7), AbortSignal.abort(new Error('gone'))), { message: 'gone' })
  })
})
