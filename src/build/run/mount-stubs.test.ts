import assert from 'node:assert/strict'
import { chmodSync, globSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { createFiles } from '#kernel'
import { makeStubs, type MountTarget } from './mount-stubs.ts'

describe('makeStubs', () => {
  let parent: string
  let root: string
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'gantry-stubs-'))
    root = join(parent, 'root')
    mkdirSync(join(root, 'run'), { recursive: true })
    mkdirSync(join(root, 'var'))
    writeFileSync(join(root, 'run/file'), '')
    symlinkSync('/run', join(root, 'var/run'))
    symlinkSync('/opt/later', join(root, 'dangling'))
    chmodSync(join(root, 'run'), 0o710)
    utimesSync(join(root, 'run'), 1000, 2000)
  })
  afterEach(() => rmSync(parent, { recursive: true }))

  /** What is made, as `path` or `path/` of directories; undefined: nothing was needed. */
  function stubs(...targets: MountTarget[]): string[] | undefined {
    const files = createFiles()
    using anchor = files.openRoot(root)
    const directory = join(parent, 'stubs')
    if (!makeStubs(files, anchor.fd, targets, directory)) return undefined
    return globSync('**', { cwd: directory })
      .filter((name) => name !== '.')
      .map((name) => (lstatSync(join(directory, name)).isDirectory() ? `${name}/` : name))
      .sort()
  }
  const file = (path: string): MountTarget => ({ path, kind: 'file' })
  const directory = (path: string): MountTarget => ({ path, kind: 'directory' })

  it('makes nothing where all mount points are there, or lie where something is mounted', () => {
    assert.equal(stubs(file('/run/file'), directory('/run'), directory('/dev/x'), file('/proc/y')), undefined)
    assert.equal(stubs(directory('/run'), directory('/run/deep/er')), undefined)
  })

  it('makes mount points with the directories they are in', () => {
    assert.deepEqual(stubs(file('/run/secrets/a'), directory('/a/b')), ['a/', 'a/b/', 'run/', 'run/secrets/', 'run/secrets/a'])
  })

  it('follows links inside the root, also where they lead nowhere yet', () => {
    assert.deepEqual(stubs(file('/var/run/x'), directory('/dangling'), directory('/../../y')), [
      'opt/',
      'opt/later/',
      'run/',
      'run/x',
      'y/',
    ])
  })

  it('repeats mode and times of directories that are there', () => {
    stubs(file('/run/a/b'))
    const { mode, mtimeMs } = lstatSync(join(parent, 'stubs/run'))
    assert.deepEqual([mode & 0o7777, mtimeMs], [0o710, 2_000_000])
    assert.equal(lstatSync(join(parent, 'stubs')).mode & 0o7777, lstatSync(root).mode & 0o7777)
  })

  it('makes mount points of tmpfs open to everyone, as a tmpfs that covers nothing is', () => {
    assert.deepEqual(stubs({ path: '/new/tmp', kind: 'tmpfs' }, { path: '/run', kind: 'tmpfs' }, directory('/run/x')), ['new/', 'new/tmp/'])
    assert.equal(lstatSync(join(parent, 'stubs/new/tmp')).mode & 0o7777, 0o1777)
    assert.equal(lstatSync(join(parent, 'stubs/new')).mode & 0o7777, 0o755)
  })

  it('leaves alone what lies behind a file: the launch says so', () => {
    assert.deepEqual(stubs(directory('/run/file/x'), directory('/z')), ['run/', 'z/'])
  })
})
