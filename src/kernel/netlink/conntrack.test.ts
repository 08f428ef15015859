import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeDeleteFlow, encodeDumpFlows } from './conntrack.ts'
import { MessageWriter, decodeMessages, u32 } from './message.ts'

const DNS = { family: 4, protocol: 17, destinationPort: 53 } as const

test('encodeDumpFlows asks for the protocol alone when ports differ, and for everything when protocols do', () => {
  const ports = encodeDumpFlows(6, [DNS, { ...DNS, destinationPort: 54 }])
  assert.equal(ports.toString('hex', 16, 20), '0a000000')
  assert.equal(ports.length, 20 + 16 + 12)
  assert.equal(encodeDumpFlows(4, [DNS, { ...DNS, protocol: 6 }]).length, 20)
})

test('encodeDumpFlows asks for one protocol and port', () => {
  assert.equal(
    encodeDumpFlows(4, [DNS]).toString('hex', 4),
    [
      '0101',
      '0103',
      '0100000000000000',
      '02000000',
      '18000180',
      '14000280',
      '0500010011000000',
      '0600030000350000',
      '0c001980',
      '0800010028000000',
    ].join(''),
  )
})

test('encodeDeleteFlow names the listed connection by tuple and id', () => {
  const writer = new MessageWriter()
  writer.begin(0x100, 0, Buffer.of(2, 0, 0, 0))
  writer.nest(1, () => writer.attribute(2, Buffer.of(1, 2, 3, 4)))
  writer.attribute(3, u32(0))
  writer.attribute(12, Buffer.of(9, 8, 7, 6))
  const [listed] = decodeMessages(writer.finish())
  assert.ok(listed !== undefined)
  assert.equal(
    encodeDeleteFlow(listed, 4).toString('hex', 4),
    ['0201', '0500', '0100000000000000', '02000000', '0c000180', '0800020001020304', '08000c0009080706'].join(''),
  )
})
