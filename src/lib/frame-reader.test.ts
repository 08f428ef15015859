import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FrameReader } from './frame-reader.ts'

const BYTES = Buffer.concat([
  Buffer.from([1, 0, 0, 0, 0, 0, 0, 3]),
  Buffer.from('one'),
  Buffer.from([2, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 2]),
  Buffer.from('22'),
])

test('FrameReader takes frames apart wherever they are cut', () => {
  for (let size = 1; size <= BYTES.length; size++) {
    const texts: Record<number, string> = {}
    const reader = new FrameReader((stream, payload) => (texts[stream] = (texts[stream] ?? '') + payload.toString()))
    for (let start = 0; start < BYTES.length; start += size) reader.write(BYTES.subarray(start, start + size))
    assert.deepEqual(texts, { 1: 'one', 7: '22' })
    assert.ok(reader.isComplete)
  }
})

test('FrameReader is not complete inside of a header or a payload', () => {
  for (const length of [4, 9]) {
    const reader = new FrameReader(() => {})
    reader.write(BYTES.subarray(0, length))
    assert.ok(!reader.isComplete)
  }
})
