/** Restart policies and health checks in real time: back-off, counts, what a manual stop means, and a machine that was switched off. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { after, afterEach, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Engine, eventually, removeCgroups } from '../../harness/index.ts'

let engine: Engine

before(async () => {
  engine = await Engine.start()
  engine.loadStarter()
})

afterEach(() => {
  const left = engine.mustDocker('ps', '-aq').split('\n').filter(Boolean)
  if (left.length > 0) engine.mustDocker('rm', '-f', ...left)
})

after(() => engine[Symbol.asyncDispose]())

const inspect = (name: string, format: string): string => engine.mustDocker('inspect', '-f', format, name)

/** Asks until `format` shows `expected`. */
async function becomes(name: string, format: string, expected: string): Promise<void> {
  await eventually(() => assert.equal(inspect(name, format), expected))
}

/** Milliseconds at which the container started and died, in turn. */
async function lives(name: string): Promise<number[]> {
  const events = await engine.events({ filters: { container: [name], event: ['start', 'die'] } })
  return events.map(({ timeNano }) => timeNano / 1e6)
}

test('on-failure gives up after its number of retries, and waits twice as long before each', async () => {
  engine.mustDocker('run', '-d', '--name', 'failing', '--restart', 'on-failure:3', 'starter', 'sh', '-c', 'exit 5')
  await becomes('failing', '{{.State.Status}} {{.RestartCount}} {{.State.ExitCode}}', 'exited 3 5')
  const times = await eventually(async () => {
    const found = await lives('failing')
    assert.equal(found.length, 8)
    return found
  })
  const waits = [1, 3, 5].map((died) => (times[died + 1] ?? 0) - (times[died] ?? 0))
  for (const [index, least] of [100, 200, 400].entries()) {
    const wait = waits[index] ?? 0
    // A busy machine may be late, by seconds even; early it is never.
    assert.ok(wait >= least && wait < least + 30_000, `wait ${index + 1}: ${wait} ms`)
  }
})

test('on-failure leaves a success alone, always restarts it; a stop by hand ends both', async () => {
  engine.mustDocker('run', '-d', '--name', 'fine', '--restart', 'on-failure', 'starter', 'true')
  engine.mustDocker('run', '-d', '--name', 'again', '--restart', 'always', 'starter', 'true')
  await eventually(() => assert.ok(Number(inspect('again', '{{.RestartCount}}')) >= 2))
  await becomes('fine', '{{.State.Status}} {{.RestartCount}}', 'exited 0')
  engine.mustDocker('stop', 'again')
  await sleep(600)
  assert.equal(inspect('again', '{{.State.Status}}'), 'exited')
  // By hand the count begins anew.
  engine.mustDocker('update', '--restart', 'no', 'again')
  engine.mustDocker('start', 'again')
  assert.equal(inspect('again', '{{.RestartCount}}'), '0')
})

test('after the machine was switched off, what should run runs, on networks made anew', async () => {
  engine.mustDocker('network', 'create', '--internal', 'lasting')
  const options = ['-d', '--network', 'lasting']
  engine.mustDocker('run', ...options, '--name', 'always', '--restart', 'always', 'starter', 'sleep', '1000')
  engine.mustDocker('run', ...options, '--name', 'idle', '--restart', 'always', 'starter', 'sleep', '1000')
  engine.mustDocker('run', ...options, '--name', 'stopped', '--restart', 'unless-stopped', 'starter', 'sleep', '1000')
  engine.mustDocker('run', ...options, '--name', 'kept', '--restart', 'unless-stopped', 'starter', 'sleep', '1000')
  engine.mustDocker('run', ...options, '--name', 'once', 'starter', 'sleep', '1000')
  engine.mustDocker('run', ...options, '--name', 'passing', '--rm', 'starter', 'sleep', '1000')
  engine.mustDocker('stop', '-t', '0', 'stopped', 'idle')
  await switchOff()
  await engine.startDaemon()
  await becomes('always', '{{.State.Running}}', 'true')
  await becomes('kept', '{{.State.Running}}', 'true')
  // As with Docker: always means always, whoever had stopped it.
  await becomes('idle', '{{.State.Running}}', 'true')
  assert.equal(inspect('stopped', '{{.State.Status}}'), 'exited')
  assert.equal(inspect('once', '{{.State.Status}} {{.State.ExitCode}}'), 'exited 255')
  assert.equal(engine.docker(['inspect', 'passing']).status, 1)
  engine.mustDocker('exec', 'always', 'ping', '-c', '1', '-W', '10', 'kept')
  engine.mustDocker('start', 'once')
  engine.mustDocker('exec', 'once', 'ping', '-c', '1', '-W', '10', 'always')
})

/** Nothing stays but the disk: processes, interfaces, firewall and what is on a tmpfs are gone. */
async function switchOff(): Promise<void> {
  await engine.stopDaemon('SIGKILL')
  await eventually(() => {
    const left = engine.host.processes()
    for (const { pid } of left) spawnSync('kill', ['-KILL', String(pid)]) // it may have ended with another
    assert.deepEqual(left, [])
  })
  for (const name of engine.host.interfaces()) if (name !== 'lo') engine.host.run(['ip', 'link', 'delete', name])
  engine.host.run(['nft', 'flush', 'ruleset'])
  rmSync(engine.execRoot, { recursive: true, force: true })
  removeCgroups(engine.cgroupParent)
}

test('a health check tells of its state, its log and its events', async () => {
  const flags = ['--health-cmd', 'cat /state', '--health-interval', '100ms', '--health-retries', '2', '--health-timeout', '60s']
  engine.mustDocker('run', '-d', '--name', 'checked', ...flags, 'starter', 'sh', '-c', 'trap exit TERM; while :; do sleep 60 & wait; done')
  await becomes('checked', '{{.State.Health.Status}}', 'unhealthy')
  assert.match(engine.mustDocker('ps', '--format', '{{.Status}}'), /\(unhealthy\)$/)
  engine.mustDocker('exec', 'checked', 'sh', '-c', 'echo fine > /state')
  await becomes('checked', '{{.State.Health.Status}} {{.State.Health.FailingStreak}}', 'healthy 0')
  await becomes('checked', '{{len .State.Health.Log}}', '5')
  await becomes('checked', '{{(index .State.Health.Log 4).ExitCode}} {{(index .State.Health.Log 4).Output}}', '0 fine\n')
  const events = await engine.events({ filters: { event: ['health_status'] } })
  assert.deepEqual(
    events.slice(0, 2).map(({ Action }) => Action),
    ['health_status: unhealthy', 'health_status: healthy'],
  )
  await engine.stopDaemon('SIGKILL')
  await engine.startDaemon()
  await becomes('checked', '{{.State.Health.Status}}', 'healthy')
  engine.mustDocker('exec', 'checked', 'sh', '-c', 'head -c 9000 /dev/zero | tr "\\0" x > /state')
  await becomes('checked', '{{len .State.Health.Log}}', '5')
  await becomes('checked', '{{len (index .State.Health.Log 4).Output}}', '4099')
  engine.mustDocker('stop', 'checked')
  assert.equal(inspect('checked', '{{.State.Health.Status}}'), 'unhealthy')
})
