import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatGoDuration, parseGoDuration } from './go-duration.ts'

test('parseGoDuration reads every unit', () => {
  const cases: [string, number][] = [
    ['0', 0],
    ['1h2m3.5s', 3723.5e9],
    ['-1.5h', -5400e9],
    ['+5s', 5e9],
    ['100ms', 1e8],
    ['1us', 1000],
    ['1µs', 1000],
    ['1μs', 1000],
    ['.5s', 5e8],
    ['5.s', 5e9],
    ['0.1ns', 0],
    ['3000h', 3000 * 3600e9],
  ]
  for (const [text, nanoseconds] of cases) assert.equal(parseGoDuration(text), nanoseconds, text)
})

test("parseGoDuration fails with Go's text", () => {
  assert.throws(() => parseGoDuration(''), { name: 'SyntaxError', message: 'time: invalid duration ""' })
  assert.throws(() => parseGoDuration('5'), { message: 'time: missing unit in duration "5"' })
  assert.throws(() => parseGoDuration('5d'), { message: 'time: unknown unit "d" in duration "5d"' })
  assert.throws(() => parseGoDuration('1h x'), { message: 'time: unknown unit "h x" in duration "1h x"' })
  assert.throws(() => parseGoDuration('-'), { message: 'time: invalid duration "-"' })
  assert.throws(() => parseGoDuration('99999999h'), { message: 'time: invalid duration "99999999h"' })
})

test('formatGoDuration writes as Go does', () => {
  const cases: [number, string][] = [
    [0, '0s'],
    [1, '1ns'],
    [1100, '1.1µs'],
    [2_200_000, '2.2ms'],
    [3.3e9, '3.3s'],
    [90e9, '1m30s'],
    [3723.5e9, '1h2m3.5s'],
    [-60e9, '-1m0s'],
    [3600e9, '1h0m0s'],
  ]
  for (const [nanoseconds, text] of cases) assert.equal(formatGoDuration(nanoseconds), text)
})
