import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempDisposableSync, rmdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { planCgroup } from '#kernel'
import { createCgroupControl } from './cgroup-control.ts'

const PLAN = planCgroup({ version: 1, mounts: {} }, { parent: '/', id: 'x', resources: {} })

/** A hierarchy that is a directory; `made` are in it from before. */
function hierarchy(...made: string[]): Disposable & { path: string; has: (name: string) => boolean } {
  const root = mkdtempDisposableSync(join(tmpdir(), 'cgroups-'))
  for (const name of made) mkdirSync(join(root.path, name), { recursive: true })
  return { path: root.path, has: (name) => existsSync(join(root.path, name)), [Symbol.dispose]: () => root.remove() }
}

describe('createCgroupControl', () => {
  it('removes a parent that it has made with the last cgroup in it', () => {
    using memory = hierarchy('gantry')
    const control = createCgroupControl({ version: 1, mounts: { memory: memory.path } })
    control.prepare('/gantry/a/b', PLAN)
    control.prepare('/gantry/a/b', PLAN)
    control.release('/gantry/a/b')
    assert.ok(memory.has('gantry/a/b'))
    control.release('/gantry/a/b')
    assert.ok(!memory.has('gantry/a') && memory.has('gantry'))
    control.prepare('/gantry/a/b', PLAN)
    assert.ok(memory.has('gantry/a/b'))
  })

  it('leaves what was there before, and what somebody else is in', () => {
    using memory = hierarchy('gantry/theirs')
    const control = createCgroupControl({ version: 1, mounts: { memory: memory.path } })
    control.prepare('/gantry/theirs', PLAN)
    control.prepare('/gantry/shared', PLAN)
    mkdirSync(join(memory.path, 'gantry/shared/other'))
    control.release('/gantry/theirs')
    control.release('/gantry/shared')
    assert.ok(memory.has('gantry/theirs') && memory.has('gantry/shared/other'))
  })

  it('makes one whole again that it could take away in part only', () => {
    using memory = hierarchy()
    using pids = hierarchy()
    const control = createCgroupControl({ version: 1, mounts: { memory: memory.path, pids: pids.path } })
    control.prepare('/a', PLAN)
    mkdirSync(join(pids.path, 'a/other'))
    control.release('/a')
    assert.ok(!memory.has('a') && pids.has('a'))
    control.prepare('/a', PLAN)
    assert.ok(memory.has('a'))
    rmSync(join(pids.path, 'a/other'), { recursive: true })
    control.release('/a')
    assert.ok(!memory.has('a') && !pids.has('a'))
  })

  it('removes a parent that waited for one within it', () => {
    using memory = hierarchy()
    const control = createCgroupControl({ version: 1, mounts: { memory: memory.path } })
    control.prepare('/a', PLAN)
    control.prepare('/a/b', PLAN)
    control.release('/a')
    assert.ok(memory.has('a/b'))
    control.release('/a/b')
    assert.ok(!memory.has('a'))
  })

  it('keeps a parent in which a launch is under way when the one within it goes that it was made for', () => {
    using memory = hierarchy()
    const control = createCgroupControl({ version: 1, mounts: { memory: memory.path } })
    control.prepare('/a/b', PLAN)
    control.prepare('/a', PLAN)
    control.release('/a/b')
    assert.ok(memory.has('a') && !memory.has('a/b'))
    control.release('/a')
    assert.ok(!memory.has('a'))
    control.prepare('/a', PLAN)
    assert.ok(memory.has('a'))
  })

  it('takes spellings of one path for one parent', () => {
    using memory = hierarchy()
    const control = createCgroupControl({ version: 1, mounts: { memory: memory.path } })
    control.prepare('a', PLAN)
    control.prepare('/a/', PLAN)
    control.release('a')
    assert.ok(memory.has('a'))
    control.release('/a/')
    assert.ok(!memory.has('a'))
  })

  it('makes one anew that somebody else has removed', () => {
    using memory = hierarchy('theirs')
    const control = createCgroupControl({ version: 1, mounts: { memory: memory.path } })
    control.prepare('/theirs', PLAN)
    control.release('/theirs')
    rmdirSync(join(memory.path, 'theirs'))
    control.prepare('/theirs', PLAN)
    assert.ok(memory.has('theirs'))
  })
})
