import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempDisposableSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { measureTree } from '../measure-tree.ts'
import { deleteTree, emptyDirectory } from './remove-tree.ts'
import { walkTree } from './walk-tree.ts'

/** Directories nested so deep that no path reaches the last: made by going down step by step, as a hostile program does. */
function nest(directory: string, depth: number): void {
  const script = `import os,sys\nos.chdir(sys.argv[1])\nfor i in range(int(sys.argv[2])):\n  os.mkdir('x' * 100); os.chdir('x' * 100)\nopen('end', 'w')`
  assert.equal(spawnSync('python3', ['-c', script, directory, String(depth)]).status, 0)
}

const skip = spawnSync('python3', ['--version']).error === undefined ? false : 'python3 is not installed'

describe('emptyDirectory', () => {
  it('deletes files, trees, links and names of any bytes, and follows no link', () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'empty-'))
    const [top, outside] = ['top', 'outside'].map((name) => join(directory.path, name))
    assert.ok(top && outside)
    mkdirSync(join(top, 'a/b/c'), { recursive: true })
    mkdirSync(outside)
    writeFileSync(join(outside, 'kept'), '')
    writeFileSync(join(top, 'a/b/file'), '')
    writeFileSync(Buffer.concat([Buffer.from(`${top}/a/`), Buffer.of(0xff)]), '')
    symlinkSync(outside, join(top, 'link'))
    emptyDirectory(top)
    assert.deepEqual(readdirSync(top), [])
    assert.equal(existsSync(join(outside, 'kept')), true)
  })

  it('deletes what lies deeper than any path reaches', { skip }, () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'empty-'))
    nest(directory.path, 200)
    emptyDirectory(directory.path)
    assert.deepEqual(readdirSync(directory.path), [])
  })
})

describe('deleteTree', () => {
  it('deletes what lies deeper than any path reaches, and is content with nothing', { skip }, async () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'delete-'))
    const top = join(directory.path, 'top')
    mkdirSync(top)
    nest(top, 200)
    await deleteTree(top)
    assert.equal(existsSync(top), false)
    await deleteTree(top)
  })
})

describe('measureTree', () => {
  it('counts what it can reach of a tree that is nested too deeply', { skip }, async () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'measure-'))
    writeFileSync(join(directory.path, 'file'), 'four')
    nest(directory.path, 1100)
    try {
      assert.equal((await measureTree(directory.path)).size, 4)
    } finally {
      emptyDirectory(directory.path)
    }
  })
})

describe('walkTree', () => {
  it('refuses to go deeper than its limit instead of using up descriptors', { skip }, () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'walk-'))
    nest(directory.path, 1100)
    try {
      assert.throws(() => [...walkTree(directory.path)], { code: 'INVALID_ARGUMENT', message: /nested deeper than/ })
    } finally {
      emptyDirectory(directory.path)
    }
  })
})
