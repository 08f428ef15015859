import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createUnframer, frame } from './tcp-framing.ts'

test('unframer gives whole messages whatever the pieces', () => {
  const messages = ['', 'one', 'x'.repeat(70_000).slice(0, 65_535), 'last'].map((text) => Buffer.from(text))
  const stream = Buffer.concat(messages.map(frame))
  for (const size of [1000, 65_536, stream.length]) {
    const unframe = createUnframer()
    const got: Buffer[] = []
    for (let at = 0; at < stream.length; at += size) got.push(...unframe(stream.subarray(at, at + size)))
    assert.deepEqual(got, messages)
  }
  const unframe = createUnframer()
  assert.deepEqual(
    [...Buffer.from([0, 1, 65, 0])].flatMap((byte) => unframe(Buffer.of(byte))),
    [Buffer.from('A')],
  )
})
