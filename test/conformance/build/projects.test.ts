/** Real projects, built by every client and run: a C program, a Node and a Python service, a monorepo of eight stages, a context of 5,000 files. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { Engine, eventually, ROOT } from '../../harness/index.ts'
import { BUILDX, CLASSIC, COMPOSE, GANTRY } from './build-clients.ts'

const PROJECTS = join(ROOT, 'test/projects')
const missing = ['debootstrap', 'curl'].filter((program) => spawnSync('which', [program]).status !== 0)
const skip = missing.length > 0 ? `not installed: ${missing.join(', ')}` : false
let engine: Engine

before(async () => {
  if (skip !== false) return
  const made = spawnSync(join(ROOT, 'tools/toolchain-image.sh'), { encoding: 'utf8' })
  assert.equal(made.status, 0, made.stderr)
  engine = await Engine.start()
  engine.loadStarter()
  engine.mustDocker('import', made.stdout.trim(), 'toolchain')
})

after(() => engine?.[Symbol.asyncDispose]())

async function fetched(port: number): Promise<string> {
  return await eventually(() => engine.host.must(['curl', '-fsS', '-m', '10', `http://127.0.0.1:${port}/`]))
}

async function served(image: string, inside: number): Promise<string> {
  const id = engine.mustDocker('run', '-d', '-p', `8090:${inside}`, image)
  try {
    return await fetched(8090)
  } finally {
    engine.mustDocker('rm', '-f', '-v', id)
  }
}

for (const client of [CLASSIC, BUILDX, GANTRY]) {
  suite(client.name, { skip: skip || (client.missing ?? false) }, () => {
    const prefix = client.name.replaceAll(/[^a-z]+/gi, '-').toLowerCase()
    const build = (project: string, ...args: string[]): string =>
      client.build(engine, join(PROJECTS, project), `${prefix}-${project}`, '--no-cache', ...args)

    test('a C program in several stages', () => {
      build('c-program', '--build-arg', 'VERSION=1.0')
      assert.equal(engine.mustDocker('run', '--rm', `${prefix}-c-program`), 'hello, world (1.0)')
      assert.equal(engine.mustDocker('run', '--rm', `${prefix}-c-program`, 'you'), 'hello, you (1.0)')
      assert.equal(
        engine.mustDocker('inspect', '-f', '{{.Config.User}} {{index .Config.Labels "org.example.kind"}}', `${prefix}-c-program`),
        '1000:1000 c',
      )
    })

    test('a Node service with a user of its own and a health check', async () => {
      build('node-service')
      assert.equal(await served(`${prefix}-node-service`, 8080), 'node service 1.2.3 in production\n')
      assert.match(engine.mustDocker('run', '--rm', `${prefix}-node-service`, 'id', '-un'), /^app$/)
    })

    test('a Python service with heredocs', async () => {
      build('python-service')
      assert.equal(await served(`${prefix}-python-service`, 9000), 'hello from a heredoc\nmade by a heredoc\n')
    })

    test('a monorepo of eight stages, of which one is not needed', () => {
      const said = build('monorepo')
      assert.doesNotMatch(said, /this stage is not needed$/m)
      assert.equal(engine.mustDocker('run', '--rm', `${prefix}-monorepo`), 'api: area 42')
      assert.equal(engine.mustDocker('run', '--rm', `${prefix}-monorepo`, '/bin/worker'), 'worker: jobs 3')
    })

    test('a context of 5,000 files, again with one changed', () => {
      const context = join(engine.directory, `${prefix}-files`)
      for (let directory = 0; directory < 50; directory++) {
        mkdirSync(join(context, 'files', String(directory)), { recursive: true })
        for (let file = 0; file < 100; file++)
          writeFileSync(join(context, 'files', String(directory), `${file}.txt`), `${directory} ${file}\n`)
      }
      writeFileSync(join(context, 'Dockerfile'), 'FROM starter\nCOPY files /files\nRUN find /files -type f | wc -l > /count\n')
      client.build(engine, context, `${prefix}-files`)
      writeFileSync(join(context, 'files/7/7.txt'), 'changed\n')
      client.build(engine, context, `${prefix}-files`)
      assert.equal(
        engine.mustDocker('run', '--rm', `${prefix}-files`, 'cat', '/count', '/files/7/7.txt', '/files/49/99.txt'),
        '5000\nchanged\n49 99',
      )
    })
  })
}

test('docker compose builds them all and brings them up', { skip: skip || (COMPOSE.missing ?? false) }, async () => {
  const file = ['-f', join(PROJECTS, 'compose.yaml')]
  COMPOSE.run(engine, ...file, 'build')
  assert.equal(engine.mustDocker('run', '--rm', 'compose-greet'), 'hello, world (2.0)')
  assert.equal(engine.mustDocker('run', '--rm', 'compose-ship'), 'api: area 42')
  COMPOSE.run(engine, ...file, 'up', '-d', 'node', 'python')
  assert.equal(await fetched(8091), 'node service 1.2.3 in production\n')
  COMPOSE.run(engine, ...file, 'down', '-v')
})
