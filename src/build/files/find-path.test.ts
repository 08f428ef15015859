import assert from 'node:assert/strict'
import { closeSync, constants, mkdirSync, mkdtempDisposableSync, openSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { pathIn } from '#snapshots'
import { findPath } from './find-path.ts'
import type { FindOptions } from './find-path.ts'

/** A root with links of all kinds in it. */
function openTree(): Disposable & { path: string; fd: number } {
  const directory = mkdtempDisposableSync(join(tmpdir(), 'find-path-'))
  const { path } = directory
  mkdirSync(join(path, 'a/b'), { recursive: true })
  writeFileSync(join(path, 'a/b/f'), '')
  for (const [name, target] of Object.entries({
    absolute: '/a/b',
    relative: 'a/../a/b',
    'a/up': '../../../../a',
    root: '/',
    dangling: '/new/place',
    loop: 'loop2',
    loop2: '/loop',
    file: 'a/b/f',
  })) {
    symlinkSync(target, join(path, name))
  }
  const fd = openSync(path, constants.O_RDONLY)
  return {
    path,
    fd,
    [Symbol.dispose]() {
      closeSync(fd)
      directory.remove()
    },
  }
}

function find(root: { fd: number }, path: string, options: FindOptions = { follow: true }): string {
  using found = findPath(root.fd, path, options)
  return `${found.path}${found.stat === undefined ? ' is absent' : found.stat.isDirectory() ? '/' : found.stat.isSymbolicLink() ? '@' : ''}`
}

describe('findPath', () => {
  it('follows links inside the root, wherever they want to lead', () => {
    using root = openTree()
    for (const [path, expected] of [
      ['/', '//'],
      ['', '//'],
      ['.', '//'],
      ['/a/b/f', '/a/b/f'],
      ['a//b/./f', '/a/b/f'],
      ['/absolute', '/a/b/'],
      ['/absolute/f', '/a/b/f'],
      ['/relative/f', '/a/b/f'],
      ['/a/up/b', '/a/b/'],
      ['/root/root/a', '/a/'],
      ['/root', '//'],
      ['/../../..', '//'],
      ['/../a/../../a/b/..', '/a/'],
      ['/absolute/..', '/a/'],
      ['/file', '/a/b/f'],
      ['/dangling', '/new is absent'],
    ] as const) {
      if (path === '/dangling') assert.throws(() => find(root, path), { code: 'NOT_FOUND' })
      else assert.equal(find(root, path), expected, path)
    }
  })

  it('leaves the link itself alone when it is told to', () => {
    using root = openTree()
    assert.equal(find(root, '/absolute', { follow: false }), '/absolute@')
    assert.equal(find(root, '/absolute/f', { follow: false }), '/a/b/f')
    assert.equal(find(root, '/a/none', { follow: false }), '/a/none is absent')
  })

  it('makes what is missing on the way, and what links lead to', () => {
    using root = openTree()
    const make = (directoryFd: number, name: string): void => mkdirSync(pathIn(directoryFd, name))
    assert.equal(find(root, '/x/y/z', { follow: true, make }), '/x/y/z is absent')
    assert.equal(find(root, '/dangling/file', { follow: true, make }), '/new/place/file is absent')
    assert.deepEqual(readdirSync(join(root.path, 'new')), ['place'])
    assert.deepEqual(readdirSync(join(root.path, 'x')), ['y'])
  })

  it('says what is wrong, and leaves nothing open', () => {
    using root = openTree()
    const before = readdirSync('/proc/self/fd').length
    assert.throws(() => find(root, '/none/f'), { code: 'NOT_FOUND', message: '"/none/f": not found' })
    assert.throws(() => find(root, '/a/b/f/g'), { code: 'INVALID_ARGUMENT', message: '/a/b/f/g: not a directory' })
    assert.throws(() => find(root, '/loop'), { code: 'INVALID_ARGUMENT', message: '/loop: too many levels of symbolic links' })
    assert.throws(() => find(root, '/loop/x'), { code: 'INVALID_ARGUMENT' })
    find(root, '/absolute/f')
    assert.equal(readdirSync('/proc/self/fd').length, before)
  })
})
