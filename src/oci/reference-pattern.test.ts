import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseReference } from './reference.ts'
import { compileReferencePattern } from './reference-pattern.ts'

describe('compileReferencePattern', () => {
  const CASES: [string, string, boolean][] = [
    ['alpine', 'alpine:3', true],
    ['alpine:3', 'alpine:3', true],
    ['alpine:4', 'alpine:3', false],
    ['al*', 'alpine:3', true],
    ['*', 'a/b:1', false],
    ['*/*', 'a/b:1', true],
    ['a?b', 'axb:1', true],
    ['a[xy]b', 'axb:1', true],
    ['a[^xy]b', 'axb:1', false],
    ['a[w-y]b', 'axb:1', true],
    ['reg:5000/*:1', 'reg:5000/x:1', true],
    ['a.b', 'axb', false],
    ['*****************************!', 'a'.repeat(200), false],
  ]
  for (const [pattern, name, expected] of CASES) {
    it(`${expected ? 'matches' : 'does not match'} ${pattern} with ${name.slice(0, 20)}`, () => {
      assert.equal(compileReferencePattern(pattern)(parseReference(name)), expected)
    })
  }

  it('refuses a malformed pattern', () => {
    for (const pattern of ['a[', 'a\\', '[z-a]'])
      assert.throws(() => compileReferencePattern(pattern), { message: 'syntax error in pattern' })
  })
})
