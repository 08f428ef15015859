import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createSelection } from './selection.ts'

const PATHS = ['a', 'a/x.txt', 'a/y', 'b', 'b/c', 'b/c/x.txt', 'z.txt']

function chosen(includePatterns: string[], excludePatterns: string[] = []): string[] {
  const selection = createSelection(includePatterns, excludePatterns)
  return PATHS.filter((path) => selection.includes(path))
}

describe('createSelection', () => {
  it('takes what is included and not excluded, directories with what is in them', () => {
    assert.deepEqual(chosen([]), PATHS)
    assert.deepEqual(chosen(['a']), ['a', 'a/x.txt', 'a/y'])
    assert.deepEqual(chosen(['**/*.txt']), ['a/x.txt', 'b/c/x.txt', 'z.txt'])
    assert.deepEqual(chosen(['*/c']), ['b/c', 'b/c/x.txt'])
    assert.deepEqual(chosen([], ['a', '!a/y']), ['a/y', 'b', 'b/c', 'b/c/x.txt', 'z.txt'])
    assert.deepEqual(chosen(['b'], ['**/*.txt']), ['b', 'b/c'])
  })

  it('goes only where something may be found', () => {
    const pruned = (includePatterns: string[], excludePatterns: string[] = []): string[] => {
      const selection = createSelection(includePatterns, excludePatterns)
      return ['a', 'a/b', 'a/b/c', 'usr', 'usr/bin'].filter((path) => selection.prunes(path))
    }
    assert.deepEqual(pruned([]), [])
    assert.deepEqual(pruned(['usr/bin/tool']), ['a', 'a/b', 'a/b/c'])
    assert.deepEqual(pruned(['*/b/x']), ['a/b/c', 'usr/bin'])
    assert.deepEqual(pruned(['a/**/x']), ['usr', 'usr/bin'])
    assert.deepEqual(pruned(['**/x']), [])
    assert.deepEqual(pruned(['a', '!a/b']), [])
    assert.deepEqual(pruned([], ['a']), ['a', 'a/b', 'a/b/c'])
    assert.deepEqual(pruned([], ['a', '!a/b/x']), ['a/b/c'])
  })
})
