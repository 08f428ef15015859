import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deferred } from './deferred.ts'

test('deferred settles once and says so', async () => {
  const answer = deferred<number>()
  assert.equal(answer.settled, false)
  answer.resolve(1)
  answer.reject(new Error('late'))
  assert.equal(answer.settled, true)
  assert.equal(await answer.promise, 1)
})

test('deferred lets a rejection wait for its reader', async () => {
  const answer = deferred()
  answer.reject(new Error('early'))
  await new Promise(setImmediate)
  await assert.rejects(answer.promise, /early/)
})
