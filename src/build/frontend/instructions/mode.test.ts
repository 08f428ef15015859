import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseMode } from './mode.ts'
import { parseOwner } from './owner.ts'

describe('parseMode', () => {
  test('reads octal numbers and symbolic modes', () => {
    assert.deepEqual(['755', '0644', '7777', '0'].map(parseMode), [0o755, 0o644, 0o7777, 0])
    for (const mode of ['u=rwX,go=rX', '+x', 'a-w', 'g=u', 'u+s,o=']) assert.equal(parseMode(mode), mode)
  })

  test('refuses everything else', () => {
    for (const mode of ['10000', '8', 'rwx', 'u=q', 'u+x,', ''])
      assert.throws(() => parseMode(mode), {
        message: `invalid chmod parameter: '${mode}'. it should be octal string and between 0 and 07777`,
      })
  })
})

describe('parseOwner', () => {
  test('tells names from numbers', () => {
    assert.deepEqual(parseOwner('app'), { user: 'app' })
    assert.deepEqual(parseOwner('1000'), { user: 1000 })
    assert.deepEqual(parseOwner('app:0'), { user: 'app', group: 0 })
    for (const text of ['', ':x', 'a:b:c']) assert.throws(() => parseOwner(text), { message: `invalid chown string: ${text}` })
  })
})
