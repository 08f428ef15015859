import assert from 'node:assert/strict'
import { test } from 'node:test'
import { surviveErrors } from './survive-errors.ts'

test('surviveErrors listens until it is disposed', () => {
  const before = process.listenerCount('uncaughtException')
  const heard: unknown[] = []
  {
    using _errors = surviveErrors((error) => heard.push(error))
    assert.equal(process.listenerCount('uncaughtException'), before + 1)
    const listener = process.listeners('uncaughtException').at(-1) as (error: unknown) => void
    listener('stray')
  }
  assert.deepEqual(heard, ['stray'])
  assert.equal(process.listenerCount('uncaughtException'), before)
})
