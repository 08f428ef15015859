import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { describe, it } from 'node:test'
import { LaunchError } from '#runtime'
import { settle } from './testing/fake-clock.ts'
import { testBench } from './testing/fake-deps.ts'
import { SAMPLE_EXEC, started } from './testing/sample-container.ts'
import type { ExecRequest } from './types.ts'

describe('createExec', () => {
  it('refuses a container that does not run, is paused, or an empty command', async () => {
    using bench = testBench()
    const id = await started(bench)
    await assert.rejects(bench.service.createExec(id, { ...SAMPLE_EXEC, cmd: [] }), { message: 'No exec command specified' })
    await bench.service.pause(id)
    await assert.rejects(bench.service.createExec(id, SAMPLE_EXEC), {
      code: 'CONFLICT',
      message: `container ${id} is paused, unpause the container before exec`,
    })
    await bench.service.kill(id, '')
    await assert.rejects(bench.service.createExec(id, SAMPLE_EXEC), { code: 'CONFLICT', message: `container ${id} is not running` })
  })
})

describe('startExec', () => {
  it('runs the program in the container and has its code before the stream ends', async () => {
    using bench = testBench()
    const id = await started(bench)
    const { id: execId } = await bench.service.createExec(id, SAMPLE_EXEC)
    assert.deepEqual(bench.service.get(id).execIds, [execId])
    const io = await bench.service.startExec(execId, { detach: false, tty: false })
    const client = new PassThrough()
    const piped = io?.pipe(client)
    await settle()
    const [spec] = bench.runtime.execs
    assert.deepEqual(spec?.process.args, ['ls', '-l'])
    assert.deepEqual(spec?.process.env, ['PATH=/bin', `HOSTNAME=${id.slice(0, 12)}`, 'A=1', 'HOME=/'])
    assert.equal(spec?.targetPid, 4242)
    assert.equal(bench.service.getExec(execId).running, true)
    bench.runtime.lastTask.end({ exitCode: 7 })
    await piped
    assert.deepEqual(
      [bench.service.getExec(execId).exitCode, bench.service.getExec(execId).running, bench.service.get(id).execIds],
      [7, false, []],
    )
    assert.deepEqual(bench.actions(id).slice(2), ['exec_create: ls -l', 'exec_start: ls -l', 'exec_die'])
  })

  it('tells an attached client of a missing program in the stream, with code 127', async () => {
    using bench = testBench()
    const { id } = await bench.service.createExec(await started(bench), { ...SAMPLE_EXEC, tty: true })
    bench.runtime.failure = new LaunchError('execve', 'ls', 2, 'ENOENT', '')
    const io = await bench.service.startExec(id, { detach: false, tty: true })
    const client = new PassThrough()
    await io?.pipe(client)
    assert.equal(
      String(client.read()),
      'OCI runtime exec failed: exec failed: unable to start container process: exec: "ls": executable file not found in $PATH: unknown\r\n',
    )
    assert.equal(bench.service.getExec(id).exitCode, 127)
  })

  it('throws to a detached client', async () => {
    using bench = testBench()
    const { id } = await bench.service.createExec(await started(bench), SAMPLE_EXEC)
    bench.runtime.failure = new LaunchError('execve', 'ls', 13, 'EACCES', '')
    await assert.rejects(bench.service.startExec(id, { detach: true, tty: false }), /permission denied/)
    assert.equal(bench.service.getExec(id).exitCode, 126)
  })

  it('gives each exec its own user, capabilities and program, whatever the one before had', async () => {
    using bench = testBench()
    const container = await started(bench)
    const requests: Partial<ExecRequest>[] = [{}, { user: '33:44' }, { privileged: true, cmd: ['id'], env: ['B=2'] }, {}]
    for (const request of requests) {
      const { id } = await bench.service.createExec(container, { ...SAMPLE_EXEC, ...request })
      await bench.service.startExec(id, { detach: true, tty: false })
    }
    const specs = bench.runtime.execs.map(({ process }) => process)
    assert.deepEqual(
      specs.map(({ user }) => [user.uid, user.gid]),
      [
        [0, 0],
        [33, 44],
        [0, 0],
        [0, 0],
      ],
    )
    const standard = ['CAP_CHOWN', 'CAP_KILL']
    assert.deepEqual(
      specs.map(({ capabilities }) => capabilities?.effective),
      [standard, [], [...standard, 'CAP_NET_ADMIN'], standard],
    )
    assert.deepEqual([specs[2]?.args, specs[2]?.env.includes('B=2'), specs[3]?.env.includes('B=2')], [['id'], true, false])
  })

  it('starts an exec once', async () => {
    using bench = testBench()
    const { id } = await bench.service.createExec(await started(bench), SAMPLE_EXEC)
    await bench.service.startExec(id, { detach: true, tty: false })
    await assert.rejects(bench.service.startExec(id, { detach: true, tty: false }), { code: 'CONFLICT', message: /already running/ })
    bench.runtime.lastTask.end()
    await settle()
    await assert.rejects(bench.service.startExec(id, { detach: true, tty: false }), { code: 'CONFLICT', message: /already run/ })
  })
})

describe('getExec', () => {
  it('forgets an exec five minutes after its end, when the next one is made', async () => {
    using bench = testBench()
    const container = await started(bench)
    const { id } = await bench.service.createExec(container, SAMPLE_EXEC)
    await bench.service.startExec(id, { detach: true, tty: false })
    bench.runtime.lastTask.end()
    await settle()
    await bench.clock.advance(299_000)
    await bench.service.createExec(container, SAMPLE_EXEC)
    assert.equal(bench.service.getExec(id).exitCode, 0)
    await bench.clock.advance(2_000)
    await bench.service.createExec(container, SAMPLE_EXEC)
    assert.throws(() => bench.service.getExec(id), { code: 'NOT_FOUND', message: `No such exec instance: ${id}` })
  })
})
