/** The daemon ends, in order or not, and comes back: containers run on, their output is kept, their exit codes are known. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Engine, eventually, ROOT } from '../../harness/index.ts'

const COUNT = 'i=0; while :; do echo $i; i=$((i+1)); sleep 0.01; done'

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`containers outlive a daemon ended by ${signal}`, async () => {
    await using engine = await Engine.start()
    engine.loadStarter()
    engine.mustDocker('run', '-d', '--name', 'counter', 'starter', 'sh', '-c', COUNT)
    const signs = join(engine.directory, 'signs')
    mkdirSync(signs)
    const atTheSign = 'until test -e /signs/end; do sleep 0.05; done'
    const ends = ['-v', `${signs}:/signs`, 'starter', 'sh', '-c', `${atTheSign}; echo last words; exit 42`]
    engine.mustDocker('run', '-d', '--name', 'ends', ...ends)
    engine.mustDocker(
      'run',
      '-d',
      '--name',
      'web',
      '-p',
      '8080:80',
      'starter',
      'sh',
      '-c',
      'echo up > /var/www/index.html; exec httpd -f -h /var/www',
    )
    engine.mustDocker('run', '-d', '--name', 'gone', '--rm', '-v', `${signs}:/signs`, 'starter', 'sh', '-c', atTheSign)
    const answer = (): string => engine.host.must(['curl', '-fsS', '-m', '10', 'http://127.0.0.1:8080/']).trim()
    await eventually(() => assert.equal(answer(), 'up'))
    const [pid, ...ending] = engine.mustDocker('inspect', '-f', '{{.State.Pid}}', 'counter', 'ends', 'gone').split('\n')
    const log = engine.mustDocker('inspect', '-f', '{{.LogPath}}', 'counter')
    const code = await engine.stopDaemon(signal)
    if (signal === 'SIGTERM') assert.equal(code, 0)
    const written = statSync(log).size
    writeFileSync(join(signs, 'end'), '')
    for (const each of ending) await eventually(() => assert.ok(!existsSync(`/proc/${each}`)))
    await eventually(() => assert.ok(statSync(log).size > written + 2000, 'it counts while the daemon is away'))
    assert.equal(answer(), 'up', 'a published port while the daemon is away')

    await engine.startDaemon()
    assert.equal(engine.mustDocker('inspect', '-f', '{{.State.Status}} {{.State.Pid}}', 'counter'), `running ${pid}`)
    await eventually(() => assert.equal(engine.mustDocker('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'ends'), 'exited 42'))
    assert.equal(engine.mustDocker('logs', 'ends'), 'last words')
    await eventually(() => assert.equal(engine.docker(['inspect', 'gone']).status, 1, '--rm is carried out after the restart'))
    assert.equal(answer(), 'up')

    const lines = engine.mustDocker('logs', 'counter').split('\n').map(Number)
    assert.deepEqual(
      lines,
      lines.map((_, index) => index),
      'no line lost, none doubled',
    )
    assert.equal(engine.mustDocker('exec', 'counter', 'echo', 'exec works'), 'exec works')
    engine.mustDocker('stop', '-t', '0', 'counter')
    assert.equal(engine.mustDocker('inspect', '-f', '{{.State.ExitCode}}', 'counter'), '137')
    engine.mustDocker('start', 'ends')
    assert.equal(engine.mustDocker('wait', 'ends'), '42')
  })
}

test('restart policies are carried out for what ended while the daemon was away', async () => {
  await using engine = await Engine.start()
  engine.loadStarter()
  engine.mustDocker('run', '-d', '--name', 'always', '--restart', 'always', 'starter', 'sleep', '1000')
  engine.mustDocker('run', '-d', '--name', 'stopped', '--restart', 'unless-stopped', 'starter', 'sleep', '1000')
  engine.mustDocker('stop', '-t', '0', 'stopped')
  const pid = Number(engine.mustDocker('inspect', '-f', '{{.State.Pid}}', 'always'))
  await engine.stopDaemon('SIGKILL')
  process.kill(pid, 'SIGKILL')
  await eventually(() => assert.ok(!existsSync(`/proc/${pid}`)))
  await engine.startDaemon()
  await eventually(() => assert.equal(engine.mustDocker('inspect', '-f', '{{.State.Running}} {{.RestartCount}}', 'always'), 'true 1'))
  assert.notEqual(Number(engine.mustDocker('inspect', '-f', '{{.State.Pid}}', 'always')), pid)
  assert.equal(engine.mustDocker('inspect', '-f', '{{.State.Running}}', 'stopped'), 'false')
})

test('a second daemon on the same data is refused', async () => {
  await using engine = await Engine.start()
  const second = engine.host.run([
    join(ROOT, 'bin/gantry'),
    'daemon',
    '--data-root',
    engine.dataRoot,
    '--exec-root',
    engine.execRoot,
    '--host',
    `unix://${engine.socket}.2`,
    '--pidfile',
    `${engine.socket}.pid`,
  ])
  assert.notEqual(second.status, 0)
  assert.match(second.stderr, /in use|running|lock/i)
  assert.equal((await engine.request('GET', '/_ping')).status, 200)
})
