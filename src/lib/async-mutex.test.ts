import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AsyncMutex } from './async-mutex.ts'

test('AsyncMutex serves waiters in order, one at a time', async () => {
  const mutex = new AsyncMutex()
  const seen: string[] = []
  const work = (name: string) =>
    mutex.run(async () => {
      seen.push(`${name} in`)
      await new Promise(setImmediate)
      seen.push(`${name} out`)
    })
  await Promise.all([work('a'), work('b'), work('c')])
  assert.deepEqual(seen, ['a in', 'a out', 'b in', 'b out', 'c in', 'c out'])
  assert.equal(mutex.pending, 0)
})

test('AsyncMutex is free again after its holder threw', async () => {
  const mutex = new AsyncMutex()
  await assert.rejects(
    mutex.run(() => {
      throw new Error('no')
    }),
    /no/,
  )
  assert.equal(await mutex.run(() => 7), 7)
})

test('AsyncMutex ignores a second dispose of the same lock', async () => {
  const mutex = new AsyncMutex()
  const first = await mutex.lock()
  const second = mutex.lock()
  first[Symbol.dispose]()
  first[Symbol.dispose]()
  const held = await second
  assert.equal(mutex.pending, 1)
  held[Symbol.dispose]()
  assert.equal(mutex.pending, 0)
})
