import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { replaceMatches, trimPrefix, trimSuffix } from './shell-pattern.ts'

describe('trimPrefix', () => {
  it('takes the shortest or the longest', () => {
    assert.equal(trimPrefix('a.b.c', '*.', false), 'b.c')
    assert.equal(trimPrefix('a.b.c', '*.', true), 'c')
    assert.equal(trimPrefix('abc', '*', false), 'abc')
    assert.equal(trimPrefix('abc', '*', true), '')
  })

  it('takes wildcards literally behind a backslash', () => assert.equal(trimPrefix('*?\\x', '\\*\\?\\\\', false), 'x'))

  it('does not cross lines with a wildcard', () => assert.equal(trimPrefix('a\nb.c', '*.', true), 'a\nb.c'))

  it('is given up when all places of a long value are tried', () => {
    assert.throws(() => replaceMatches('a'.repeat(100_000), 'a*b', 'x', true), { message: /too much work/ })
  })

  it('is done soon with many stars', () => {
    const value = 'a'.repeat(20_000)
    assert.equal(trimPrefix(value, `${'*a'.repeat(200)}*b`, true), value)
  })
})

describe('trimSuffix', () => {
  it('takes the shortest or the longest', () => {
    assert.equal(trimSuffix('a.b.c', '.*', false), 'a.b')
    assert.equal(trimSuffix('a.b.c', '.*', true), 'a')
    assert.equal(trimSuffix('abc', 'x*', true), 'abc')
  })

  it('reads escapes forwards', () => assert.equal(trimSuffix('a*c', '\\*c', false), 'a'))
})

describe('replaceMatches', () => {
  it('replaces the first or every longest match', () => {
    assert.equal(replaceMatches('xaybazb', 'a*b', '-', false), 'x-')
    assert.equal(replaceMatches('abab', 'a?', '-', true), '--')
    assert.equal(replaceMatches('abc', 'x', '-', true), 'abc')
  })

  it('puts the replacement between characters for an empty pattern', () => assert.equal(replaceMatches('ab', '', '-', true), '-a-b-'))

  it('does not match nothing behind a match', () => assert.equal(replaceMatches('abc', '*', '-', true), '-'))

  it('refuses long patterns', () => assert.throws(() => replaceMatches('a', 'x'.repeat(2000), '', true), /more than 1024 characters/))
})
