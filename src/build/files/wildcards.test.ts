import assert from 'node:assert/strict'
import { closeSync, constants, mkdirSync, mkdtempDisposableSync, openSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { compileComponent, hasWildcard, resolveWildcards } from './wildcards.ts'

describe('hasWildcard', () => {
  it('knows what a backslash takes back', () => {
    assert.deepEqual(['a', 'a*', 'a?', '[a', 'a\\*', 'a\\\\*', '\\[x]'].map(hasWildcard), [false, true, true, true, false, true, false])
  })
})

describe('compileComponent', () => {
  // Source: Go path/filepath match_test.go, as far as it is about one component.
  for (const [pattern, name, expected] of [
    ['abc', 'abc', true],
    ['*', 'abc', true],
    ['*c', 'abc', true],
    ['a*', 'a', true],
    ['a*b*c*d*e*', 'axbxcxdxe', true],
    ['a*b?c*x', 'abxbbxdbxebxczzy', false],
    ['ab[c]', 'abc', true],
    ['ab[b-d]', 'abc', true],
    ['ab[e-g]', 'abc', false],
    ['ab[^c]', 'abc', false],
    ['ab[^e-g]', 'abc', true],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'ab', false],
    ['a?b', 'a☺b', true],
    ['a[^a]b', 'a☺b', true],
    ['[a-ζ]*', 'α', true],
    ['*[a-ζ]', 'A', false],
    ['[\\]a]', ']', true],
    ['[\\-x]', '-', true],
    ['[x\\-]', 'z', false],
    ['[z-a]', 'z', false],
    ['a.c', 'abc', false],
  ] as const) {
    it(`${expected ? 'matches' : 'refuses'} ${JSON.stringify(name)} for ${JSON.stringify(pattern)}`, () => {
      assert.equal(compileComponent(pattern)(name), expected)
    })
  }

  it('is done soon with many stars', () => {
    const matches = compileComponent(`${'*a'.repeat(40)}*b`)
    assert.equal(matches('a'.repeat(255)), false)
    assert.equal(matches(`${'a'.repeat(254)}b`), true)
  })

  it('refuses what is malformed', () => {
    for (const pattern of ['[', '[]', '[a', '[-x]', '[x-]', '[a-b-c]', 'a\\', '[^]']) {
      assert.throws(() => compileComponent(pattern), { code: 'INVALID_ARGUMENT', message: /syntax error in pattern/ }, pattern)
    }
  })
})

describe('resolveWildcards', () => {
  it('names what there is, in order, through links before the first wildcard only', () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'wildcards-'))
    for (const name of ['d/b', 'd/a', 'd/.c']) mkdirSync(join(directory.path, name), { recursive: true })
    for (const name of ['d/a/x', 'd/b/x', 'd/b/y', 'd/.c/x']) writeFileSync(join(directory.path, name), '')
    symlinkSync('/d', join(directory.path, 'link'))
    symlinkSync('b', join(directory.path, 'd/l'))
    const root = openSync(directory.path, constants.O_RDONLY)
    try {
      assert.deepEqual(resolveWildcards(root, '/d/*/x'), ['/d/.c/x', '/d/a/x', '/d/b/x'])
      assert.deepEqual(resolveWildcards(root, '/link/[ab]'), ['/d/a', '/d/b'])
      assert.deepEqual(resolveWildcards(root, '/d/*'), ['/d/.c', '/d/a', '/d/b', '/d/l'])
      assert.deepEqual(resolveWildcards(root, '/../../../d/a/?'), ['/d/a/x'])
      assert.deepEqual(resolveWildcards(root, '/none/*'), [])
      assert.deepEqual(resolveWildcards(root, '/d/a'), ['/d/a'])
    } finally {
      closeSync(root)
    }
  })
})
