/** Debian's docker-compose (1.29, Python, API 1.41) and docker compose v2 (Go, a plugin of the docker CLI) with a stack of three real services. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Engine, ROOT } from '../../harness/index.ts'
import { copyProject, exerciseStack, type Compose } from './compose-stack.ts'

let engine: Engine
const missing = ['debootstrap', 'curl'].filter((program) => spawnSync('which', [program]).status !== 0)
const skip = missing.length > 0 ? `not installed: ${missing.join(', ')}` : false
const hasOld = spawnSync('which', ['docker-compose']).status === 0
const plugin = spawnSync(join(ROOT, 'tools/compose-v2.sh'), { encoding: 'utf8' })

before(async () => {
  if (skip) return
  const made = spawnSync(join(ROOT, 'tools/debian-image.sh'), { encoding: 'utf8' })
  assert.equal(made.status, 0, made.stderr)
  engine = await Engine.start()
  engine.mustDocker('import', made.stdout.trim(), 'debian')
})

after(() => engine?.[Symbol.asyncDispose]())

/** Runs `program` in the project's directory against the engine. */
function client(program: string, ...first: string[]): Compose {
  const cwd = copyProject(engine)
  const config = join(engine.directory, 'docker-config')
  const env = { ...process.env, DOCKER_HOST: `unix://${engine.socket}`, DOCKER_CONFIG: config, HOME: engine.directory }
  return (...args) => {
    const result = spawnSync(program, [...first, ...args], { cwd, env, encoding: 'utf8', timeout: 120_000 })
    if (result.status !== 0)
      throw new Error(`${program} ${[...first, ...args].join(' ')}: exit ${result.status}: ${result.stderr}${result.stdout}`)
    return result.stdout
  }
}

test(
  'docker-compose 1.29 brings a stack up, scales, restarts and takes it down',
  { skip: skip || (hasOld ? false : 'docker-compose is not installed') },
  () => exerciseStack(engine, client('docker-compose', '--no-ansi'), '_'),
)

test(
  'docker compose v2 brings a stack up, scales, restarts and takes it down',
  { skip: skip || (plugin.status === 0 ? false : plugin.stderr.trim()) },
  async () => {
    const plugins = join(engine.directory, 'docker-config/cli-plugins')
    mkdirSync(plugins, { recursive: true })
    symlinkSync(plugin.stdout.trim(), join(plugins, 'docker-compose'))
    await exerciseStack(engine, client('docker', 'compose', '--ansi', 'never'), '-')
  },
)
