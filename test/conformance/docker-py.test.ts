/** docker-py, the SDK of Python programs and of the old compose, on a live engine. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { Engine } from '../harness/index.ts'

const STEPS = [
  'life',
  'run_helper',
  'exec_and_tty',
  'streams',
  'stdin_socket',
  'signals',
  'logs_follow',
  'events',
  'archives',
  'crowd',
  'system',
]

const isInstalled = spawnSync('python3', ['-c', 'import docker']).status === 0

test('docker-py', { skip: isInstalled ? false : 'python3-docker is not installed', timeout: 300_000 }, async () => {
  await using engine = await Engine.start()
  engine.loadStarter()
  // Not spawnSync: the program talks to the daemon, whose log this process has to read meanwhile.
  const program = spawn('python3', [join(import.meta.dirname, 'fixtures/docker-py-program.py')], {
    env: { ...process.env, DOCKER_HOST: `unix://${engine.socket}` },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr, [code]] = await Promise.all([text(program.stdout), text(program.stderr), once(program, 'close')])
  assert.deepEqual({ steps: stdout.trim().split('\n'), stderr, code }, { steps: STEPS, stderr: '', code: 0 })
})
