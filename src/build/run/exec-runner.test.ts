import assert from 'node:assert/strict'
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { basename, dirname } from 'node:path'
import { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { hostPlatform } from '#oci'
import { LaunchError } from '#runtime'
import { BuildError } from '../build-error.ts'
import { PLAIN_EXEC } from '../graph/plain-exec.ts'
import { vertex } from '../graph/digest.ts'
import { SCRATCH } from '../graph/ref.ts'
import type { BindMount, ExecOp, SecretMount, SshMount } from '../graph/types.ts'
import type { Step } from '../types.ts'
import { createExecRunner } from './exec-runner.ts'
import { createFakeRunDeps, type FakeRunDeps } from './testing/fake-run-deps.ts'

const ROOT: BindMount = { type: 'bind', target: '/', input: 0, selector: '', readonly: false, output: 0, contentKey: false }
const OWNER = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
const SECRET: SecretMount = { type: 'secret', target: '/run/secret', id: 'token', optional: false, mode: 0o400, ...OWNER }
const AGENT: SshMount = { type: 'ssh', target: '/agent', id: 'default', optional: false, mode: 0o600, ...OWNER }

const OP: ExecOp = {
  ...PLAIN_EXEC,
  args: ['/bin/sh', '-c', 'make'],
  env: ['PATH=/bin'],
  cwd: '/src',
  mounts: [ROOT],
  cgroupParent: '../up',
  platform: hostPlatform('x64'),
}

describe('createExecRunner', () => {
  let fake: FakeRunDeps
  beforeEach(() => {
    fake = createFakeRunDeps()
  })
  afterEach(() => {
    // Whatever happened: nothing of the step is left.
    assert.deepEqual([...fake.attached], [])
    for (const place of [fake.deps.paths.steps, fake.deps.paths.stubs]) assert.deepEqual(existsSync(place) ? readdirSync(place) : [], [])
    assert.deepEqual(fake.warnings, [])
    fake[Symbol.dispose]()
  })

  function stepOf(op: Partial<ExecOp>, changes: Partial<Step> = {}): { step: Step; log: () => string } {
    let log = ''
    const session = { secret: async (id: string) => (id === 'token' ? Buffer.from('word') : undefined) } as Step['session']
    const step: Step = {
      vertex: vertex({ ...OP, ...op }, [], { name: 'RUN make' }),
      session,
      sessionOf: () => session,
      signal: new AbortController().signal,
      entitlements: new Set(),
      log: (stream, data) => (log += `${stream}:${Buffer.from(data).toString()}`),
      status: () => undefined,
      lease: { hold: () => undefined, durable: async () => undefined, [Symbol.dispose]: () => undefined },
      ...changes,
    }
    return { step, log: () => log }
  }

  function frame(stream: 1 | 2, text: string): Buffer {
    return Buffer.concat([Buffer.from([stream, 0, 0, 0, 0, 0, 0, text.length]), Buffer.from(text)])
  }

  it('runs the program as the step says and hears what it writes', async () => {
    fake.program = (stream) => {
      stream.write(Buffer.concat([frame(1, 'out'), frame(2, 'err')]))
      return { exitCode: 0, oomKilled: false, finishedAt: 1 }
    }
    const { step, log } = stepOf({})
    assert.deepEqual(await createExecRunner(fake.deps).run([SCRATCH], step), [SCRATCH])
    assert.equal(log(), '1:out2:err')
    const [launch] = fake.launches
    assert.deepEqual(launch?.spec.process.args, OP.args)
    assert.equal(launch.spec.process.cwd, '/src')
    assert.equal(launch.spec.hostname, 'buildkitsandbox')
    assert.match(launch.spec.linux.cgroupsPath ?? '', /^\/gantry-test\/up\/[0-9a-f]{64}$/)
    assert.ok('overlay' in launch.rootfs && launch.rootfs.overlay.volatile === true)
    assert.deepEqual(fake.deleted.length > 0, true)
  })

  it('tells a failure in BuildKit’s words, with what a debugger needs', async () => {
    fake.program = () => ({ exitCode: 3, oomKilled: false, finishedAt: 1 })
    const { step } = stepOf({})
    const error = await createExecRunner(fake.deps)
      .run([SCRATCH], step)
      .catch((reason: unknown) => reason)
    assert.ok(error instanceof BuildError)
    assert.equal(error.message, 'process "/bin/sh -c make" did not complete successfully: exit code: 3')
    assert.deepEqual(error.step, { vertex: step.vertex, inputs: [SCRATCH], exitCode: 3 })
    fake.program = () => ({ exitCode: 137, oomKilled: true, finishedAt: 1 })
    await assert.rejects(createExecRunner(fake.deps).run([SCRATCH], step), { message: /: cannot allocate memory$/ })
    fake.program = () => ({ exitCode: 3, oomKilled: false, finishedAt: 1 })
    await createExecRunner(fake.deps).run([SCRATCH], stepOf({ validExitCodes: [3] }).step)
    fake.program = () => ({ exitCode: 0, oomKilled: false, finishedAt: 1 })
    await assert.rejects(createExecRunner(fake.deps).run([SCRATCH], stepOf({ validExitCodes: [3] }).step), { message: /exit code: 0$/ })
  })

  it('says in the log why a program could not be started', async () => {
    fake.launchError = new LaunchError('execve', '/bin/sh', 2, 'ENOENT', 'execve /bin/sh: ENOENT')
    const { step, log } = stepOf({})
    await assert.rejects(createExecRunner(fake.deps).run([SCRATCH], step), { message: /did not complete successfully: exit code: 1$/ })
    assert.match(log(), /^2:unable to start container process: exec: "\/bin\/sh": stat \/bin\/sh: no such file or directory\n$/)
  })

  it('refuses before anything is made', async () => {
    const refused = async (op: Partial<ExecOp>, message: string | RegExp): Promise<void> =>
      await assert.rejects(createExecRunner(fake.deps).run([SCRATCH], stepOf(op).step), { message })
    await refused({ network: 'host' }, 'network.host is not allowed')
    await refused({ network: { name: 'host' } }, 'network.host is not allowed')
    await refused({ security: 'insecure' }, 'security.insecure is not allowed')
    await refused({ network: { name: 'nowhere' } }, 'network nowhere not found')
    await refused({ platform: { os: 'linux', architecture: 's390x' } }, /^exec format error: .* linux\/s390x/)
    await refused({ mounts: [] }, 'exec has no root file system')
    await refused({ mounts: [ROOT, ROOT] }, 'exec has more than one root file system')
    await refused({ mounts: [ROOT, { ...SECRET, id: 'none' }] }, 'secret none: not found')
    assert.deepEqual(fake.launches, [])
  })

  it('has secrets on the host for the time of the launch only', async () => {
    let path = ''
    fake.onLaunch = ({ spec }) => {
      path = spec.mounts.find(({ destination }) => destination === '/run/secret')?.source ?? ''
      assert.equal(readFileSync(path, 'utf8'), 'word')
    }
    fake.program = () => {
      assert.equal(existsSync(path), false)
      return { exitCode: 0, oomKilled: false, finishedAt: 1 }
    }
    const { step } = stepOf({ mounts: [ROOT, SECRET], secretEnv: [{ id: 'token', name: 'TOKEN', optional: false }] })
    await createExecRunner(fake.deps).run([SCRATCH], step)
    assert.ok(fake.launches[0]?.spec.process.env?.includes('TOKEN=word'))
    assert.notEqual(path, '')
  })

  it('asks the agent of a client that is still there, when the first one has left', async () => {
    const agentOf = (name: string): Step['session'] =>
      ({ checkAgent: async () => undefined, forwardAgent: async () => Duplex.from([name]) }) as unknown as Step['session']
    let session = agentOf('first')
    let path = ''
    fake.onLaunch = ({ spec }) => {
      path = spec.mounts.find(({ destination }) => destination === '/agent')?.source ?? ''
      session = agentOf('second')
    }
    let answer = ''
    fake.program = async () => {
      answer = await readSocket(path)
      return { exitCode: 0, oomKilled: false, finishedAt: 1 }
    }
    const { step } = stepOf({ mounts: [ROOT, AGENT] })
    await createExecRunner(fake.deps).run([SCRATCH], Object.defineProperty(step, 'session', { get: () => session }))
    assert.equal(answer, 'second')
  })

  it('kills what is not wanted any more, and never starts what was not wanted in time', async () => {
    const abort = new AbortController()
    fake.program = () => {
      abort.abort(new Error('enough'))
      return new Promise(() => undefined)
    }
    await assert.rejects(createExecRunner(fake.deps).run([SCRATCH], stepOf({}, { signal: abort.signal }).step), { message: 'enough' })
    const late = new AbortController()
    fake.onLaunch = () => late.abort(new Error('too late'))
    fake.program = () => assert.fail('started')
    await assert.rejects(createExecRunner(fake.deps).run([SCRATCH], stepOf({}, { signal: late.signal }).step), { message: 'too late' })
    assert.equal(fake.deleted.length, 2)
  })

  it('gives results in the order of their outputs', async () => {
    const mounts: BindMount[] = [
      { ...ROOT, output: 1 },
      { ...ROOT, target: '/read', input: 1, readonly: true, output: 0 },
    ]
    const other = { kind: 'layers' as const, chain: undefined }
    const results = await createExecRunner(fake.deps).run([SCRATCH, other], stepOf({ mounts }).step)
    assert.equal(results.length, 2)
    assert.equal(results[0], other)
  })
})

/** By way of a descriptor of its directory: the path is longer than a socket's may be. */
async function readSocket(path: string): Promise<string> {
  const directory = openSync(dirname(path), 'r')
  try {
    return await text(createConnection(`/proc/self/fd/${directory}/${basename(path)}`))
  } finally {
    closeSync(directory)
  }
}
