import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTimestamp } from './timestamp.ts'

const NOW = Date.UTC(2026, 0, 2, 0, 0, 0)
const at = (text: string): bigint | undefined => parseTimestamp(text, NOW)
const seconds = (value: number): bigint => BigInt(value) * 1_000_000_000n

test('parseTimestamp reads unix seconds with every digit of the fraction', () => {
  assert.equal(at('1700000000'), 1_700_000_000_000_000_000n)
  assert.equal(at('1700000000.123456789'), 1_700_000_000_123_456_789n)
  assert.equal(at('1700000000.5'), 1_700_000_000_500_000_000n)
  assert.equal(at('0'), 0n)
})

test('parseTimestamp reads RFC 3339, whole and cut short', () => {
  assert.equal(at('2026-01-01T00:00:00Z'), seconds(NOW / 1000 - 86_400))
  assert.equal(at('2026-01-01T01:00:00.000000007+01:00'), seconds(NOW / 1000 - 86_400) + 7n)
  assert.equal(at('2026-01-01T00:00'), seconds(NOW / 1000 - 86_400))
  assert.equal(at('2026-01-01'), seconds(NOW / 1000 - 86_400))
})

test('parseTimestamp takes Go durations as time before now', () => {
  assert.equal(at('1h30m'), seconds(NOW / 1000 - 5400))
  assert.equal(at('1.5s'), seconds(NOW / 1000) - 1_500_000_000n)
  assert.equal(at('-10m'), seconds(NOW / 1000 + 600))
  assert.equal(at('250ms'), seconds(NOW / 1000) - 250_000_000n)
})

test('parseTimestamp refuses the rest', () => {
  for (const text of ['yesterday', '1h2', '2026-13-01', '12:00', '1700000000.', '5 s']) {
    assert.throws(() => at(text), { code: 'INVALID_ARGUMENT' }, text)
  }
  assert.equal(at(''), undefined)
})
