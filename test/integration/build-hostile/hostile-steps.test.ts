/** Steps that do harm: they fork for ever, never end, write without end. Cancelled, they are gone at once. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Engine, ROOT } from '../../harness/index.ts'
import { tar } from '../../harness/tar.ts'

let engine: Engine
before(async () => {
  engine = await Engine.start()
  engine.loadStarter()
})
after(() => engine?.[Symbol.asyncDispose]())

/** Commands of all processes of steps, by a number that nobody else sleeps for. */
function steps(): string[] {
  return readdirSync('/proc').flatMap((entry) => {
    try {
      const command = /^\d+$/.test(entry) ? readFileSync(`/proc/${entry}/cmdline`, 'utf8').replaceAll('\0', ' ') : ''
      return /^(\/bin\/)?(sh|sleep)\b.*987/.test(command) ? [command] : []
    } catch {
      return [] // it ended while we looked
    }
  })
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (holds()) return
    await sleep(50)
  }
  throw new Error(`${what}: not in 10 s`)
}

function project(name: string, dockerfile: string): string {
  const directory = join(engine.directory, name)
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'Dockerfile'), dockerfile)
  return directory
}

const FORKS = "FROM starter\nRUN sh -c 'forker() { sleep 987 & while true; do (sleep 987 &) ; sleep 0.05; done; }; forker'\n"

test('a step that forks for ever is gone when the client is', async () => {
  const directory = project('forks', FORKS)
  const client = spawn(join(ROOT, 'bin/gantry'), ['build', directory], {
    env: { ...process.env, DOCKER_HOST: `unix://${engine.socket}` },
    stdio: 'ignore',
  })
  await until('the step runs', () => steps().length > 5)
  client.kill('SIGINT')
  const [status] = await once(client, 'exit')
  assert.equal(status, 130)
  await until('the step is gone', () => steps().length === 0)
})

test('a client of the classic door that goes away takes its build along', async () => {
  const controller = new AbortController()
  const { request } = await import('node:http')
  const call = request({
    socketPath: engine.socket,
    method: 'POST',
    path: '/build',
    headers: { 'Content-Type': 'application/x-tar' },
    signal: controller.signal,
  })
  call.on('error', () => {})
  call.end(tar([{ name: 'Dockerfile', data: Buffer.from(FORKS) }]))
  await until('the step runs', () => steps().length > 3)
  controller.abort()
  await until('the step is gone', () => steps().length === 0)
})

test('cancelling by id stops a build', async () => {
  const archive = tar([{ name: 'Dockerfile', data: Buffer.from('FROM starter\nRUN sleep 987\n') }])
  const building = engine.request('POST', '/build?buildid=mine', archive, { 'Content-Type': 'application/x-tar' })
  await until('the step runs', () => steps().length > 0)
  assert.equal((await engine.request('POST', '/build/cancel?id=mine')).status, 200)
  assert.match((await building).text, /cancel/i)
  await until('the step is gone', () => steps().length === 0)
})

test('two builds wait for the same step: it goes on until both have gone', async () => {
  const directory = project('shared', 'FROM starter\nRUN sleep 987 && echo shared\n')
  const env = { ...process.env, DOCKER_HOST: `unix://${engine.socket}` }
  const clients = [0, 1].map(() => spawn(join(ROOT, 'bin/gantry'), ['build', directory], { env, stdio: 'ignore' }))
  await until('the step runs', () => steps().length > 0)
  await sleep(500)
  assert.equal(steps().filter((command) => command.startsWith('sleep')).length, 1, 'equal steps run once')
  clients[0]?.kill('SIGINT')
  await sleep(500)
  assert.ok(steps().length > 0)
  clients[1]?.kill('SIGINT')
  await until('the step is gone', () => steps().length === 0)
})

test('what a step writes to files of the engine lies on the disk, and goes with the step', async () => {
  const archive = tar([
    { name: 'Dockerfile', data: Buffer.from('FROM starter\nRUN head -c 50000000 /dev/zero > /etc/hosts && sleep 987\n') },
  ])
  const building = engine.request('POST', '/build?buildid=hosts', archive, { 'Content-Type': 'application/x-tar' })
  await until('the step has written', () => steps().some((command) => command.startsWith('sleep')))
  const kilobytes = Number(spawnSync('du', ['-sk', engine.execRoot], { encoding: 'utf8' }).stdout.split('\t')[0])
  assert.ok(kilobytes < 10_000, `${kilobytes} kB of memory`)
  await engine.request('POST', '/build/cancel?id=hosts')
  await building
  await until('the files are gone', () => readdirSync(join(engine.dataRoot, 'build/stubs')).length === 0)
})

test('a step that writes without end is cut in its output, not in its work', () => {
  const directory = project(
    'loud',
    'FROM starter\nRUN yes 0123456789012345678901234567890123456789 | head -c 20000000 && echo done > /done\n',
  )
  const built = engine.gantry(['build', '-t', 'loud', directory])
  assert.equal(built.status, 0, built.stderr.slice(-1000))
  assert.ok(built.stderr.length < 8_000_000)
  assert.match(built.stderr, /output clipped/)
  assert.equal(engine.mustDocker('run', '--rm', 'loud', 'cat', '/done'), 'done')
})
