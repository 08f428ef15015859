/** Containers to look around in. */
import assert from 'node:assert/strict'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { after, afterEach, before, suite, test } from 'node:test'
import { BuildError } from '../../../src/build/build-error.ts'
import type { DebugRequest } from '../../../src/build/build-deps.ts'
import { createDebugContainers } from '../../../src/build/run/index.ts'
import type { DebugContainer, DebugProcess } from '../../../src/build/types.ts'
import { readFrames } from '../runtime/bench.ts'
import { unshared } from '../unshared.ts'
import { createWorld, type Wanted, type World } from './world.ts'
import { eventually } from '../../harness/eventually.ts'

const PROCESS: DebugProcess = { args: ['/bin/sh'], env: ['PATH=/bin'], cwd: '', user: '', tty: false }
const PLAIN: DebugRequest = { network: 'default', hostname: '', extraHosts: [] }

unshared(import.meta.filename, () => {
  suite('a container to look around in', () => {
    let world: World
    let open: ReturnType<typeof createDebugContainers>
    before(async () => {
      world = await createWorld()
      open = createDebugContainers(world.deps)
    })
    afterEach(() => eventually(() => world.assertClean()))
    after(() => world[Symbol.asyncDispose]())

    async function failed(script: string, wanted: Wanted): Promise<DebugRequest> {
      const error = await world.run(script, wanted).catch((reason: unknown) => reason)
      assert.ok(error instanceof BuildError && error.step !== undefined)
      return { ...PLAIN, step: error.step }
    }

    async function output(container: DebugContainer, script: string, changes: Partial<DebugProcess> = {}): Promise<string> {
      const { stream, exited } = await container.run({ ...PROCESS, args: ['/bin/sh', '-c', script], ...changes })
      stream.end()
      const { stdout, stderr } = await readFrames(stream)
      await exited
      return stdout.toString() + stderr.toString()
    }

    test('has the state before a step that failed, with mounts and secrets', async () => {
      const session = { secret: async () => Buffer.from('word') }
      const request = await failed('touch /left; exit 1', {
        session,
        op: { cwd: '/work' },
        mounts: [
          {
            type: 'cache',
            target: '/c',
            id: 'debug',
            sharing: 'shared',
            readonly: false,
            input: -1,
            selector: '',
            mode: 0o755,
            uid: 0,
            gid: 0,
          },
          { type: 'secret', target: '/run/secret', id: 'x', optional: false, mode: 0o400, uid: 0, gid: 0 },
        ],
      })
      await using container = await open(request, world.step('', { session }).step)
      assert.equal(
        await output(container, 'pwd; ls /left 2>&1; cat /run/secret; touch /c/x /made'),
        '/work\nls: /left: No such file or directory\nword',
      )
    })

    test('takes input, and further programs beside the first', async () => {
      await using container = await open(
        { ...PLAIN, mounts: [{ target: '/', ref: world.base, readonly: false, selector: '' }] },
        world.step('').step,
      )
      const shell = await container.run({ ...PROCESS, env: ['PATH=/bin', 'A=1'] })
      shell.stream.write('echo $A > /made; hostname; echo ready\n')
      await until(shell.stream, 'ready')
      assert.equal(await output(container, 'cat /made; id -un; cat', { user: 'build' }), '1\nbuild\n')
      shell.stream.end()
      assert.equal(await shell.exited, 0)
      await assert.rejects(container.run(PROCESS))
    })

    test('has a terminal', async () => {
      await using container = await open(
        { ...PLAIN, mounts: [{ target: '/', ref: world.base, readonly: false, selector: '' }] },
        world.step('').step,
      )
      const shell = await container.run({ ...PROCESS, tty: true })
      await shell.resize(33, 44)
      shell.stream.write('stty size; exit 3\n')
      assert.match(await text(shell.stream), /33 44/)
      assert.equal(await shell.exited, 3)
    })

    test('is gone with all that runs in it', async () => {
      const container = await open(
        { ...PLAIN, mounts: [{ target: '/', ref: world.base, readonly: true, selector: '' }] },
        world.step('').step,
      )
      const { exited } = await container.run({ ...PROCESS, args: ['/bin/sleep', '1000'] })
      const second = await container.run({ ...PROCESS, args: ['/bin/sleep', '1000'] })
      await container[Symbol.asyncDispose]()
      assert.equal(await exited, 137)
      assert.equal(await second.exited, 137)
      await assert.rejects(container.run(PROCESS), { code: 'CONFLICT' })
    })

    test('is signalled, and ends with its build', async () => {
      const abort = new AbortController()
      const container = await open(
        { ...PLAIN, network: 'none', mounts: [{ target: '/', ref: world.base, readonly: false, selector: '' }] },
        world.step('', { signal: abort.signal }).step,
      )
      const first = await container.run({ ...PROCESS, args: ['/bin/sh', '-c', 'trap "echo got" USR1; while true; do sleep 0.05; done'] })
      const second = await container.run({ ...PROCESS, args: ['/bin/sleep', '1000'] })
      await second.kill(15)
      assert.equal(await second.exited, 143)
      abort.abort()
      assert.equal(await first.exited, 137)
      await container[Symbol.asyncDispose]()
    })

    test('that cannot start its program says why', async () => {
      await using container = await open(
        { ...PLAIN, mounts: [{ target: '/', ref: world.base, readonly: false, selector: '' }] },
        world.step('').step,
      )
      await assert.rejects(container.run({ ...PROCESS, args: ['/nowhere'] }), {
        message: /exec: "\/nowhere": stat \/nowhere: no such file or directory/,
      })
    })

    test('on the host’s network has to be allowed', async () => {
      const request: DebugRequest = { ...PLAIN, network: 'host', mounts: [{ target: '/', ref: world.base, readonly: false, selector: '' }] }
      await assert.rejects(open(request, world.step('').step), { message: 'network.host is not allowed' })
    })
  })
})

/** Reads until the text has come. */
async function until(stream: Duplex, wanted: string): Promise<void> {
  let read = ''
  while (!read.includes(wanted)) {
    const chunk = stream.read() as Buffer | null
    if (chunk === null) await new Promise((resolve) => stream.once('readable', resolve))
    else read += chunk.toString()
  }
}
