import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { suite, test } from 'node:test'
import {
  MessageWriter,
  NLMSG_ERROR,
  decodeAttributeList,
  decodeAttributes,
  decodeError,
  decodeMessages,
  decodeText,
  u32,
  u32be,
} from './message.ts'

const HEADER = Buffer.of(9, 9, 9, 9)

suite('netlink messages', () => {
  test('MessageWriter pads attributes and fills in lengths', () => {
    const writer = new MessageWriter()
    assert.equal(writer.begin(16, 5, HEADER), 1)
    writer.attribute(3, 'lo')
    writer.nest(18, () => writer.attribute(1, u32(7)))
    assert.equal(
      writer.finish().toString('hex'),
      '28000000' +
        '1000' +
        '0500' +
        '01000000' +
        '00000000' +
        '09090909' +
        '0700' +
        '0300' +
        '6c6f0000' +
        '0c00' +
        '1280' +
        '08000100' +
        '07000000',
    )
  })

  test('MessageWriter numbers several messages of one buffer', () => {
    const writer = new MessageWriter()
    writer.begin(1, 0, HEADER)
    writer.begin(2, 0, Buffer.concat([HEADER, HEADER]))
    const messages = decodeMessages(writer.finish())
    assert.deepEqual(
      messages.map(({ type, sequence, body }) => [type, sequence, body.length]),
      [
        [1, 1, 4],
        [2, 2, 8],
      ],
    )
  })

  test('MessageWriter returns offsets into the finished buffer, also past its first size', () => {
    const writer = new MessageWriter()
    writer.begin(1, 0, HEADER)
    writer.attribute(1, Buffer.alloc(2000, 1))
    const offset = writer.attribute(2, u32(0))
    const bytes = writer.finish()
    bytes.writeUInt32LE(0xabcdef, offset)
    assert.equal(
      decodeAttributes(decodeMessages(bytes)[0]?.body.subarray(4) ?? Buffer.alloc(0))
        .get(2)
        ?.readUInt32LE(),
      0xabcdef,
    )
  })

  test('MessageWriter refuses an attribute its length field cannot hold', () => {
    const writer = new MessageWriter()
    writer.begin(1, 0, HEADER)
    assert.throws(() => writer.nest(1, () => writer.attribute(1, Buffer.alloc(65533))), RangeError)
  })

  test('decodeError tells errno and the explanation of the kernel, capped or not', () => {
    const text = Buffer.concat([Buffer.of(0x0d, 0, 1, 0), Buffer.from('no good\0\0\0'), Buffer.alloc(2)])
    const request = Buffer.concat([u32(20), Buffer.alloc(12), Buffer.alloc(4)])
    const errno = u32(2 ** 32 - 22)
    const capped = { type: NLMSG_ERROR, flags: 0x300, sequence: 1, body: Buffer.concat([errno, request.subarray(0, 16), text]) }
    const full = { type: NLMSG_ERROR, flags: 0x200, sequence: 1, body: Buffer.concat([errno, request, text]) }
    assert.deepEqual(decodeError(capped), { errno: 22, text: 'no good' })
    assert.deepEqual(decodeError(full), { errno: 22, text: 'no good' })
    assert.deepEqual(decodeError({ ...full, flags: 0, body: u32(0) }), { errno: 0, text: '' })
  })

  test('decodeAttributes drops the flags of a type, decodeAttributeList keeps repetitions', () => {
    const bytes = Buffer.of(5, 0, 1, 0x80, 7, 0, 0, 0, 5, 0, 1, 0, 8, 0, 0, 0)
    assert.deepEqual([...decodeAttributes(bytes)], [[1, Buffer.of(8)]])
    assert.equal(decodeAttributeList(bytes).length, 2)
  })

  test('decoders refuse lengths that point outside', () => {
    assert.throws(() => decodeMessages(Buffer.concat([u32(100), Buffer.alloc(12)])), RangeError)
    assert.throws(() => decodeMessages(Buffer.concat([u32(8), Buffer.alloc(12)])), RangeError)
    assert.throws(() => decodeAttributes(Buffer.of(9, 0, 1, 0, 0)), RangeError)
    assert.throws(() => decodeAttributes(Buffer.of(3, 0, 1, 0)), RangeError)
  })

  test('decoders end on any input', () => {
    for (let round = 0; round < 2000; round++) {
      const bytes = randomBytes(round % 64)
      for (const decode of [decodeMessages, decodeAttributeList]) {
        try {
          decode(bytes)
        } catch (error) {
          assert.ok(error instanceof RangeError)
        }
      }
    }
  })

  test('decodeText and u32be know their edges', () => {
    assert.equal(decodeText(undefined), '')
    assert.equal(decodeText(Buffer.from('ab')), 'ab')
    assert.equal(u32be(-300).toString('hex'), 'fffffed4')
    assert.equal(u32be(0xffffffff).toString('hex'), 'ffffffff')
  })
})
