import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { encodeNewDummy, encodeNewSubLink, encodeNewVlan, type SubLink } from './link-messages.ts'
import { MessageWriter, decodeAttributes, decodeMessages } from './message.ts'

const LINK: SubLink = {
  type: { kind: 'macvlan', mode: 'bridge' },
  parent: 7,
  index: 64,
  name: 'eth0',
  mac: '02:42:0a:00:00:02',
  mtu: 0,
  pid: 0,
}

/** Attributes of the one message written, IFLA_LINKINFO (18) taken apart into kind and data. */
function written(encode: (writer: MessageWriter) => void): {
  index: number
  flags: number
  hex: Record<number, string>
  kind: string
  data: string
} {
  const writer = new MessageWriter()
  encode(writer)
  const [message] = decodeMessages(writer.finish())
  assert.ok(message)
  const attributes = decodeAttributes(message.body.subarray(16))
  const info = decodeAttributes(attributes.get(18) ?? Buffer.alloc(0))
  attributes.delete(18)
  return {
    index: message.body.readInt32LE(4),
    flags: message.body.readUInt32LE(8),
    hex: Object.fromEntries([...attributes].map(([type, payload]) => [type, payload.toString('hex')])),
    kind: info.get(1)?.toString('utf8').replace('\0', '') ?? '',
    data: info.get(2)?.toString('hex') ?? '',
  }
}

suite('links on a parent', () => {
  test('encodeNewSubLink names parent, MAC and mode, and says where the pid goes', () => {
    const writer = new MessageWriter()
    const pidOffset = encodeNewSubLink(writer, LINK)
    const bytes = writer.finish()
    assert.equal(bytes.readUInt32LE(pidOffset - 4), 8 | (19 << 16)) // IFLA_NET_NS_PID
    assert.deepEqual(
      written((own) => void encodeNewSubLink(own, LINK)),
      {
        index: 64,
        flags: 0,
        hex: { 1: '02420a000002', 3: '6574683000', 5: '07000000', 19: '00000000' },
        kind: 'macvlan',
        data: '0800010004000000',
      },
    )
  })

  test('encodeNewSubLink for ipvlan has 16-bit mode and flags, and no MAC', () => {
    const link: SubLink = { ...LINK, type: { kind: 'ipvlan', mode: 'l3s', flag: 'vepa' }, mac: '' }
    const { hex, kind, data } = written((writer) => void encodeNewSubLink(writer, link))
    assert.deepEqual([hex[1], kind, data], [undefined, 'ipvlan', '06000100020000000600020002000000'])
  })

  test('encodeNewVlan and encodeNewDummy make links that are up', () => {
    const vlan = written((writer) => encodeNewVlan(writer, { name: 'eth0.10', parent: 7, id: 10 }))
    assert.deepEqual([vlan.flags, vlan.hex[5], vlan.kind, vlan.data], [1, '07000000', 'vlan', '060001000a000000'])
    const dummy = written((writer) => encodeNewDummy(writer, 'dm-1'))
    assert.deepEqual([dummy.flags, dummy.kind, dummy.data], [1, 'dummy', ''])
  })
})
