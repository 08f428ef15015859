import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { createFiles } from '#kernel'
import { SCRATCH, type DirectoryRef } from './graph/ref.ts'
import { readDirectoryIn, readFileIn, statFileIn } from './read-tree.ts'

const outside = mkdtempSync(join(tmpdir(), 'gantry-read-tree-'))
const tree = join(outside, 'tree')
mkdirSync(join(tree, 'etc'), { recursive: true })
writeFileSync(join(outside, 'secret'), 'the host’s own')
writeFileSync(join(tree, 'etc/name'), 'inside')
symlinkSync('/etc/name', join(tree, 'link'))
symlinkSync(join(outside, 'secret'), join(tree, 'absolute'))
symlinkSync('../../../../secret', join(tree, 'relative'))
symlinkSync('loop', join(tree, 'loop'))
after(() => rmSync(outside, { recursive: true, force: true }))

const ref: DirectoryRef = { kind: 'directory', path: tree, generation: '1' }
const deps = {
  files: createFiles(),
  snapshotter: {
    view: () => {
      throw new Error('not part of this test')
    },
  },
}
const read = (path: string, range?: { offset: number; length: number }): string =>
  Buffer.from(readFileIn(deps, ref, path, range)).toString()

describe('readFileIn', () => {
  it('reads a file, or a part of it, through links', () => {
    assert.equal(read('etc/name'), 'inside')
    assert.equal(read('/link'), 'inside')
    assert.equal(read('link', { offset: 2, length: 3 }), 'sid')
    assert.equal(read('link', { offset: 4, length: 0 }), 'de')
    assert.equal(read('link', { offset: 90, length: 5 }), '')
  })

  it('never leaves the file system', () => {
    for (const path of ['absolute', 'relative', '../secret', 'etc/../../secret', `..${outside}/secret`])
      assert.throws(() => read(path), { code: 'NOT_FOUND', message: /: no such file or directory$/ }, path)
    assert.throws(() => read('loop'), { code: 'INVALID_ARGUMENT' })
  })

  it('refuses what is no file, and finds nothing in an empty file system', () => {
    assert.throws(() => read('etc'), { code: 'INVALID_ARGUMENT', message: 'read etc: is a directory' })
    assert.throws(() => read('etc/name/x'), { code: 'NOT_FOUND' })
    assert.throws(() => readFileIn(deps, SCRATCH, 'etc/name'), { code: 'NOT_FOUND', message: 'open /etc/name: no such file or directory' })
  })
})

describe('readDirectoryIn', () => {
  it('lists by name, links as what they say', () => {
    const entries = readDirectoryIn(deps, ref, '/', '')
    assert.deepEqual(
      entries.map(({ path, linkname }) => [path, linkname]),
      [
        ['absolute', join(outside, 'secret')],
        ['etc', ''],
        ['link', '/etc/name'],
        ['loop', 'loop'],
        ['relative', '../../../../secret'],
      ],
    )
    assert.deepEqual(
      readDirectoryIn(deps, ref, '/', '*l*').map(({ path }) => path),
      ['absolute', 'link', 'loop', 'relative'],
    )
  })

  it('finds nothing in an empty file system, which has a top all the same', () => {
    assert.deepEqual(readDirectoryIn(deps, SCRATCH, '.', ''), [])
    assert.throws(() => readDirectoryIn(deps, SCRATCH, '/etc', ''), { message: 'open /etc: no such file or directory' })
  })

  it('takes patterns as Go does, and names that are no UTF-8', () => {
    const odd = join(tree, 'odd')
    mkdirSync(odd)
    for (const name of ['.hidden', 'a', '{a,b}']) writeFileSync(join(odd, name), '')
    writeFileSync(Buffer.concat([Buffer.from(join(odd, 'b')), Buffer.from([0xff])]), '')
    const matching = (pattern: string): number => readDirectoryIn(deps, ref, 'odd', pattern).length
    assert.deepEqual(['', '*', '.*', '{a,b}', '[^.]', 'b?'].map(matching), [4, 4, 1, 1, 1, 1])
    assert.throws(() => matching('['), { code: 'INVALID_ARGUMENT' })
  })
})

describe('statFileIn', () => {
  it('tells of what a path leads to', () => {
    const { path, size, mode } = statFileIn(deps, ref, 'link')
    assert.deepEqual([path, size, (mode & 0o170000) === 0o100000], ['link', 6, true])
  })
})
