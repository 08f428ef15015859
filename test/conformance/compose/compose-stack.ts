/** The stack of three services, whichever compose brings it up: up, ps, exec, scale, logs, restart, down. */
import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { eventually, type Engine } from '../../harness/index.ts'

/** Runs compose with these arguments in the project's directory; returns stdout, throws with what it said when it fails. */
export type Compose = (...args: string[]) => string

const PROJECT = 'stack'

/** A copy of the project, since the client may write to it; returns its directory. */
export function copyProject(engine: Engine): string {
  const directory = join(engine.directory, PROJECT)
  cpSync(join(import.meta.dirname, PROJECT), directory, { recursive: true })
  return directory
}

/** `joint`: what stands between project, service and number, `_` for the old compose and `-` for the new one. */
export async function exerciseStack(engine: Engine, compose: Compose, joint: '_' | '-'): Promise<void> {
  const name = (service: string, number = 1): string => [PROJECT, service, number].join(joint)
  compose('up', '-d')
  // depends_on waited for the health of what is behind.
  assert.equal(health(engine, name('store')), 'healthy')
  assert.equal(health(engine, name('app')), 'healthy')
  const [first] = await ask(engine)
  assert.equal(first, 1)
  const listed = compose('ps')
  for (const service of ['proxy', 'app', 'store']) assert.match(listed, new RegExp(name(service)))
  assert.match(listed, /0\.0\.0\.0:8090->80\/tcp/)

  const aliases = engine.mustDocker('inspect', '-f', `{{json (index .NetworkSettings.Networks "${PROJECT}_back").Aliases}}`, name('store'))
  for (const alias of ['store', 'database']) assert.ok((JSON.parse(aliases) as string[]).includes(alias), aliases)
  assert.equal(compose('exec', '-T', 'store', 'redis-cli', 'get', 'requests').trim(), '1')
  assert.match(reach(compose, 'app', 'database:6379'), /reached/)
  assert.match(reach(compose, 'proxy', 'database:6379'), /not known|no such|failure|Invalid/i)
  assert.match(reach(compose, 'store', '192.0.2.2:80'), /unreachable|timed out/i)

  compose('up', '-d', '--scale', 'app=3')
  await allAnswer(engine, 3)
  compose('up', '-d', '--scale', 'app=1')
  assert.equal(engine.mustDocker('ps', '-q', '--filter', `label=com.docker.compose.service=app`).split('\n').length, 1)

  await eventually(() => assert.match(compose('logs', 'app'), /request 1$/m))
  const before = (await ask(engine))[0]
  compose('restart')
  assert.equal((await ask(engine))[0], before + 1, 'the volume keeps the count')
  compose('stop', 'proxy')
  compose('start', 'proxy')
  await ask(engine)

  compose('down', '-v')
  assert.equal(engine.mustDocker('ps', '-aq'), '')
  assert.equal(engine.mustDocker('network', 'ls', '-q', '--filter', 'type=custom'), '')
  assert.equal(engine.mustDocker('volume', 'ls', '-q'), '')
}

function health(engine: Engine, container: string): string {
  return engine.mustDocker('inspect', '-f', '{{.State.Health.Status}}', container)
}

/** Through the proxy: the number of the request and the host name of who counted it. Servers may still be starting. */
async function ask(engine: Engine): Promise<[count: number, server: string]> {
  const answer = await eventually(() => engine.host.must(['curl', '-fsS', '-m', '10', 'http://127.0.0.1:8090/']))
  const [count = '', server = ''] = answer.trim().split(' ')
  return [Number(count), server]
}

/** Asks until so many servers have answered. */
async function allAnswer(engine: Engine, count: number): Promise<void> {
  const servers = new Set<string>()
  await eventually(async () => {
    servers.add((await ask(engine))[1])
    assert.equal(servers.size, count)
  })
}

/** What a connection from a service's container to `address` says: `reached`, or why not. */
function reach(compose: Compose, service: string, address: string): string {
  const program = 'use IO::Socket::INET; print IO::Socket::INET->new(PeerAddr => $ARGV[0], Timeout => 3) ? "reached" : "not: $@ $!"'
  return compose('exec', '-T', service, 'perl', '-e', program, address)
}
