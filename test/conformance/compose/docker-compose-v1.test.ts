/** Debian's docker-compose (1.29, Python, API 1.41) with a stack of three real services. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Engine, ROOT } from '../../harness/index.ts'
import { copyProject, exerciseStack } from './compose-stack.ts'

let engine: Engine
const missing = ['docker-compose', 'debootstrap', 'curl'].filter((program) => spawnSync('which', [program]).status !== 0)
const options = { skip: missing.length > 0 ? `not installed: ${missing.join(', ')}` : false }

before(async () => {
  if (missing.length > 0) return
  const made = spawnSync(join(ROOT, 'tools/debian-image.sh'), { encoding: 'utf8' })
  assert.equal(made.status, 0, made.stderr)
  engine = await Engine.start()
  engine.mustDocker('import', made.stdout.trim(), 'debian')
})

after(() => engine?.[Symbol.asyncDispose]())

test('docker-compose 1.29 brings a stack up, scales, restarts and takes it down', options, async () => {
  const cwd = copyProject(engine)
  const env = { ...process.env, DOCKER_HOST: `unix://${engine.socket}`, HOME: engine.directory }
  const compose = (...args: string[]): string => {
    const result = spawnSync('docker-compose', ['--no-ansi', ...args], { cwd, env, encoding: 'utf8', timeout: 120_000 })
    if (result.status !== 0) throw new Error(`docker-compose ${args.join(' ')}: exit ${result.status}: ${result.stderr}${result.stdout}`)
    return result.stdout
  }
  await exerciseStack(engine, compose, '_')
})
