import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deviceOf } from './device-of.ts'

test('deviceOf takes numbers apart whose halves lie in two places each', () => {
  assert.deepEqual(deviceOf({ rdev: 0x0103n }), { major: 1, minor: 3 })
  assert.deepEqual(deviceOf({ rdev: 0x0012_3000_0310_08ffn }), { major: 0x12_3008, minor: 0x31ff })
})
