import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeFrame, FrameDecoder, frameHeader } from './stdcopy.ts'

test('frameHeader writes stream and big-endian length', () => {
  assert.deepEqual([...frameHeader('stderr', 0x01020304)], [2, 0, 0, 0, 1, 2, 3, 4])
})

test('FrameDecoder takes frames apart wherever they are cut', () => {
  const stream = Buffer.concat([
    encodeFrame('stdout', 'one'),
    encodeFrame('stderr', ''),
    encodeFrame('stderr', 'two'),
    encodeFrame('stdout', 'x'),
  ])
  for (let size = 1; size <= stream.length; size++) {
    const seen = { stdin: '', stdout: '', stderr: '', systemError: '' }
    const decoder = new FrameDecoder((name, payload) => (seen[name] += payload.toString()))
    for (let offset = 0; offset < stream.length; offset += size) decoder.write(stream.subarray(offset, offset + size))
    assert.deepEqual(seen, { stdin: '', stdout: 'onex', stderr: 'two', systemError: '' }, `pieces of ${size}`)
    assert.ok(decoder.complete)
  }
})

test('FrameDecoder is not complete inside a frame', () => {
  const decoder = new FrameDecoder(() => {})
  decoder.write(encodeFrame('stdout', 'abc').subarray(0, 10))
  assert.ok(!decoder.complete)
})

test('FrameDecoder refuses an unknown stream', () => {
  const decoder = new FrameDecoder(() => {})
  assert.throws(() => decoder.write(Buffer.from('plain text')), RangeError)
})
