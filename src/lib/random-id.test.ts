import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomId, shortId } from './random-id.ts'

test('randomId is 64 hex digits, new each time, not a number in its short form', () => {
  const ids = new Set(Array.from({ length: 100 }, randomId))
  assert.equal(ids.size, 100)
  for (const id of ids) {
    assert.match(id, /^[0-9a-f]{64}$/)
    assert.match(shortId(id), /[a-f]/)
  }
})

test('shortId cuts to twelve digits without the algorithm', () => {
  assert.equal(shortId(`sha256:${'ab'.repeat(32)}`), 'abababababab')
})
