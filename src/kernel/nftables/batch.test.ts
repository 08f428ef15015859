import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { decodeMessages } from '../netlink/message.ts'
import { concatenate, decodeChain, decodeElements, encodeBatch, encodeDumpChains, encodeDumpElements } from './batch.ts'
import type { NftOperation, NftTable } from './operations.ts'

const TABLE: NftTable = { family: 'ip', table: 't' }
/** `NFTA_…_TABLE` and the generic header of family ip, in front of every message. */
const TABLE_HEX = '020000000600010074000000'

/** Type, flags and body of the messages between the batch's begin and end. */
function encoded(operation: NftOperation): string {
  const messages = decodeMessages(encodeBatch(TABLE, [operation]).bytes).slice(1, -1)
  return messages.map(({ type, flags, body }) => `${type.toString(16)} ${flags.toString(16)} ${body.toString('hex')}`).join('\n')
}

/** Goldens: what the kernel took and `nft list` showed as meant in test/integration/networks. */
suite('nftables batch', () => {
  const golden = (operation: NftOperation, expected: string[]): void => {
    test(`${operation.op} writes its golden bytes${'hook' in operation ? ' with a hook' : ''}${'data' in operation ? ' for a map' : ''}${'owned' in operation ? ' with an owner' : ''}`, () => {
      assert.equal(encoded(operation), expected.join(''))
    })
  }

  golden({ op: 'add-table', comment: 'hi' }, [`a00 405 ${TABLE_HEX}`, '09000600', '00036869', '00000000'])
  golden({ op: 'add-table', owned: true }, [`a00 405 ${TABLE_HEX}`, '0800020000000006'])
  golden({ op: 'delete-table' }, [`a02 5 ${TABLE_HEX}`])
  golden({ op: 'add-chain', chain: 'c' }, [`a03 405 ${TABLE_HEX}`, '0600030063000000'])
  golden({ op: 'add-chain', chain: 'c', hook: { type: 'nat', hook: 'postrouting', priority: -100 } }, [
    `a03 405 ${TABLE_HEX}`,
    '0600030063000000',
    '14000480',
    '0800010000000004',
    '08000200ffffff9c',
    '0800050000000001',
    '080007006e617400',
  ])
  golden({ op: 'add-set', set: 's', key: ['ifname'] }, [
    `a09 405 ${TABLE_HEX}`,
    '0600020073000000',
    '0800030000000000',
    '0800040000000029',
    '0800050000000010',
    '08000a0000000002',
    '0a000d00',
    '000401000000',
    '0000',
  ])
  golden({ op: 'add-set', set: 's', key: ['ipv4_addr', 'inet_proto', 'inet_service'], data: ['ipv4_addr', 'inet_service'] }, [
    `a09 405 ${TABLE_HEX}`,
    '0600020073000000',
    '0800030000000088',
    '080004000000730d',
    '080005000000000c',
    '08000600000001cd',
    '0800070000000008',
    '2c000980',
    '28000280',
    '0c000180',
    '0800010000000004',
    '0c000180',
    '0800010000000001',
    '0c000180',
    '0800010000000002',
    '08000a0000000002',
  ])
  golden(
    {
      op: 'add-elements',
      set: 's',
      elements: [{ key: [Buffer.of(6), Buffer.of(0x1f, 0x90)], data: [Buffer.of(10, 0, 0, 2), Buffer.of(0, 80)] }],
    },
    [
      `a0c 405 ${TABLE_HEX}`,
      '0600020073000000',
      '28000380',
      '24000180',
      '10000180',
      '0c000100',
      '060000001f900000',
      '10000280',
      '0c000100',
      '0a00000200500000',
    ],
  )
  golden({ op: 'delete-elements', set: 's', elements: [{ key: [Buffer.of(10, 0, 0, 1)] }] }, [
    `a0e 5 ${TABLE_HEX}`,
    '0600020073000000',
    '14000380',
    '10000180',
    '0c000180',
    '08000100',
    '0a000001',
  ])
  golden({ op: 'add-rule', chain: 'c', expressions: [{ expr: 'masquerade' }], comment: 'x' }, [
    `a06 c05 ${TABLE_HEX}`,
    '0600020063000000',
    '18000480',
    '14000180',
    '090001006d61737100000000',
    '04000280',
    '08000700',
    '00027800',
  ])
  golden({ op: 'flush-set', set: 's' }, [`a0e 5 ${TABLE_HEX}`, '0600020073000000'])

  test('a batch asks for one acknowledgement, and numbers its operations', () => {
    const operations: NftOperation[] = [{ op: 'add-table' }, { op: 'add-chain', chain: 'c' }]
    const { bytes, sequences, last } = encodeBatch(TABLE, operations)
    assert.deepEqual(
      decodeMessages(bytes).map(({ type, flags, sequence }) => [type, flags, sequence]),
      [
        [0x10, 1, 1],
        [0xa00, 0x401, 2],
        [0xa03, 0x405, 3],
        [0x11, 1, 4],
      ],
    )
    assert.equal(last, 3)
    assert.equal(sequences.get(2), operations[0])
  })

  test('dump requests write their golden bytes', () => {
    const body = (bytes: Buffer): string => bytes.toString('hex', 4)
    assert.equal(body(encodeDumpChains('ip6')), '040a010301000000000000000a000000')
    assert.equal(body(encodeDumpElements(TABLE, 's')), `0d0a01030100000000000000${TABLE_HEX}0600020073000000`)
  })

  test('decodeElements reads back what add-elements writes', () => {
    const key = [Buffer.of(127, 0, 0, 1), Buffer.of(17), Buffer.of(0, 53)]
    const data = [Buffer.of(10, 0, 0, 2), Buffer.of(0, 53)]
    const message = decodeMessages(encodeBatch(TABLE, [{ op: 'add-elements', set: 's', elements: [{ key, data }, { key }] }]).bytes)[1]
    assert.ok(message !== undefined)
    assert.deepEqual(decodeElements(message), [{ key: concatenate(key), data: concatenate(data) }, { key: concatenate(key) }])
    assert.deepEqual(decodeElements({ ...message, type: 0 }), [])
  })

  test('decodeChain reads back what add-chain writes', () => {
    const message = decodeMessages(encodeBatch(TABLE, [{ op: 'add-chain', chain: 'c' }]).bytes)[1]
    assert.ok(message !== undefined)
    assert.deepEqual(decodeChain(message), { table: 't', chain: 'c' })
    assert.equal(decodeChain({ ...message, type: 0 }), undefined)
  })

  test('concatenate pads every part, a single one not at all', () => {
    assert.equal(concatenate([Buffer.of(1)]).toString('hex'), '01')
    assert.equal(concatenate([Buffer.of(1), Buffer.of(2, 3)]).toString('hex'), '0100000002030000')
  })

  test('add-elements ends a range of single values with the value behind it', () => {
    const range = (first: number[], last: number[]): string =>
      encoded({ op: 'add-elements', set: 's', elements: [{ key: [Buffer.from(first)], end: [Buffer.from(last)] }] })
    const closed = range([10, 0, 0, 0], [10, 255, 255, 255])
    assert.ok(closed.includes('0a000000') && closed.endsWith('08000300000000010c000180080001000b000000'))
    assert.ok(!range([255, 0, 0, 0], [255, 255, 255, 255]).includes('08000300')) // nothing is behind the last value of all
  })

  test('add-elements writes the end of a range of a concatenation beside its key', () => {
    const key = [Buffer.alloc(16, 'a'), Buffer.of(10, 0, 0, 0)]
    const end = [Buffer.alloc(16, 'a'), Buffer.of(10, 0, 0, 255)]
    const hex = encoded({ op: 'add-elements', set: 's', elements: [{ key, end }] })
    assert.ok(hex.endsWith(`1c000a8018000100${'61'.repeat(16)}0a0000ff`))
  })

  test('add-set says that elements are ranges', () => {
    assert.match(encoded({ op: 'add-set', set: 's', key: ['ipv4_addr'], interval: true }), /0800030000000004/)
  })

  test('thousands of elements are split, for a list has a 16-bit length', () => {
    const elements = Array.from({ length: 1000 }, (_, index) => ({ key: [Buffer.of(0, 0, index >> 8, index & 0xff)] }))
    const { bytes, sequences, last } = encodeBatch(TABLE, [{ op: 'add-elements', set: 's', elements }])
    assert.equal(decodeMessages(bytes).length, 2 + 3)
    assert.deepEqual([...sequences.keys()].at(-1), last)
  })
})
