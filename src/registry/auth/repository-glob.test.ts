import assert from 'node:assert/strict'
import { it } from 'node:test'
import { repositoryGlob } from './repository-glob.ts'

it('repositoryGlob matches whole names, one star within a segment, two across', () => {
  const CASES: [string, string, boolean][] = [
    ['team/app', 'team/app', true],
    ['team/app', 'team/app2', false],
    ['team/app', 'a/team/app', false],
    ['team/*', 'team/app', true],
    ['team/*', 'team/a/b', false],
    ['team/*', 'team', false],
    ['team/**', 'team/a/b', true],
    ['**', 'anything/at/all', true],
    ['**/app', 'a/b/app', true],
    ['a?c', 'abc', true],
    ['a?c', 'a/c', false],
    ['a.c', 'abc', false],
    ['(a|b)+', 'a', false],
    ['a[bc]', 'ab', false],
  ]
  for (const [glob, name, expected] of CASES) assert.equal(repositoryGlob(glob)(name), expected, `${glob} ~ ${name}`)
})
