import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { MessageWriter, decodeAttributes, decodeText } from '../netlink/message.ts'
import { writeExpression } from './expressions.ts'
import type { NftExpression } from './operations.ts'

/** Register 0 is NFT_REG32_00, number 8. */
const CASES: { expression: NftExpression; name: string; data: string[] }[] = [
  { expression: { expr: 'meta', key: 'iifname', to: 0 }, name: 'meta', data: ['0800010000000008', '0800020000000006'] },
  { expression: { expr: 'meta', key: 'oifname', to: 4 }, name: 'meta', data: ['080001000000000c', '0800020000000007'] },
  { expression: { expr: 'meta', key: 'l4proto', to: 1 }, name: 'meta', data: ['0800010000000009', '0800020000000010'] },
  { expression: { expr: 'ct', key: 'state', to: 0 }, name: 'ct', data: ['0800010000000008', '0800020000000000'] },
  { expression: { expr: 'ct', key: 'status', to: 0 }, name: 'ct', data: ['0800010000000008', '0800020000000002'] },
  {
    expression: { expr: 'payload', base: 'transport', offset: 2, length: 2, to: 1 },
    name: 'payload',
    data: ['0800010000000009', '0800020000000002', '0800030000000002', '0800040000000002'],
  },
  {
    expression: { expr: 'payload', base: 'network', offset: 16, length: 4, to: 0 },
    name: 'payload',
    data: ['0800010000000008', '0800020000000001', '0800030000000010', '0800040000000004'],
  },
  { expression: { expr: 'fib-daddr-type', to: 0 }, name: 'fib', data: ['0800010000000008', '0800020000000003', '0800030000000002'] },
  {
    expression: { expr: 'compare', from: 0, is: 'different', value: Buffer.of(127) },
    name: 'cmp',
    data: ['0800010000000008', '0800020000000001', '0c000380', '050001007f000000'],
  },
  {
    expression: { expr: 'mask', from: 0, to: 0, mask: Buffer.of(255, 255, 0, 0) },
    name: 'bitwise',
    data: ['0800010000000008', '0800020000000008', '0800030000000004', '0c000480', '08000100ffff0000', '0c000580', '0800010000000000'],
  },
  {
    expression: { expr: 'lookup', set: 's', from: 0, inverted: true },
    name: 'lookup',
    data: ['0600010073000000', '0800020000000008', '0800050000000001'],
  },
  {
    expression: { expr: 'lookup', set: 's', from: 0, to: 0 },
    name: 'lookup',
    data: ['0600010073000000', '0800020000000008', '0800030000000008'],
  },
  {
    expression: { expr: 'verdict', verdict: 'drop' },
    name: 'immediate',
    data: ['0800010000000000', '10000280', '0c000280', '0800010000000000'],
  },
  {
    expression: { expr: 'verdict', verdict: 'accept' },
    name: 'immediate',
    data: ['0800010000000000', '10000280', '0c000280', '0800010000000001'],
  },
  {
    expression: { expr: 'verdict', verdict: 'return' },
    name: 'immediate',
    data: ['0800010000000000', '10000280', '0c000280', '08000100fffffffb'],
  },
  {
    expression: { expr: 'verdict', verdict: { jump: 'c' } },
    name: 'immediate',
    data: ['0800010000000000', '18000280', '14000280', '08000100fffffffd', '0600020063000000'],
  },
  {
    expression: { expr: 'dnat', family: 4, address: 0, port: 1 },
    name: 'nat',
    data: ['0800010000000001', '0800020000000002', '0800030000000008', '0800050000000009'],
  },
  { expression: { expr: 'masquerade' }, name: 'masq', data: [] },
]

suite('nftables expressions', () => {
  for (const { expression, name, data } of CASES) {
    test(`writeExpression writes the golden bytes of ${JSON.stringify(expression)}`, () => {
      const writer = new MessageWriter()
      writer.begin(0, 0, Buffer.alloc(0))
      writeExpression(writer, expression)
      const member = decodeAttributes(decodeAttributes(writer.finish().subarray(16)).get(1) ?? Buffer.alloc(0))
      assert.equal(decodeText(member.get(1)), name)
      assert.equal(member.get(2)?.toString('hex'), data.join(''))
    })
  }
})
