import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeyedMutex } from './keyed-mutex.ts'

test('KeyedMutex excludes per key only and forgets keys nobody holds', async () => {
  const mutex = new KeyedMutex()
  const a = await mutex.lock('a')
  const b = await mutex.lock('b')
  let second = false
  const waiting = mutex.run('a', () => {
    second = true
  })
  await new Promise(setImmediate)
  assert.equal(second, false)
  assert.equal(mutex.size, 2)
  a[Symbol.dispose]()
  await waiting
  b[Symbol.dispose]()
  assert.equal(second, true)
  assert.equal(mutex.size, 0)
})
