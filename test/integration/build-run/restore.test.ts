/** A daemon that is killed leaves steps that run; the next one ends them. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createExecRunner, restoreSteps } from '../../../src/build/run/index.ts'
import { unshared } from '../unshared.ts'
import { createWorld } from './world.ts'
import { eventually } from '../../harness/eventually.ts'

unshared(import.meta.filename, () => {
  test('steps of a daemon that was killed are ended by the next one', async () => {
    await using world = await createWorld()
    // Its connection to the monitor breaks off, as with the daemon's death; the step goes on.
    const first = world.newRuntime()
    const runner = createExecRunner({ ...world.deps, runtime: first })
    let started: () => void = () => undefined
    const running = new Promise<void>((resolve) => (started = resolve))
    const made = world.step('(sleep 1000 &); sleep 1000 & echo started; wait', {
      op: { network: 'default' },
      mounts: [
        { type: 'cache', target: '/c', id: 'c', sharing: 'locked', readonly: false, input: -1, selector: '', mode: 0o755, uid: 0, gid: 0 },
      ],
      log: () => started(),
    })
    // Whatever this daemon would do now comes too late: its files are taken for the moment of the kill.
    void runner.run(made.inputs, made.step).catch(() => undefined)
    await running
    const { steps, stubs } = world.deps.paths
    const [id = ''] = readdirSync(steps)
    assert.deepEqual(readdirSync(stubs).toSorted(), [id, `${id}.names`])
    const pids = readPids(world.cgroupParent, id)
    assert.ok(pids.length >= 2)
    mkdirSync(join(steps, 'broken'))
    writeFileSync(join(steps, 'broken/file'), '')

    const next = world.newRuntime()
    await restoreSteps({ ...world.deps, runtime: next })
    assert.deepEqual(readdirSync(steps), [])
    assert.deepEqual(readdirSync(stubs), [])
    await eventually(() => {
      assert.deepEqual(
        pids.filter((pid) => existsSync(`/proc/${pid}`)),
        [],
      )
      assert.deepEqual(readPids(world.cgroupParent, id), [])
    })
    await restoreSteps({ ...world.deps, runtime: next })
    await next.close()
    await first.close()
  })
})

function readPids(parent: string, id: string): string[] {
  const candidates = [`/sys/fs/cgroup${parent}/${id}`, `/sys/fs/cgroup/pids${parent}/${id}`].map((path) => join(path, 'cgroup.procs'))
  const path = candidates.find((candidate) => existsSync(candidate))
  return path === undefined ? [] : readFileSync(path, 'utf8').split('\n').filter(Boolean)
}
