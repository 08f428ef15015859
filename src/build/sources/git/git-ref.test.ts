import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkRef, findAbbreviated, isCommit, matchChecksum, readLsRemote } from './git-ref.ts'

const [A, B, C] = ['a', 'b', 'c'].map((digit) => digit.repeat(40)) as [string, string, string]
const answer = (...lines: [object: string, ref: string][]): string => lines.map((line) => `${line.join('\t')}\n`).join('')

describe('readLsRemote', () => {
  it('finds the default branch, by its name where the server tells it', () => {
    const head = answer(['ref: refs/heads/main', 'HEAD'], [A, 'HEAD'])
    assert.deepEqual(readLsRemote(head, ''), { ref: 'refs/heads/main', object: A, commit: A })
    assert.deepEqual(readLsRemote(answer([A, 'HEAD']), ''), { ref: 'HEAD', object: A, commit: A })
    assert.equal(readLsRemote('', ''), undefined)
  })

  it('prefers branches to tags, and full names to both', () => {
    const both = answer([A, 'refs/heads/x'], [B, 'refs/tags/x'], [C, 'refs/tags/x^{}'])
    assert.deepEqual(readLsRemote(both, 'x'), { ref: 'refs/heads/x', object: A, commit: A })
    assert.deepEqual(readLsRemote(both, 'tags/x'), { ref: 'refs/tags/x', object: B, commit: C })
    assert.deepEqual(readLsRemote(both, 'refs/tags/x'), { ref: 'refs/tags/x', object: B, commit: C })
    assert.deepEqual(readLsRemote(answer([A, 'refs/pull/1/head']), 'refs/pull/1/head')?.object, A)
  })

  it('does not take what only ends alike, nor what is no object', () => {
    assert.equal(readLsRemote(answer([A, 'refs/heads/feature/x']), 'x'), undefined)
    assert.equal(readLsRemote(answer(['--exec', 'refs/heads/x']), 'x'), undefined)
  })
})

describe('checkRef', () => {
  it('takes names of refs', () => {
    for (const ref of ['', 'main', 'refs/heads/a/b', 'v1.0', 'feature-1', 'ä', A]) checkRef(ref)
  })

  it('refuses options and expressions', () => {
    const bad = [
      '-x',
      '--upload-pack=id',
      '/a',
      'a/',
      'a//b',
      'a..b',
      'a@{1}',
      '@',
      'a.lock',
      'a.lock/b',
      '.a',
      'a/.b',
      'a.',
      'a b',
      'a\nb',
    ]
    for (const ref of [...bad, 'a~1', 'a^', 'a:b', 'a?', 'a*', 'a[', 'a\\b', 'x'.repeat(2000)]) {
      assert.throws(() => checkRef(ref), { code: 'INVALID_ARGUMENT' }, ref)
    }
  })
})

describe('matchChecksum', () => {
  it('takes the beginning of a tag or of its commit', () => {
    const tag = { ref: 'refs/tags/x', object: A, commit: B }
    for (const checksum of [undefined, 'aaa', 'BBBB', A, B]) matchChecksum(checksum, tag)
    assert.throws(() => matchChecksum('ccc', tag), { message: `expected checksum to match ccc, got ${A} or ${B}` })
    assert.throws(() => matchChecksum('ccc', { ...tag, object: B }), { message: `expected checksum to match ccc, got ${B}` })
  })
})

describe('findAbbreviated', () => {
  it('finds the one object that an abbreviated id means', () => {
    const found = `${A.slice(0, -1)}b`
    const output = answer([A, 'HEAD'], [A, 'refs/heads/x'], [B, 'refs/tags/x'], [C, 'refs/tags/x^{}'])
    assert.deepEqual(findAbbreviated(output, 'AAA'), { ref: A, object: A, commit: A })
    assert.deepEqual(findAbbreviated(output, 'cc'), { ref: C, object: C, commit: C })
    assert.equal(findAbbreviated(output, 'd'), undefined)
    assert.equal(findAbbreviated(output + answer([found, 'refs/heads/y']), 'aaa'), undefined)
  })
})

describe('isCommit', () => {
  it('knows both lengths of ids', () => {
    assert.deepEqual([A, 'a'.repeat(64), 'a'.repeat(41), 'A'.repeat(40), 'main'].map(isCommit), [true, true, false, false, false])
  })
})
