import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HeldMessages } from './held-messages.ts'

test('HeldMessages gives back what was said last', () => {
  const held = new HeldMessages()
  for (let i = 0; i < 100; i++) held.add({ stream: `${i}`.padEnd(100_000) })
  const told: string[] = []
  held.tell(({ stream = '' }) => told.push(stream.trim()))
  assert.equal(told.length, 41)
  assert.deepEqual([told[0], told.at(-1)], ['59', '99'])
})
