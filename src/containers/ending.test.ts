/** Stop, restart and removal, each also at the moment when something else happens to the container. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { describe, it } from 'node:test'
import { settle } from './testing/fake-clock.ts'
import { testBench } from './testing/fake-deps.ts'
import { create, started, statusOf } from './testing/sample-container.ts'

describe('ContainerService.stop', () => {
  it('kills after the grace time', async () => {
    using bench = testBench()
    const id = await started(bench, { config: { stopSignal: 'SIGINT', stopTimeout: 3 } })
    const stopped = bench.service.stop(id, {})
    await settle()
    assert.deepEqual(bench.runtime.lastTask.signals, [2])
    await bench.clock.advance(2_999)
    assert.deepEqual(bench.runtime.lastTask.signals, [2])
    await bench.clock.advance(1)
    await stopped
    assert.deepEqual(bench.runtime.lastTask.signals, [2, 9])
    await assert.rejects(bench.service.stop(id, {}), { code: 'NOT_MODIFIED' })
  })

  it('ends the waiting of a container between two restarts', async () => {
    using bench = testBench()
    const id = await started(bench, { hostConfig: { restartPolicy: { name: 'always', maximumRetryCount: 0 } } })
    bench.runtime.lastTask.end({ exitCode: 1 })
    await settle()
    assert.equal(statusOf(bench, id), 'restarting')
    await bench.service.stop(id, {})
    assert.equal(statusOf(bench, id), 'exited')
    assert.deepEqual(bench.clock.pending, [])
  })

  it('waits for the run that a restart by policy brings while the stop is on its way', async () => {
    using bench = testBench()
    const id = await started(bench, { hostConfig: { restartPolicy: { name: 'always', maximumRetryCount: 0 } } })
    bench.runtime.lastTask.end({ exitCode: 1 })
    await settle()
    const restarted = bench.clock.advance(100)
    const stopped = bench.service.stop(id, { timeout: 1, signal: 'SIGHUP' })
    await restarted
    await settle()
    assert.deepEqual(bench.runtime.lastTask.signals, [1])
    await bench.clock.advance(1_000)
    await stopped
    assert.deepEqual(bench.runtime.lastTask.signals, [1, 9])
    assert.equal(statusOf(bench, id), 'exited')
    assert.deepEqual(bench.clock.pending, [])
  })
})

describe('ContainerService.restart', () => {
  it('stops and starts, and keeps an AutoRemove container', async () => {
    using bench = testBench()
    const id = await started(bench, { hostConfig: { autoRemove: true } })
    const restarted = bench.service.restart(id, { timeout: 0 })
    await bench.clock.advance(0)
    await bench.clock.advance(0)
    await restarted
    assert.equal(statusOf(bench, id), 'running')
    assert.deepEqual(bench.actions(id), ['create', 'start', 'kill', 'kill', 'die', 'stop', 'start', 'restart'])
  })
})

describe('ContainerService.wait after --rm', () => {
  it('tells how the container ended for a while, to who asks by its ID', async () => {
    using bench = testBench()
    const id = await started(bench, { name: 'web', hostConfig: { autoRemove: true } })
    bench.runtime.lastTask.end({ exitCode: 3 })
    await settle()
    assert.throws(() => bench.service.get(id), { code: 'NOT_FOUND' })
    assert.deepEqual(await (await bench.service.wait(id, 'not-running')).result, { exitCode: 3 })
    await assert.rejects(bench.service.wait('web', 'not-running'), { code: 'NOT_FOUND' })
    await bench.clock.advance(10_000)
    await assert.rejects(bench.service.wait(id, 'not-running'), { code: 'NOT_FOUND' })
  })

  it('knows nothing of what a user has removed', async () => {
    using bench = testBench()
    const id = await started(bench)
    await bench.service.remove(id, { force: true, volumes: false, link: false })
    await assert.rejects(bench.service.wait(id, 'not-running'), { code: 'NOT_FOUND' })
  })
})

describe('ContainerService.remove', () => {
  it('takes the log and the files with names along', async () => {
    using bench = testBench()
    const id = await started(bench)
    const directory = bench.deps.paths.containerDirectory(id)
    assert.deepEqual(readdirSync(directory).toSorted(), ['hostname', 'hosts', 'resolv.conf'])
    await bench.service.remove(id, { force: true, volumes: false, link: false })
    assert.equal(existsSync(directory), false)
  })

  it('refuses a running container without force and kills it with', async () => {
    using bench = testBench()
    const id = await started(bench, { name: 'web' })
    await assert.rejects(bench.service.remove(id, { force: false, volumes: false, link: false }), {
      code: 'CONFLICT',
      message: 'cannot remove container "/web": container is running: stop the container before removing or force remove',
    })
    await bench.service.remove(id, { force: true, volumes: false, link: false })
    assert.throws(() => bench.service.get('web'), { message: 'No such container: web' })
    assert.deepEqual([...bench.layers], [])
    await create(bench, { name: 'web' })
  })

  it('refuses a container between two runs without force', async () => {
    using bench = testBench()
    const id = await started(bench, { name: 'web', hostConfig: { restartPolicy: { name: 'always', maximumRetryCount: 0 } } })
    bench.runtime.lastTask.end({ exitCode: 1 })
    await settle()
    await assert.rejects(bench.service.remove(id, { force: false, volumes: false, link: false }), {
      code: 'CONFLICT',
      message: 'cannot remove container "/web": container is restarting: stop the container before removing or force remove',
    })
    await bench.service.remove(id, { force: true, volumes: false, link: false })
    assert.throws(() => bench.service.get('web'), { message: 'No such container: web' })
    assert.deepEqual(bench.clock.pending, [])
  })

  it('by force ends a start that is under way, too', async () => {
    using bench = testBench()
    const id = await create(bench)
    const starting = bench.service.start(id)
    await bench.service.remove(id, { force: true, volumes: false, link: false })
    await starting
    assert.deepEqual(bench.runtime.lastTask.signals, [9])
    assert.throws(() => bench.service.get(id), { code: 'NOT_FOUND' })
  })

  it('leaves a dead container that can be removed again when a step fails', async () => {
    using bench = testBench()
    const id = await create(bench)
    const remove = bench.deps.snapshotter.remove.bind(bench.deps.snapshotter)
    bench.deps.snapshotter.remove = () => Promise.reject(new Error('busy'))
    await assert.rejects(bench.service.remove(id, { force: false, volumes: false, link: false }), /unable to remove filesystem .* busy/)
    assert.equal(statusOf(bench, id), 'dead')
    bench.deps.snapshotter.remove = remove
    await bench.service.remove(id, { force: false, volumes: false, link: false })
    assert.throws(() => bench.service.get(id), { code: 'NOT_FOUND' })
  })
})
