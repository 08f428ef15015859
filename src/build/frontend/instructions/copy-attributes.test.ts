import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { copyMode, copyOwner } from './copy-attributes.ts'

describe('copyMode', () => {
  test('reads octal numbers and symbolic modes', () => {
    assert.deepEqual(['755', '0644', '7777', '0'].map(copyMode), [0o755, 0o644, 0o7777, 0])
    for (const mode of ['u=rwX,go=rX', '+x', 'a-w', 'g=u', 'u+s,o=']) assert.equal(copyMode(mode), mode)
  })

  test('refuses everything else', () => {
    for (const mode of ['10000', '8', 'rwx', 'u=q', 'u+x,', ''])
      assert.throws(() => copyMode(mode), {
        message: `invalid chmod parameter: '${mode}'. it should be octal string and between 0 and 07777`,
      })
  })
})

describe('copyOwner', () => {
  test('tells names from numbers', () => {
    assert.deepEqual(copyOwner('app'), { user: 'app' })
    assert.deepEqual(copyOwner('1000'), { user: 1000 })
    assert.deepEqual(copyOwner('app:0'), { user: 'app', group: 0 })
    for (const text of ['', ':x', 'a:b:c']) assert.throws(() => copyOwner(text), { message: `invalid chown string: ${text}` })
  })
})
