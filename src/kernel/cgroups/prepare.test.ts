import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { prepareCgroupParent } from './prepare.ts'

function temporary(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), 'gantry-cgroup-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) }
}

function put(directory: string, files: Record<string, string>): void {
  mkdirSync(directory, { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
}

describe('prepareCgroupParent', () => {
  it('v1: makes the directories and hands cpuset values down the path', () => {
    using root = temporary()
    const [cpuset, memory] = [join(root.path, 'cpuset'), join(root.path, 'memory')]
    const empty = { 'cpuset.cpus': '\n', 'cpuset.mems': '\n', 'cgroup.clone_children': '0\n' }
    put(cpuset, { 'cpuset.cpus': '0-3\n', 'cpuset.mems': '0\n', 'cgroup.clone_children': '0\n' })
    put(join(cpuset, 'a'), { ...empty, 'cpuset.cpus': '1\n' })
    put(join(cpuset, 'a/b'), empty)
    prepareCgroupParent({ version: 1, mounts: { cpuset, memory } }, 'a/b')
    const read = (path: string): string => readFileSync(join(cpuset, path), 'utf8')
    assert.equal(read('a/cpuset.cpus').trim(), '1', 'kept')
    assert.equal(read('a/cpuset.mems'), '0')
    assert.equal(read('a/b/cpuset.cpus'), '1')
    assert.equal(read('a/b/cgroup.clone_children'), '1')
    assert.equal(read('cgroup.clone_children').trim(), '0', 'the root is not ours to change')
    assert.ok(readFileSync(join(cpuset, 'a/b/cpuset.mems'), 'utf8') === '0')
    mkdirSync(join(memory, 'a/b/child'))
  })

  it('v2: enables the controllers there are at each level, and those that are on stay untouched', () => {
    using root = temporary()
    put(root.path, { 'cgroup.controllers': 'cpuset cpu io memory pids rdma\n', 'cgroup.subtree_control': 'cpuset cpu io memory\n' })
    put(join(root.path, 'a'), { 'cgroup.controllers': 'cpu\n', 'cgroup.subtree_control': '\n' })
    put(join(root.path, 'a/b'), { 'cgroup.controllers': 'cpu\n', 'cgroup.subtree_control': 'cpu\n' })
    prepareCgroupParent({ version: 2, root: root.path }, '/a/b')
    const control = (path: string): string => readFileSync(join(root.path, path, 'cgroup.subtree_control'), 'utf8')
    assert.equal(control('.'), '+pids')
    assert.equal(control('a'), '+cpu')
    assert.equal(control('a/b'), 'cpu\n')
  })
})
