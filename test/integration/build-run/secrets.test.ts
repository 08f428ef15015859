/** What a client lends to a step: secrets and its SSH agent. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { createConnection, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { once } from 'node:events'
import { after, afterEach, before, suite, test } from 'node:test'
import type { BindMount, SecretMount, SshMount } from '../../../src/build/graph/types.ts'
import type { BuildSession } from '../../../src/build/session.ts'
import { unshared } from '../unshared.ts'
import { createWorld, type World } from './world.ts'
import { eventually } from '../../harness/eventually.ts'

/** Nobody else writes this to the disk. */
const VALUE = `s3cret-${process.pid}-${Date.now()}`

function secret(target: string, changes: Partial<SecretMount> = {}): SecretMount {
  return { type: 'secret', target, id: 'token', optional: false, mode: 0o400, uid: 0, gid: 0, ...changes }
}

function agent(changes: Partial<SshMount> = {}): SshMount {
  return { type: 'ssh', target: '/run/buildkit/ssh_agent.0', id: 'default', optional: false, mode: 0o600, uid: 0, gid: 0, ...changes }
}

const HOST_DIRECTORIES = ['/usr', '/lib', '/lib64']

function bind(target: string, input: number): BindMount {
  return { type: 'bind', target, input, selector: '', readonly: true, output: -1, contentKey: true }
}

const session: Partial<BuildSession> = { secret: async (id) => (id === 'token' ? Buffer.from(VALUE) : undefined) }

unshared(import.meta.filename, () => {
  for (const directory of ['/tmp', '/dev/shm']) {
    suite(`a secret, with the exec root in ${directory}`, () => {
      let world: World
      before(async () => {
        world = await createWorld({ directory })
      })
      afterEach(() => eventually(() => world.assertClean()))
      after(() => world[Symbol.asyncDispose]())

      test('is a file for the step, and is found nowhere afterwards', async () => {
        const { stdout, outputs } = await world.run(
          'cat /run/secrets/token; stat -c " %a %u:%g" /run/secrets/token; touch /made; mount | grep -c secrets',
          {
            session,
            mounts: [secret('/run/secrets/token', { uid: 7, gid: 8, mode: 0o440 })],
          },
        )
        assert.match(stdout, new RegExp(`^${VALUE} 440 7:8\n`))
        assert.deepEqual(world.filesOf(outputs[0]), ['made'])
        assert.deepEqual(filesWith(VALUE, [world.directory, world.storage.root]), [])
      })

      test('is on the host for the time of the launch only', async () => {
        let during: string[] | undefined
        await world.run('echo running; sleep 0.2', {
          session,
          mounts: [secret('/token')],
          log: () => (during = filesWith(VALUE, [world.directory, world.storage.root])),
        })
        assert.deepEqual(during, [])
      })

      test('cannot be written to', async () => {
        const { stdout } = await world.run('(echo x > /token) 2>&1 | grep -o Read-only', {
          session,
          mounts: [secret('/token', { mode: 0o600 })],
        })
        assert.equal(stdout, 'Read-only\n')
      })

      test('is a variable where that is wanted', async () => {
        const { stdout, outputs } = await world.run('echo $TOKEN-$NONE', {
          session,
          op: {
            secretEnv: [
              { id: 'token', name: 'TOKEN', optional: false },
              { id: 'none', name: 'NONE', optional: true },
            ],
          },
        })
        assert.equal(stdout, `${VALUE}-\n`)
        assert.deepEqual(outputs, [world.base])
      })

      test('that the client has not is an error, unless it may be missing', async () => {
        await assert.rejects(world.run('true', { session, mounts: [secret('/x', { id: 'none' })] }), { message: 'secret none: not found' })
        await assert.rejects(world.run('true', { session, op: { secretEnv: [{ id: 'none', name: 'X', optional: false }] } }), {
          message: 'secret none: not found',
        })
        const { stdout } = await world.run('test -e /x || echo no', { session, mounts: [secret('/x', { id: 'none', optional: true })] })
        assert.equal(stdout, 'no\n')
      })
    })
  }

  suite('an SSH agent', () => {
    let world: World
    let client: Server
    before(async () => {
      world = await createWorld()
      client = createServer((socket) =>
        socket.once('data', (data: Buffer) => {
          socket.end(`agent says ${data.toString()}`)
        }),
      )
      client.listen(join(world.directory, 'client.sock'))
      await once(client, 'listening')
    })
    afterEach(() => eventually(() => world.assertClean()))
    after(async () => {
      client.close()
      await world[Symbol.asyncDispose]()
    })
    const lending = (): Partial<BuildSession> => ({
      checkAgent: async () => undefined,
      forwardAgent: async () => createConnection(join(world.directory, 'client.sock')),
    })

    test('answers on a socket in the step', async () => {
      const ask =
        'import os, socket; s = socket.socket(socket.AF_UNIX); s.connect(os.environ["SSH_AUTH_SOCK"]); s.send(b"hello"); print(s.recv(99).decode())'
      const { stdout, outputs } = await world.run(`stat -c "%a %u %F" $SSH_AUTH_SOCK; /usr/bin/python3 -c '${ask}'`, {
        session: lending(),
        // The host's, as busybox has nothing that connects to a socket.
        inputs: HOST_DIRECTORIES.map((path) => ({ kind: 'directory', path, generation: '' })),
        mounts: [agent({ uid: 5 }), ...HOST_DIRECTORIES.map((target, index) => bind(target, index + 1))],
        op: { env: ['PATH=/bin', 'SSH_AUTH_SOCK=/run/buildkit/ssh_agent.0'] },
      })
      assert.equal(stdout, '600 5 socket\nagent says hello\n')
      assert.deepEqual(outputs, [world.base])
    })

    test('that the client does not lend is an error, unless it may be missing', async () => {
      await assert.rejects(world.run('true', { mounts: [agent()] }), { message: 'no SSH key "default" forwarded from the client' })
      await world.run('test ! -e /run/buildkit', { mounts: [agent({ optional: true })] })
    })
  })
})

/** Files below these directories that hold the text. */
function filesWith(text: string, directories: readonly string[]): string[] {
  return directories.flatMap((directory) =>
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => read(path).includes(text)),
  )
}

/** Empty when it has just been deleted. */
function read(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch {
    return Buffer.alloc(0)
  }
}
