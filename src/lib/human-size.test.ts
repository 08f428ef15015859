import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesSize, humanSize, parseHumanSize, parseRamBytes } from './human-size.ts'

test('humanSize uses powers of 1000 and significant digits', () => {
  const cases: [number, string][] = [
    [0, '0B'],
    [999, '999B'],
    [1000, '1kB'],
    [1024, '1.024kB'],
    [1234567, '1.235MB'],
    [1e9, '1GB'],
    [999_999, '1000kB'],
  ]
  for (const [bytes, text] of cases) assert.equal(humanSize(bytes), text)
  assert.equal(humanSize(1234567, 3), '1.23MB')
  assert.equal(humanSize(999_999, 3), '1e+03kB')
})

test('bytesSize uses powers of 1024', () => {
  assert.equal(bytesSize(1024), '1KiB')
  assert.equal(bytesSize(1.5 * 1024 ** 2), '1.5MiB')
  assert.equal(bytesSize(3.42 * 1024 ** 3), '3.42GiB')
})

test('parseRamBytes accepts every spelling', () => {
  const cases: [string, number][] = [
    ['32', 32],
    ['32b', 32],
    ['32B', 32],
    ['32k', 32 * 1024],
    ['32KiB', 32 * 1024],
    ['32Kb', 32 * 1024],
    ['512m', 512 * 1024 ** 2],
    ['1.5g', 1.5 * 1024 ** 3],
    ['1 GiB', 1024 ** 3],
    ['2Pb', 2 * 1024 ** 5],
    ['.3k', 307],
  ]
  for (const [text, bytes] of cases) assert.equal(parseRamBytes(text), bytes, text)
  assert.equal(parseHumanSize('1.5kB'), 1500)
})

test('parseRamBytes refuses malformed sizes', () => {
  for (const text of ['', 'hello', '-32', '32 mx', '32bm', '32kk', '32  k', ' 32', '1e', '.', '32m b'])
    assert.throws(() => parseRamBytes(text), SyntaxError, text)
  assert.throws(() => parseRamBytes('hello'), { message: "invalid size: 'hello'" })
  assert.throws(() => parseRamBytes('32q'), { message: "invalid suffix: 'q'" })
})
