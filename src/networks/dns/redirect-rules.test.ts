import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { moveRedirect, redirectRules } from './redirect-rules.ts'

suite('redirectRules', () => {
  test('lead port 53 of both protocols to the ports given', () => {
    const [flush, add] = moveRedirect({ udp: 0x1234, tcp: 0x5678 })
    assert.deepEqual(flush, { op: 'flush-set', set: 'listening' })
    assert.ok(add?.op === 'add-elements')
    assert.deepEqual(
      add.elements.map(({ key, data = [] }) => [...key, ...data].map((bytes) => bytes.toString('hex')).join(' ')),
      ['11 7f00000b 0035 7f00000b 1234', '06 7f00000b 0035 7f00000b 5678'],
    )
  })

  test('hold the move, and one rule for translation', () => {
    const ports = { udp: 1, tcp: 2 }
    const rules = redirectRules(ports)
    for (const operation of moveRedirect(ports)) assert.ok(rules.some((one) => JSON.stringify(one) === JSON.stringify(operation)))
    assert.equal(rules.filter((one) => one.op === 'add-rule' && one.expressions.some(({ expr }) => expr === 'dnat')).length, 1)
  })
})
