import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matchWildcard } from './wildcard.ts'

test('matchWildcard gives each star as much as it can, from the left, as a pattern of Go does', () => {
  const CASES: [string, string, string[] | undefined][] = [
    ['abc', 'abc', []],
    ['abc', 'abd', undefined],
    ['*', '', ['']],
    ['a*', 'a/b/c', ['/b/c']],
    ['*a', 'bab', undefined],
    ['a*a', 'a', undefined],
    ['*/*:*', 'x/y/z:1:2', ['x/y', 'z:1', '2']],
    ['*ab*', 'abab', ['ab', '']],
    ['x*ab*', 'xab', ['', '']],
    ['ab*ab*', 'ab-a-b', undefined],
  ]
  for (const [pattern, text, stars] of CASES) {
    assert.deepEqual(matchWildcard(pattern, text), stars, `${pattern} ${text}`)
    const escaped = pattern.replace(/[.]/g, '\\.').replaceAll('*', '([^]*)')
    assert.deepEqual(new RegExp(`^${escaped}$`).exec(text)?.slice(1), stars, `${pattern} ${text} as a pattern`)
  }
})

test('matchWildcard takes no longer for many stars', () => {
  assert.equal(matchWildcard(`${'a*'.repeat(10_000)}b`, 'a'.repeat(100_000)), undefined)
})
