import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatNano, formatNanoFixed, nowNano, parseNano, parseUnixNano } from './nano-time.ts'

test('nowNano agrees with Date and resolves less than a millisecond', () => {
  const now = nowNano()
  assert.ok(Math.abs(Number(now / 1_000_000n) - Date.now()) < 60_000)
  const fractions = new Set(Array.from({ length: 50 }, () => nowNano() % 1_000_000n))
  assert.ok(fractions.size > 1)
})

test('formatNano cuts trailing zeros and formatNanoFixed keeps them', () => {
  const nano = parseNano('2024-05-06T07:08:09.120Z')
  assert.equal(formatNano(nano), '2024-05-06T07:08:09.12Z')
  assert.equal(formatNanoFixed(nano), '2024-05-06T07:08:09.120000000Z')
  assert.equal(formatNano(parseNano('2024-05-06T07:08:10Z')), '2024-05-06T07:08:10Z')
  assert.equal(formatNano(1n), '1970-01-01T00:00:00.000000001Z')
})

test('formatNano and parseNano agree on times before the epoch', () => {
  assert.equal(formatNano(-1n), '1969-12-31T23:59:59.999999999Z')
  assert.equal(formatNano(parseNano('0001-01-01T00:00:00Z')), '0001-01-01T00:00:00Z')
  assert.equal(parseNano('1969-12-31T23:59:59.999999999Z'), -1n)
})

test('parseNano applies offsets and cuts digits past the ninth', () => {
  assert.equal(parseNano('2024-05-06T09:08:09.1234567899+02:00'), parseNano('2024-05-06T07:08:09.123456789Z'))
  assert.equal(parseNano('2024-05-06T00:00:00-00:30'), parseNano('2024-05-06T00:30:00Z'))
})

test('parseNano refuses what is not a time', () => {
  for (const text of ['', '2024-05-06', '2024-02-30T00:00:00Z', '2024-05-06T24:00:00Z', '2024-05-06T00:00:61Z', '2024-13-01T00:00:00Z'])
    assert.throws(() => parseNano(text), SyntaxError, text)
})

test('parseUnixNano reads seconds with a fraction', () => {
  assert.equal(parseUnixNano('1136073600.000000001'), 1136073600000000001n)
  assert.equal(parseUnixNano('1136073600'), 1136073600000000000n)
  assert.equal(parseUnixNano('1.5'), 1_500_000_000n)
  assert.equal(parseUnixNano('-1.5'), -1_500_000_000n)
  assert.throws(() => parseUnixNano('10m'), SyntaxError)
})
