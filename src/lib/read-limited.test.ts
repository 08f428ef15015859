import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { LimitExceededError, readLimited } from './read-limited.ts'

test('readLimited returns all bytes up to and including the limit', async () => {
  assert.equal((await readLimited(Readable.from(['ab', Buffer.from('cd')]), 4)).toString(), 'abcd')
})

test('readLimited stops and destroys the source when more than the limit comes', async () => {
  const source = Readable.from(
    (function* () {
      for (;;) yield Buffer.alloc(10)
    })(),
  )
  await assert.rejects(readLimited(source, 25, 'request body'), (error) => {
    assert.ok(error instanceof LimitExceededError)
    assert.equal(error.message, 'request body is larger than the limit of 25 bytes')
    return true
  })
  assert.ok(source.destroyed)
})
