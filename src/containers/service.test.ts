import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { describe, it } from 'node:test'
import { LaunchError } from '#runtime'
import type { ContainerRow } from './container-store.ts'
import { settle } from './testing/fake-clock.ts'
import { TEST_IMAGE, testBench } from './testing/fake-deps.ts'
import { create, started, statusOf } from './testing/sample-container.ts'

describe('ContainerService.create', () => {
  it('merges the image, completes the host configuration and makes the layer', async () => {
    using bench = testBench()
    const id = await create(bench, { name: 'web', config: { env: ['A=1'] }, hostConfig: { memory: 64 << 20 } })
    const record = bench.service.get('web')
    assert.equal(record.id, id)
    assert.deepEqual(record.config.env, ['A=1', 'PATH=/bin'])
    assert.equal(record.config.hostname, id.slice(0, 12))
    assert.equal(record.path, 'sh')
    assert.equal(record.hostConfig.memorySwap, 128 << 20)
    assert.deepEqual(record.networks, { bridge: {} })
    assert.deepEqual([...bench.layers], [id])
    assert.deepEqual(bench.actions(id), ['create'])
  })

  it('leaves nothing behind when a step fails', async () => {
    using bench = testBench()
    bench.deps.snapshotter.prepare = () => Promise.reject(new Error('disk full'))
    await assert.rejects(create(bench, { name: 'web' }), /disk full/)
    assert.deepEqual(bench.metadata.repository('containers').all(), [])
    bench.deps.snapshotter.prepare = async () => undefined
    await create(bench, { name: 'web' })
  })

  it('removes the anonymous volumes it made when a later volume fails', async () => {
    using bench = testBench({
      ...TEST_IMAGE,
      config: { ...TEST_IMAGE.config, config: { Cmd: ['sh'], Volumes: { '/data': {}, '/more': {} } } },
    })
    let calls = 0
    const make = bench.volumes.create.bind(bench.volumes)
    bench.volumes.create = async (request) => {
      if (++calls === 2) throw new Error('no space')
      return make(request)
    }
    await assert.rejects(create(bench), /no space/)
    assert.deepEqual(bench.volumes.known(), [])
  })

  it('refuses a name that is taken, before anything is made', async () => {
    using bench = testBench()
    const id = await create(bench, { name: 'web' })
    await assert.rejects(create(bench, { name: 'web' }), { code: 'CONFLICT' })
    assert.deepEqual([...bench.layers], [id])
  })

  it('refuses an unknown image and a foreign platform', async () => {
    using bench = testBench()
    await assert.rejects(create(bench, { config: { image: 'nope' } }), { code: 'NOT_FOUND', message: 'No such image: nope:latest' })
    await assert.rejects(create(bench, { platform: 'linux/arm64' }), {
      code: 'NOT_FOUND',
      message: 'image with reference test was found but does not provide the specified platform (linux/arm64)',
    })
    assert.match(await create(bench, { platform: 'linux/amd64' }), /^[0-9a-f]{64}$/)
  })
})

describe('ContainerService.start', () => {
  it('runs the container and tells it in events', async () => {
    using bench = testBench()
    const id = await started(bench)
    const { state, endpoints } = bench.service.get(id)
    assert.deepEqual(state, { status: 'running', pid: 4242, startedAt: '2023-11-14T22:13:20Z' })
    assert.equal(endpoints[0]?.ipv4Address, '172.17.0.2')
    assert.deepEqual(bench.actions(id), ['create', 'start'])
    await assert.rejects(bench.service.start(id), { code: 'NOT_MODIFIED' })
  })

  const failures: [string, LaunchError, number, string][] = [
    [
      'a program that is not there',
      new LaunchError('execve', 'nosuch', 2, 'ENOENT', ''),
      127,
      'error during container init: exec: "nosuch": executable file not found in $PATH: unknown',
    ],
    [
      'a path that is not there',
      new LaunchError('execve', '/nosuch', 2, 'ENOENT', ''),
      127,
      'error during container init: exec: "/nosuch": stat /nosuch: no such file or directory: unknown',
    ],
    [
      'a file that is no program',
      new LaunchError('execve', '/etc/passwd', 13, 'EACCES', ''),
      126,
      'error during container init: exec: "/etc/passwd": permission denied: unknown',
    ],
    ['a failing mount', new LaunchError('mount', 'proc on /proc', 1, 'EPERM', ''), 128, 'operation not permitted: unknown'],
  ]
  for (const [what, failure, exitCode, text] of failures) {
    it(`records code and text of ${what} and undoes everything`, async () => {
      using bench = testBench()
      const id = await create(bench, { hostConfig: { binds: ['data:/data'] } })
      bench.runtime.failure = failure
      await assert.rejects(bench.service.start(id), (error: Error) => error.message.endsWith(text))
      const { state } = bench.service.get(id)
      assert.equal(state.status, 'created')
      assert.equal(state.status === 'created' && state.exitCode, exitCode)
      assert.deepEqual([...bench.attached, ...bench.volumes.active], [])
      assert.equal(bench.runtime.lastTask.deleted, true)
      assert.deepEqual(bench.actions(id), ['create'])
      await bench.service.start(id)
      assert.equal(statusOf(bench, id), 'running')
    })
  }

  it('removes an AutoRemove container whose start failed', async () => {
    using bench = testBench()
    const id = await create(bench, { hostConfig: { autoRemove: true } })
    bench.runtime.failure = new LaunchError('execve', 'x', 2, 'ENOENT', '')
    const { result } = await bench.service.wait(id, 'removed')
    await assert.rejects(bench.service.start(id), { code: 'INVALID_ARGUMENT' })
    assert.equal((await result).exitCode, 127)
    assert.throws(() => bench.service.get(id), { code: 'NOT_FOUND' })
  })

  it('ends the attaches that waited for a start that failed', async () => {
    using bench = testBench()
    const id = await create(bench)
    const io = await bench.service.attach(id, { stdin: false, stdout: true, stderr: true, stream: true, logs: false, detachKeys: '' })
    bench.runtime.failure = new LaunchError('execve', 'x', 2, 'ENOENT', '')
    await assert.rejects(bench.service.start(id))
    const { PassThrough } = await import('node:stream')
    const client = new PassThrough()
    await io.pipe(client)
    assert.equal(client.writableEnded, true)
  })
})

describe('the exit of a container', () => {
  it('is recorded, answered to waits, and gives back what was held', async () => {
    using bench = testBench()
    const id = await started(bench)
    const { result } = await bench.service.wait(id, 'not-running')
    bench.runtime.lastTask.end({ exitCode: 3 })
    assert.deepEqual(await result, { exitCode: 3 })
    assert.equal(statusOf(bench, id), 'exited')
    assert.deepEqual([...bench.attached], [])
    assert.deepEqual(bench.actions(id), ['create', 'start', 'die'])
    assert.deepEqual(bench.events.at(-1)?.attributes, { image: 'test', name: bench.service.get(id).name, execDuration: '0', exitCode: '3' })
  })

  it('tells an out-of-memory kill first', async () => {
    using bench = testBench()
    const id = await started(bench)
    bench.runtime.lastTask.end({ exitCode: 137, oomKilled: true })
    await settle()
    assert.deepEqual(bench.actions(id).slice(-2), ['oom', 'die'])
  })

  it('removes an AutoRemove container with its anonymous volumes, not its named ones', async () => {
    using bench = testBench()
    const id = await started(bench, { config: { volumes: ['/anonymous'] }, hostConfig: { autoRemove: true, binds: ['named:/data'] } })
    const { result } = await bench.service.wait(id, 'removed')
    bench.runtime.lastTask.end({ exitCode: 5 })
    assert.deepEqual(await result, { exitCode: 5 })
    assert.deepEqual([...bench.volumes.volumes.keys()], ['named'])
    assert.deepEqual(bench.actions(id), ['create', 'start', 'die', 'destroy'])
  })

  it('is followed by restarts with growing waits until the policy has enough', async () => {
    using bench = testBench()
    const id = await started(bench, { hostConfig: { restartPolicy: { name: 'on-failure', maximumRetryCount: 2 } } })
    for (const delay of [100, 200]) {
      bench.runtime.lastTask.end({ exitCode: 1 })
      await settle()
      assert.equal(statusOf(bench, id), 'restarting')
      assert.deepEqual(bench.clock.pending, [delay])
      await bench.clock.advance(delay)
      assert.equal(statusOf(bench, id), 'running')
    }
    bench.runtime.lastTask.end({ exitCode: 1 })
    await settle()
    assert.equal(statusOf(bench, id), 'exited')
    assert.equal(bench.service.get(id).restartCount, 2)
  })

  it('is final after a stop by hand, whatever the policy', async () => {
    using bench = testBench()
    const id = await started(bench, { hostConfig: { restartPolicy: { name: 'always', maximumRetryCount: 0 } } })
    const stopped = bench.service.stop(id, {})
    await settle()
    bench.runtime.lastTask.end({ exitCode: 143 })
    await stopped
    assert.equal(statusOf(bench, id), 'exited')
    assert.deepEqual(bench.actions(id), ['create', 'start', 'kill', 'die', 'stop'])
  })
})

describe('ContainerService.start after an upgrade', () => {
  it('has the files with names in the directory of the container, wherever an earlier version had them', async () => {
    using bench = testBench()
    const id = await create(bench)
    const rows = bench.metadata.repository<ContainerRow>('containers')
    const row = rows.get(id)
    assert.ok(row)
    const gone = '/run/gantry/names/gone'
    const paths = { hostnamePath: `${gone}/hostname`, hostsPath: `${gone}/hosts`, resolvConfPath: `${gone}/resolv.conf` }
    rows.put(id, { ...row, container: { ...row.container, ...paths } })
    const service = await bench.restarted()
    await service.start(id)
    const directory = bench.deps.paths.containerDirectory(id)
    assert.equal(service.get(id).hostsPath, `${directory}/hosts`)
    assert.deepEqual(readdirSync(directory).toSorted(), ['hostname', 'hosts', 'resolv.conf'])
  })
})

describe('ContainerService.wait', () => {
  it('not-running answers at once for a container without a process, with the code of a failed start', async () => {
    using bench = testBench()
    const id = await create(bench)
    assert.deepEqual(await (await bench.service.wait(id, 'not-running')).result, { exitCode: 0 })
  })

  it('next-exit waits for the exit of the next run', async () => {
    using bench = testBench()
    const id = await create(bench)
    const { result } = await bench.service.wait(id, 'next-exit')
    await bench.service.start(id)
    bench.runtime.lastTask.end({ exitCode: 4 })
    assert.deepEqual(await result, { exitCode: 4 })
  })

  it('gives up when the client goes', async () => {
    using bench = testBench()
    const id = await started(bench)
    const client = new AbortController()
    const { result } = await bench.service.wait(id, 'removed', client.signal)
    client.abort()
    await assert.rejects(result, { code: 'CANCELLED' })
  })
})

describe('ContainerService.rename', () => {
  it('frees the old name and keeps the container under the new one', async () => {
    using bench = testBench()
    const id = await create(bench, { name: 'old' })
    await create(bench, { name: 'taken' })
    await assert.rejects(bench.service.rename('old', 'taken'), /^EngineError: Error when allocating new name: Conflict\./)
    await bench.service.rename('old', 'new')
    assert.equal(bench.service.get('new').id, id)
    await create(bench, { name: 'old' })
    assert.equal(bench.events.find(({ action }) => action === 'rename')?.attributes['oldName'], '/old')
  })
})

describe('ContainerService.get', () => {
  it('finds by id, name and unique prefix, and refuses an ambiguous one', async () => {
    using bench = testBench()
    const id = await create(bench, { name: 'web' })
    for (const ref of [id, 'web', '/web', id.slice(0, 8)]) assert.equal(bench.service.get(ref).id, id)
    for (let made = 0; made < 17; made++) await create(bench)
    const prefix = (await bench.service.list({ all: true, limit: 0, size: false, filters: {} })).map(
      ({ container }) => container.id[0] ?? '',
    )
    const twice = prefix.find((digit, index) => prefix.indexOf(digit) !== index) ?? ''
    assert.throws(() => bench.service.get(twice), { message: `multiple IDs found with provided prefix: ${twice}` })
  })
})
