/** Builds by SDKs: docker-py, dockerode, testcontainers, and the old compose (1.29), which builds by docker-py. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import Docker from 'dockerode'
import { Engine } from '../../harness/index.ts'

const FIXTURES = join(import.meta.dirname, '../fixtures')
const DOCKERFILE = 'FROM starter\nARG WHO=nobody\nCOPY text /text\nRUN echo "$(cat /text) $WHO" | tee /greeting\nCMD ["cat", "/greeting"]\n'

let engine: Engine
let context: string
before(async () => {
  engine = await Engine.start()
  engine.loadStarter()
  context = join(engine.directory, 'context')
  mkdirSync(context)
  writeFileSync(join(context, 'Dockerfile'), DOCKERFILE)
  writeFileSync(join(context, 'text'), 'hello')
})
after(() => engine?.[Symbol.asyncDispose]())

/** Not spawnSync: the program talks to the daemon, whose log this process has to read meanwhile. */
async function program(
  command: readonly string[],
  env: Record<string, string> = {},
): Promise<{ stdout: string; stderr: string; code: number }> {
  const [first = '', ...args] = command
  const child = spawn(first, args, {
    env: { ...process.env, DOCKER_HOST: `unix://${engine.socket}`, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { stdout, stderr, code: code as number }
}

const hasDockerPy = spawnSync('python3', ['-c', 'import docker']).status === 0
const hasCompose = spawnSync('which', ['docker-compose']).status === 0

test('docker-py', { skip: hasDockerPy ? false : 'python3-docker is not installed' }, async () => {
  const { stdout, stderr, code } = await program(['python3', join(FIXTURES, 'docker-py-build.py'), context])
  assert.deepEqual(stdout.trim().split('\n'), ['path', 'fileobj', 'custom_context', 'failure', 'parse error', 'prune'], stderr)
  assert.equal(code, 0)
})

test('dockerode', async () => {
  const docker = new Docker({ socketPath: engine.socket })
  const follow = (stream: NodeJS.ReadableStream): Promise<Record<string, unknown>[]> =>
    new Promise((done, fail) =>
      docker.modem.followProgress(stream, (error, output) => (error ? fail(error) : done(output as Record<string, unknown>[]))),
    )
  const options = { t: 'rode:1', buildargs: { WHO: 'dockerode' } }
  const told = await follow(await docker.buildImage({ context, src: ['Dockerfile', 'text'] }, options))
  assert.ok(told.some(({ aux }) => (aux as { ID?: string } | undefined)?.ID?.startsWith('sha256:')))
  assert.equal(engine.mustDocker('run', '--rm', 'rode:1'), 'hello dockerode')
  writeFileSync(join(context, 'bad.Dockerfile'), 'FROM starter\nRUN exit 6\n')
  const failing = await docker.buildImage({ context, src: ['bad.Dockerfile'] }, { dockerfile: 'bad.Dockerfile' })
  // It leaves it to its caller to look for an error among what was told.
  assert.match(String((await follow(failing)).at(-1)?.['error']), /returned a non-zero code: 6/)
})

test('testcontainers', async () => {
  const command = engine.host.wrap([process.execPath, join(FIXTURES, 'testcontainers-build.ts'), context])
  const { stdout, stderr, code } = await program(command, { TESTCONTAINERS_RYUK_DISABLED: 'true' })
  assert.deepEqual([stdout.trim(), code], ['built', 0], stderr)
})

test('docker-compose 1.29', { skip: hasCompose ? false : 'docker-compose is not installed' }, async () => {
  const project = join(engine.directory, 'old-compose')
  mkdirSync(project)
  const file = `version: '3.4'\nservices:\n  app:\n    image: old:1\n    build:\n      context: ${context}\n      args: {WHO: compose}\n      labels: {kind: old}\n`
  writeFileSync(join(project, 'docker-compose.yml'), file)
  for (const buildkit of ['0', '1']) {
    const { stdout, stderr, code } = await program(['docker-compose', '-f', join(project, 'docker-compose.yml'), 'build', '--no-cache'], {
      COMPOSE_DOCKER_CLI_BUILD: '0',
      DOCKER_BUILDKIT: buildkit,
    })
    assert.equal(code, 0, stdout + stderr)
    assert.equal(engine.mustDocker('run', '--rm', 'old:1'), 'hello compose')
  }
})
