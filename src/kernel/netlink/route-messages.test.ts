import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { MessageWriter, decodeMessages, type NetlinkMessage } from './message.ts'
import {
  decodeAddress,
  decodeLink,
  decodeRoute,
  encodeDeleteAddress,
  encodeDeleteLink,
  encodeDumpLinks,
  encodeGetLink,
  encodeNewAddress,
  encodeNewBridge,
  encodeNewRoute,
  encodeNewVeth,
  encodeSetBridgePort,
  encodeSetLink,
  formatMac,
  parseMac,
} from './route-messages.ts'

/** Sequence number 1, port 0: the same in every message here. */
const SEQUENCE = '0100000000000000'

function encode(write: (writer: MessageWriter) => void): Buffer {
  const writer = new MessageWriter()
  write(writer)
  return writer.finish()
}

function only(bytes: Buffer): NetlinkMessage {
  const [message] = decodeMessages(bytes)
  assert.ok(message !== undefined)
  return message
}

/** Goldens: the requests the kernel took in test/integration/networks, in groups: header, family header, attributes. */
suite('rtnetlink messages', () => {
  const golden = (name: string, write: (writer: MessageWriter) => void, expected: string[]): void => {
    test(`${name} writes its golden bytes`, () => assert.equal(encode(write).toString('hex'), expected.join('')))
  }

  golden('encodeNewBridge', (writer) => encodeNewBridge(writer, { name: 'br0', mac: '02:42:0a:00:00:01', mtu: 1500 }), [
    `4c00000010000506${SEQUENCE}`,
    '00000000000000000000000000000000',
    '0800030062723000',
    '0a00010002420a0000010000',
    '08000400dc050000',
    '10001280',
    '0b000100',
    '6272696467650000',
  ])

  golden(
    'encodeNewVeth',
    (writer) =>
      encodeNewVeth(writer, {
        index: 0x1234567,
        name: 'veth1234567',
        master: 3,
        mtu: 1400,
        peer: { index: 64, name: 'eth0', mac: '02:42:ac:11:00:02', pid: 0x0badcafe },
      }),
    [
      `9000000010000506${SEQUENCE}`,
      '00000000674523010100000000000000',
      '10000300',
      '766574683132333435363700',
      '08000400',
      '78050000',
      '08000a00',
      '03000000',
      '50001280',
      '09000100',
      '7665746800000000',
      '40000280',
      '3c000180',
      '00000000400000000000000000000000',
      '09000300',
      '6574683000000000',
      '0a000100',
      '0242ac1100020000',
      '08000400',
      '78050000',
      '08001300',
      'fecaad0b',
    ],
  )

  golden('encodeSetLink', (writer) => encodeSetLink(writer, { index: 1 }, { up: true }), [
    `2000000010000500${SEQUENCE}`,
    '00000000010000000100000001000000',
  ])

  golden('encodeSetLink by name with an MTU', (writer) => encodeSetLink(writer, { name: 'eth0' }, { mtu: 1400 }), [
    `3400000010000500${SEQUENCE}`,
    '00000000000000000000000000000000',
    '090003006574683000000000',
    '0800040078050000',
  ])

  golden('encodeSetBridgePort', (writer) => encodeSetBridgePort(writer, 5, { hairpin: true, isolated: false }), [
    `3400000013000500${SEQUENCE}`,
    '07000000050000000000000000000000',
    '14000c80',
    '0500040001000000',
    '0500210000000000',
  ])

  golden('encodeDeleteLink', (writer) => encodeDeleteLink(writer, { index: 5 }), [
    `2000000011000500${SEQUENCE}`,
    '00000000050000000000000000000000',
  ])

  golden('encodeNewAddress', (writer) => encodeNewAddress(writer, { linkIndex: 64, address: Buffer.of(172, 17, 0, 2), prefixLength: 16 }), [
    `3000000014000506${SEQUENCE}`,
    '0210000040000000',
    '08000200ac110002',
    '08000100ac110002',
    '08000400ac11ffff',
  ])

  golden(
    'encodeNewAddress for IPv6',
    (writer) =>
      encodeNewAddress(writer, { linkIndex: 2, address: Buffer.concat([Buffer.of(0xfd), Buffer.alloc(15, 1)]), prefixLength: 64 }),
    [
      `4000000014000506${SEQUENCE}`,
      '0a40020002000000',
      '14000200fd010101010101010101010101010101',
      '14000100fd010101010101010101010101010101',
    ],
  )

  golden(
    'encodeDeleteAddress',
    (writer) => encodeDeleteAddress(writer, { linkIndex: 2, address: Buffer.of(10, 0, 0, 1), prefixLength: 32 }),
    [`2000000015000500${SEQUENCE}`, '0220000002000000', '080002000a000001'],
  )

  golden('encodeNewRoute', (writer) => encodeNewRoute(writer, { gateway: Buffer.of(172, 17, 0, 1), outLink: 64 }), [
    `2c00000018000506${SEQUENCE}`,
    '02000000fe03000100000000',
    '08000500ac110001',
    '0800040040000000',
  ])

  golden(
    'encodeNewRoute to a subnet on the link',
    (writer) => encodeNewRoute(writer, { destination: Buffer.of(10, 0, 0, 0), prefixLength: 8, outLink: 2 }),
    [`2c00000018000506${SEQUENCE}`, '02080000fe03fd0100000000', '080001000a000000', '0800040002000000'],
  )

  golden('encodeDumpLinks', (writer) => encodeDumpLinks(writer), [`2000000012000103${SEQUENCE}`, '00000000000000000000000000000000'])

  golden('encodeGetLink', (writer) => encodeGetLink(writer, { name: 'lo' }), [
    `2800000012000500${SEQUENCE}`,
    '00000000000000000000000000000000',
    '070003006c6f0000',
  ])

  test('encodeNewVeth returns where the pid goes', () => {
    let offset = 0
    const bytes = encode((writer) => {
      encodeSetLink(writer, { index: 1 }, { up: true })
      offset = encodeNewVeth(writer, {
        index: 1,
        name: 'a',
        master: 2,
        mtu: 0,
        peer: { index: 2, name: 'b', mac: '02:00:00:00:00:01', pid: 0x01020304 },
      })
    })
    assert.equal(bytes.readUInt32LE(offset), 0x01020304)
  })

  test('encodeNewAddress gives /31 and /32 no broadcast address', () => {
    for (const prefixLength of [31, 32]) {
      const bytes = encode((writer) => encodeNewAddress(writer, { linkIndex: 1, address: Buffer.of(10, 0, 0, 1), prefixLength }))
      assert.equal(bytes.toString('hex').includes('08000400'), false)
    }
  })

  test('decodeLink reads back a bridge and a port', () => {
    const bridge = only(encode((writer) => encodeNewBridge(writer, { name: 'br0', mac: '02:42:0a:00:00:01', mtu: 1500 })))
    assert.deepEqual(decodeLink(bridge), {
      index: 0,
      name: 'br0',
      up: false,
      kind: 'bridge',
      master: 0,
      mac: '02:42:0a:00:00:01',
      mtu: 1500,
      alias: '',
    })
    assert.equal(decodeLink({ ...bridge, type: 17 }), undefined)
  })

  test('decodeAddress reads back addresses of both families', () => {
    for (const address of [Buffer.of(10, 0, 0, 1), Buffer.alloc(16, 3)]) {
      const message = only(encode((writer) => encodeNewAddress(writer, { linkIndex: 7, address, prefixLength: 24 })))
      assert.deepEqual(decodeAddress(message), { linkIndex: 7, address, prefixLength: 24 })
    }
  })

  test('decodeRoute reads back routes, and leaves out what is none', () => {
    const message = only(encode((writer) => encodeNewRoute(writer, { gateway: Buffer.of(10, 0, 0, 1), outLink: 2 })))
    assert.deepEqual(decodeRoute(message), {
      destination: Buffer.alloc(0),
      prefixLength: 0,
      family: 4,
      table: 254,
      gateway: Buffer.of(10, 0, 0, 1),
      outLink: 2,
    })
    const blackhole = Buffer.from(message.body)
    blackhole[7] = 6
    assert.equal(decodeRoute({ ...message, body: blackhole }), undefined)
  })

  test('parseMac and formatMac are inverse, and parseMac is strict', () => {
    assert.equal(formatMac(parseMac('02:42:AC:11:00:02')), '02:42:ac:11:00:02')
    for (const bad of ['', '02:42:ac:11:00', '02:42:ac:11:00:0g', '0242ac110002']) assert.throws(() => parseMac(bad), RangeError)
  })
})
