import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseByteRange } from './byte-range.ts'

describe('parseByteRange', () => {
  const CASES: [header: string | undefined, size: number, expected: ReturnType<typeof parseByteRange>][] = [
    [undefined, 10, undefined],
    ['bytes=0-0', 10, { start: 0, end: 0 }],
    ['bytes=2-5', 10, { start: 2, end: 5 }],
    ['Bytes = 2-5', 10, undefined],
    ['BYTES=2-5', 10, { start: 2, end: 5 }],
    ['bytes=2-', 10, { start: 2, end: 9 }],
    ['bytes=2-99', 10, { start: 2, end: 9 }],
    ['bytes=-3', 10, { start: 7, end: 9 }],
    ['bytes=-30', 10, { start: 0, end: 9 }],
    ['bytes=-0', 10, 'unsatisfiable'],
    ['bytes=10-', 10, 'unsatisfiable'],
    ['bytes=0-', 0, 'unsatisfiable'],
    ['bytes=-1', 0, 'unsatisfiable'],
    ['bytes=5-2', 10, undefined],
    ['bytes=-', 10, undefined],
    ['bytes=', 10, undefined],
    ['bytes=a-b', 10, undefined],
    ['bytes=1-2-3', 10, undefined],
    ['lines=1-2', 10, undefined],
    ['bytes=0-1,4-5', 10, undefined],
    ['bytes=0-1,2-5', 10, { start: 0, end: 5 }],
    ['bytes=4-9, 0-5', 10, { start: 0, end: 9 }],
    ['bytes=0-1,50-60', 10, { start: 0, end: 1 }],
    ['bytes=20-30,50-60', 10, 'unsatisfiable'],
    ['bytes=0-1,nonsense', 10, undefined],
    [`bytes=${'0-,'.repeat(50)}0-`, 10, undefined],
    ['bytes=99999999999999999999999-', 10, 'unsatisfiable'],
  ]
  for (const [header, size, expected] of CASES) {
    it(`reads ${String(header).slice(0, 40)} of ${size} bytes`, () => assert.deepEqual(parseByteRange(header, size), expected))
  }
})
