/** What happens to a container while something else is on its way: asked for by two clients at once, or met by the end of its process before that is known. */
import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { describe, it } from 'node:test'
import { notFound } from '#errors'
import { deferred } from '#lib'
import type { CollectionName, Metadata, Repository } from '#metadata'
import { ProcessEndedError } from '#networks'
import { LaunchError } from '#runtime'
import { createContainerService } from './service.ts'
import { settle } from './testing/fake-clock.ts'
import { TEST_IMAGE, testBench, type TestBench } from './testing/fake-deps.ts'
import { create, SAMPLE_EXEC, started, statusOf } from './testing/sample-container.ts'
import type { ContainerService } from './types.ts'

const OUTPUT = { stdin: false, stdout: true, stderr: true, stream: true, logs: false, detachKeys: '' }

/** A service on a disk that is full when an exit is to be recorded for the first time. */
function onFullDisk({ deps }: TestBench): ContainerService {
  let isFull = true
  const repository: Metadata['repository'] = <T>(name: CollectionName): Repository<T> => {
    const rows = deps.metadata.repository<T>(name)
    return {
      ...rows,
      put(key, value) {
        const ends = JSON.stringify(value).includes('"status":"exited"')
        if (ends && isFull) {
          isFull = false
          throw new Error('database or disk is full')
        }
        rows.put(key, value)
      },
    }
  }
  return createContainerService({ ...deps, metadata: { ...deps.metadata, repository } })
}

describe('a container that is being made', () => {
  it('counts as user of its image', async () => {
    using bench = testBench()
    const prepared = deferred<void>()
    bench.deps.snapshotter.prepare = () => prepared.promise
    const service = createContainerService(bench.deps)
    const made = service.create({ name: '', platform: '', networks: {}, hostConfig: {}, config: { image: 'test' } })
    assert.equal(service.usersOf(TEST_IMAGE.id).length, 1)
    prepared.resolve()
    await made
  })
})

describe('a container that is started', () => {
  it('gives its output also to who attaches while its program is being executed', async () => {
    using bench = testBench()
    const id = await create(bench)
    const executed = deferred<void>()
    const launch = bench.runtime.create.bind(bench.runtime)
    bench.runtime.create = async (spec) => {
      const task = await launch(spec)
      const start = task.start.bind(task)
      task.start = () => executed.promise.then(start)
      return task
    }
    const starting = bench.service.start(id)
    await settle()
    const io = await bench.service.attach(id, OUTPUT)
    executed.resolve()
    await starting
    const piped = io.pipe(new PassThrough())
    await settle()
    assert.equal(bench.runtime.lastTask.streams.length, 1)
    bench.runtime.lastTask.end()
    await piped
  })

  it('is restarted by two clients at once, for both of them', async () => {
    using bench = testBench()
    const id = await started(bench, { hostConfig: { autoRemove: true } })
    const both = Promise.all([bench.service.restart(id, { timeout: 0 }), bench.service.restart(id, { timeout: 0 })])
    for (let round = 0; round < 4; round++) await bench.clock.advance(0)
    await both
    assert.equal(statusOf(bench, id), 'running')
  })
})

describe('a container whose process has just ended', () => {
  it('runs no exec', async () => {
    const errors = [
      Object.assign(new Error('ENOENT'), { code: 'ENOENT', syscall: 'open', path: '/proc/4242/root' }),
      new LaunchError('join-target', 'process 4242', 3, 'ESRCH', 'join-target process 4242: no such process'),
      new LaunchError('join-cgroup', '/cg/tasks', 2, 'ENOENT', 'join-cgroup /cg/tasks: no such file or directory'),
      new LaunchError('fork', 'abc', 12, 'ENOMEM', 'fork abc: not enough memory'),
    ]
    for (const error of errors) {
      using bench = testBench()
      const id = await started(bench)
      const exec = await bench.service.createExec(id, SAMPLE_EXEC)
      bench.runtime.exec = () => Promise.reject(error)
      const message = `container ${id} is not running`
      await assert.rejects(bench.service.startExec(exec.id, { detach: true, tty: false }), { code: 'CONFLICT', message })
    }
  })

  it('cannot be paused, and has its limits changed for the next start', async () => {
    using bench = testBench()
    const id = await started(bench)
    const gone = notFound('the control group is gone')
    bench.deps.cgroupControl.freeze = () => Promise.reject(gone)
    bench.deps.cgroupControl.update = () => {
      throw gone
    }
    await assert.rejects(bench.service.pause(id), { code: 'CONFLICT', message: `container ${id} is not running` })
    await bench.service.update(id, { resources: { pidsLimit: 7 } })
    assert.equal(bench.service.get(id).hostConfig.pidsLimit, 7)
  })

  it('is put on a network as one that does not run', async () => {
    using bench = testBench()
    bench.networks.add('back')
    const id = await started(bench)
    const connect = bench.networks.service.connect.bind(bench.networks.service)
    bench.networks.service.connect = async () => {
      bench.networks.service.connect = connect
      throw new ProcessEndedError(undefined)
    }
    const connected = bench.service.connectNetwork(id, 'back', {})
    await settle()
    bench.runtime.lastTask.end()
    await connected
    assert.deepEqual(Object.keys(bench.service.get(id).networks), ['bridge', 'back'])
    assert.deepEqual(bench.service.get(id).endpoints, [])
  })
})

describe('a container whose exit could not be recorded', () => {
  it('is killed, stopped and removed all the same', async () => {
    const ends: ((service: ContainerService, id: string) => Promise<void>)[] = [
      (service, id) => service.kill(id, ''),
      (service, id) => service.stop(id, { timeout: 0, signal: 'SIGKILL' }),
      (service, id) => service.remove(id, { force: true, volumes: false, link: false }),
    ]
    for (const end of ends) {
      using bench = testBench()
      const service = onFullDisk(bench)
      const { id } = await service.create({ name: '', platform: '', networks: {}, hostConfig: {}, config: { image: 'test' } })
      await service.start(id)
      await end(service, id)
      assert.deepEqual(bench.warnings, ['cannot settle the exit of a container'])
      const left = await service.list({ all: true, limit: 0, size: false, filters: {} })
      assert.deepEqual(
        left.filter(({ container }) => container.state.status !== 'exited'),
        [],
      )
      assert.deepEqual([...bench.attached], [])
    }
  })
})
