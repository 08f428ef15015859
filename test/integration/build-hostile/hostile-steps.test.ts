/** Steps that do harm: they fork for ever, never end, write without end. Cancelled, they are gone at once. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Engine, eventually, ROOT } from '../../harness/index.ts'
import { tar } from '../../harness/tar.ts'
import { stepProcesses } from '../build/build-client.ts'

let engine: Engine
before(async () => {
  engine = await Engine.start()
  engine.loadStarter()
})
after(() => engine?.[Symbol.asyncDispose]())

/** Commands of all processes of steps. */
const steps = (): string[] => stepProcesses(engine).map(({ command }) => command)

async function until(what: string, holds: () => boolean): Promise<void> {
  await eventually(() => assert.ok(holds(), what))
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

/** Resolves when the text has come; goes on reading, that the writer never waits. */
function hasSaid(stream: Readable, wanted: string): Promise<void> {
  let said = ''
  return new Promise((done) => {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (said.includes(wanted)) done()
    })
  })
}

test('two builds wait for the same step: it goes on until both have gone', async () => {
  const directory = project('shared', 'FROM starter\nRUN sleep 987 && echo shared\n')
  const env = { ...process.env, DOCKER_HOST: `unix://${engine.socket}` }
  const clients = [0, 1].map(() => spawn(join(ROOT, 'bin/gantry'), ['build', directory], { env, stdio: ['ignore', 'ignore', 'pipe'] }))
  await Promise.all(clients.map(({ stderr }) => hasSaid(stderr, 'RUN sleep 987')))
  await until('the step runs', () => steps().includes('sleep 987'))
  assert.equal(steps().filter((command) => command === 'sleep 987').length, 1, 'equal steps run once')
  const [first, second] = clients.map((client) => ({ client, ended: once(client, 'exit') }))
  first?.client.kill('SIGINT')
  await first?.ended
  await sleep(300) // in which a step that nobody waits for would end
  assert.ok(steps().includes('sleep 987'))
  second?.client.kill('SIGINT')
  await second?.ended
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
