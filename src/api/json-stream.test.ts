import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeJsonRecord, encodeProgress, JsonLineDecoder, MEDIA_TYPES } from './json-stream.ts'

test('encodeJsonRecord puts a record separator before json-seq only', () => {
  assert.equal(encodeJsonRecord(MEDIA_TYPES.jsonSequence, { a: 1 }), '\x1e{"a":1}\n')
  assert.equal(encodeJsonRecord(MEDIA_TYPES.jsonLines, { a: 1 }), '{"a":1}\n')
})

test('JsonLineDecoder reads every framing, cut anywhere', () => {
  const stream = Buffer.from(`${encodeProgress({ status: 'grün' })}${encodeJsonRecord(MEDIA_TYPES.jsonSequence, 2)}\n{"last":true}`)
  for (let size = 1; size <= stream.length; size++) {
    const decoder = new JsonLineDecoder()
    const values: unknown[] = []
    for (let offset = 0; offset < stream.length; offset += size) values.push(...decoder.write(stream.subarray(offset, offset + size)))
    values.push(...decoder.end())
    assert.deepEqual(values, [{ status: 'grün' }, 2, { last: true }], `pieces of ${size}`)
  }
})

test('JsonLineDecoder refuses a line that never ends', () => {
  const decoder = new JsonLineDecoder({ maxLineBytes: 10 })
  assert.throws(() => decoder.write(Buffer.alloc(11, 'x')), RangeError)
})
