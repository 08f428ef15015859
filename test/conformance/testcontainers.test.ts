/** testcontainers on a live engine. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { Engine } from '../harness/index.ts'

const STEPS = ['start', 'port', 'exec', 'copy', 'logs', 'restart', 'stop', 'health']

test('testcontainers', { timeout: 180_000 }, async () => {
  await using engine = await Engine.start()
  engine.loadStarter()
  const [program = '', ...args] = engine.host.wrap([process.execPath, join(import.meta.dirname, 'fixtures/testcontainers-program.ts')])
  const child = spawn(program, args, {
    env: { ...process.env, DOCKER_HOST: `unix://${engine.socket}`, TESTCONTAINERS_RYUK_DISABLED: 'true' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  assert.deepEqual({ steps: stdout.trim().split('\n'), code }, { steps: STEPS, code: 0 }, stderr)
})
