import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MESSAGES, OPERATIONS, STAGES } from './protocol.ts'

test('OPERATIONS have codes of their own and are grouped by stage', () => {
  const operations = Object.values(OPERATIONS)
  assert.equal(new Set(operations.map(({ code }) => code)).size, operations.length)
  const order = operations.map(({ stage }) => STAGES.indexOf(stage))
  assert.deepEqual(
    order,
    order.toSorted((a, b) => a - b),
  )
})

test('MESSAGES need no padding as C structs', () => {
  for (const [name, { fields }] of Object.entries(MESSAGES)) {
    const sizes = Object.values(fields).map((type) => (type === 'u64' ? 8 : 4))
    const wide = sizes.filter((size) => size === 8).length
    assert.ok(
      sizes.slice(0, wide).every((size) => size === 8),
      `${name}: u64 first`,
    )
    if (wide > 0) assert.equal(sizes.reduce((sum, size) => sum + size, 0) % 8, 0, `${name}: size`)
  }
})
