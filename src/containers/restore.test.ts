import assert from 'node:assert/strict'
import { existsSync, mkdirSync } from 'node:fs'
import { describe, it } from 'node:test'
import { settle, until } from './testing/fake-clock.ts'
import { testBench, type TestBench } from './testing/fake-deps.ts'
import { FakeTask } from './testing/fake-runtime.ts'
import type { HostConfig } from './configuration.ts'
import type { Container, ContainerService } from './types.ts'

type Found = 'alive' | 'exit record' | 'none'

interface Case {
  row: 'created' | 'running' | 'exited' | 'restarting'
  found: Found
  policy?: HostConfig['restartPolicy']['name']
  autoRemove?: boolean
  manuallyStopped?: boolean
  status: Container['state']['status'] | 'gone'
  exitCode?: number
}

/** What a daemon that was killed at some moment leaves, and what the next one makes of it. */
const CASES: Case[] = [
  { row: 'running', found: 'alive', status: 'running' },
  { row: 'running', found: 'exit record', status: 'exited', exitCode: 42 },
  { row: 'running', found: 'none', status: 'exited', exitCode: 255 },
  { row: 'created', found: 'none', status: 'created' },
  { row: 'created', found: 'alive', status: 'running' },
  { row: 'created', found: 'exit record', status: 'exited', exitCode: 42 },
  { row: 'exited', found: 'none', status: 'exited', exitCode: 1 },
  { row: 'exited', found: 'alive', status: 'running' },
  { row: 'restarting', found: 'none', policy: 'always', status: 'running' },
  { row: 'running', found: 'exit record', policy: 'always', status: 'restarting', exitCode: 42 },
  { row: 'running', found: 'none', policy: 'unless-stopped', status: 'restarting', exitCode: 255 },
  { row: 'exited', found: 'none', policy: 'always', status: 'running' },
  { row: 'exited', found: 'none', policy: 'always', manuallyStopped: true, status: 'running' },
  { row: 'exited', found: 'none', policy: 'unless-stopped', manuallyStopped: true, status: 'exited', exitCode: 1 },
  { row: 'created', found: 'none', policy: 'always', status: 'created' },
  { row: 'running', found: 'exit record', autoRemove: true, status: 'gone' },
  { row: 'running', found: 'alive', autoRemove: true, status: 'running' },
  { row: 'exited', found: 'none', autoRemove: true, status: 'gone' },
]

const ENDED = { startedAt: '2023-11-14T22:00:00Z', finishedAt: '2023-11-14T22:01:00Z', exitCode: 1, oomKilled: false, error: '' }
const STATES: Record<Case['row'], Container['state']> = {
  created: { status: 'created' },
  running: { status: 'running', pid: 77, startedAt: '2023-11-14T22:00:00Z' },
  exited: { status: 'exited', ...ENDED },
  restarting: { status: 'restarting', ...ENDED },
}

/** Makes a container and rewrites its row as a killed daemon would have left it. */
async function leftBehind(
  bench: TestBench,
  { row, found, policy = 'no', autoRemove = false, manuallyStopped = false }: Case,
  binds: string[] = [],
): Promise<string> {
  const { id } = await bench.service.create({ name: '', platform: '', config: { image: 'test' }, hostConfig: { binds }, networks: {} })
  const rows = bench.metadata.repository<{ phase: string; container: Container }>('containers')
  const { container } = rows.get(id) ?? assert.fail('no row')
  rows.put(id, {
    phase: 'present',
    container: {
      ...container,
      state: STATES[row],
      hasBeenStartedBefore: row !== 'created',
      hasBeenManuallyStopped: manuallyStopped,
      hostConfig: { ...container.hostConfig, autoRemove, restartPolicy: { name: policy, maximumRetryCount: 0 } },
    },
  })
  if (found !== 'none') mkdirSync(bench.deps.paths.taskDirectory(id), { recursive: true })
  if (found === 'alive') {
    const task = new FakeTask(id)
    await task.start()
    bench.runtime.adoptable.set(id, { state: 'running', task })
  }
  if (found === 'exit record') {
    bench.runtime.adoptable.set(id, { state: 'exited', exit: { exitCode: 42, oomKilled: false, finishedAt: 1_700_000_000_000 } })
  }
  return id
}

function stateOf(service: ContainerService, id: string): Container['state'] | undefined {
  try {
    return service.get(id).state
  } catch {
    return undefined
  }
}

describe('restore', () => {
  for (const one of CASES) {
    const extras = [one.policy, one.autoRemove && 'AutoRemove', one.manuallyStopped && 'stopped by hand'].filter(Boolean).join(', ')
    it(`makes ${one.status} of ${one.row} with task ${one.found}${extras === '' ? '' : ` (${extras})`}`, async () => {
      using bench = testBench()
      const id = await leftBehind(bench, one)
      const service = await bench.restarted()
      await settle()
      await until(() => (stateOf(service, id)?.status ?? 'gone') !== 'removing')
      const state = stateOf(service, id)
      assert.equal(state?.status ?? 'gone', one.status)
      if (one.exitCode !== undefined) assert.equal(state !== undefined && 'exitCode' in state && state.exitCode, one.exitCode)
      assert.deepEqual(bench.warnings, [])
    })
  }

  it('takes a running container over whose bind source, volume or plugin is gone, and makes nothing', async () => {
    using bench = testBench()
    const gone = `${bench.deps.paths.tasksDirectory}-gone`
    const id = await leftBehind(bench, { row: 'running', found: 'alive', status: 'running' }, [`${gone}:/gone`, 'data:/data'])
    bench.volumes.activate = () => Promise.reject(new Error('get data: no such volume'))
    const service = await bench.restarted()
    assert.equal(service.get(id).state.status, 'running')
    assert.equal(existsSync(gone), false)
    assert.deepEqual(bench.warnings, ['cannot take over a volume'])
  })

  it('takes back the mounts of a container that is not running', async () => {
    using bench = testBench()
    await leftBehind(bench, { row: 'exited', found: 'none', status: 'exited' }, ['data:/data'])
    await bench.volumes.activate('data')
    await bench.restarted()
    assert.deepEqual([...bench.volumes.active], [])
  })

  it('settles the exit of an adopted container', async () => {
    using bench = testBench()
    const id = await leftBehind(bench, { row: 'running', found: 'alive', status: 'running' })
    const service = await bench.restarted()
    const { result } = await service.wait(id, 'next-exit')
    const adopted = bench.runtime.adoptable.get(id)
    assert.equal(adopted?.state, 'running')
    ;(adopted.task as FakeTask).end({ exitCode: 6 })
    assert.deepEqual(await result, { exitCode: 6 })
  })

  it('clears away what a cut off creation had made', async () => {
    using bench = testBench()
    const { id } = await bench.service.create({
      name: 'half',
      platform: '',
      config: { image: 'test', volumes: ['/data'] },
      hostConfig: { binds: ['named:/x'] },
      networks: {},
    })
    const rows = bench.metadata.repository<{ phase: string; container: Container }>('containers')
    const { container } = rows.get(id) ?? assert.fail('no row')
    rows.put(id, { phase: 'creating', container })
    for (const { name } of container.mounts) bench.volumes.dereference(name, id)

    const service = await bench.restarted()
    assert.deepEqual(await service.list({ all: true, limit: 0, size: false, filters: {} }), [])
    assert.deepEqual([...bench.layers], [])
    assert.deepEqual([...bench.volumes.volumes.keys()], ['named'])
    assert.equal(existsSync(bench.deps.paths.containerDirectory(id)), false)
    assert.equal(rows.get(id), undefined)
    await service.create({ name: 'half', platform: '', config: { image: 'test' }, hostConfig: {}, networks: {} })
  })

  it('forgets a cut off creation whose volume cannot be removed', async () => {
    using bench = testBench()
    const config = { image: 'test', volumes: ['/data'] }
    const { id } = await bench.service.create({ name: 'half', platform: '', config, hostConfig: {}, networks: {} })
    const rows = bench.metadata.repository<{ phase: string; container: Container }>('containers')
    const { container } = rows.get(id) ?? assert.fail('no row')
    rows.put(id, { phase: 'creating', container })
    bench.volumes.remove = () => Promise.reject(new Error('the plugin is gone'))
    await bench.restarted()
    assert.equal(rows.get(id), undefined)
    assert.deepEqual(bench.warnings, ['cannot remove a volume of a cut off creation'])
  })

  it('finishes a cut off removal', async () => {
    using bench = testBench()
    const id = await leftBehind(bench, { row: 'exited', found: 'none', status: 'gone' })
    const rows = bench.metadata.repository<{ phase: string; container: Container }>('containers')
    const { container } = rows.get(id) ?? assert.fail('no row')
    rows.put(id, { phase: 'present', container: { ...container, state: { status: 'removing', ...ENDED } } })
    const service = await bench.restarted()
    assert.throws(() => service.get(id), { code: 'NOT_FOUND' })
    assert.deepEqual([...bench.layers], [])
  })

  it('deletes task directories of ended execs and keeps those of running ones', async () => {
    using bench = testBench()
    const taskDirectory = (id: string): string => bench.deps.paths.taskDirectory(id)
    for (const id of ['ended', 'running']) mkdirSync(taskDirectory(id), { recursive: true })
    const task = new FakeTask('running')
    await task.start()
    bench.runtime.adoptable.set('running', { state: 'running', task })
    await bench.restarted()
    assert.equal(existsSync(taskDirectory('ended')), false)
    assert.equal(existsSync(taskDirectory('running')), true)
    task.end()
    await until(() => !existsSync(taskDirectory('running')))
    assert.equal(existsSync(taskDirectory('running')), false)
  })

  it('keeps the names and volumes of what it restored', async () => {
    using bench = testBench()
    const { id } = await bench.service.create({
      name: 'web',
      platform: '',
      config: { image: 'test' },
      hostConfig: { binds: ['data:/data'] },
      networks: {},
    })
    bench.volumes.dereference('data', id)
    const service = await bench.restarted()
    assert.deepEqual(bench.volumes.users('data'), [id])
    await assert.rejects(service.create({ name: 'web', platform: '', config: { image: 'test' }, hostConfig: {}, networks: {} }), {
      code: 'CONFLICT',
    })
  })
})
