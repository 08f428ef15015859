/** The daemon as a program: arguments, sockets, signals, exit codes. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Engine, eventually, ROOT } from '../../harness/index.ts'
import { makeTlsFiles } from '../../harness/tls-files.ts'

const directory = mkdtempSync(join(tmpdir(), 'gantry-daemon-'))
after(() => rmSync(directory, { recursive: true }))

function run(program: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(join(ROOT, 'bin', program), args, { encoding: 'utf8', timeout: 60_000 })
}

test('dockerd --validate reads flags and file and starts nothing', () => {
  const file = join(directory, 'daemon.json')
  writeFileSync(file, '{"debug":true}')
  assert.deepEqual(run('dockerd', '--validate', '--config-file', file).stdout, 'configuration OK\n')
  const conflict = run('dockerd', '--validate', '--config-file', file, '--debug')
  assert.equal(conflict.status, 1)
  assert.match(conflict.stderr, /the following directives are specified both as a flag and in the configuration file: debug/)
  writeFileSync(file, '{"colour":"red"}')
  assert.match(
    run('dockerd', '--validate', '--config-file', file).stderr,
    /the following directives don't match any configuration option: colour/,
  )
  assert.match(run('gantry', 'daemon', '--swarm-default-advertise-addr', 'x').stderr, /--swarm-default-advertise-addr is not supported/)
})

test('the unix socket is root and group only, and gone daemons leave no lock behind', async () => {
  await using engine = await Engine.start({ flags: ['--group', '0'] })
  assert.equal(statSync(engine.socket).mode & 0o777, 0o660)
  await engine.stopDaemon('SIGKILL')
  await engine.startDaemon()
  assert.equal((await engine.request('GET', '/_ping')).status, 200)
  assert.equal(await engine.stopDaemon('SIGTERM'), 0)
  await engine.startDaemon()
})

test('SIGHUP takes over labels and log level from the file', async () => {
  const file = join(directory, 'reload.json')
  writeFileSync(file, '{}')
  await using engine = await Engine.start({ flags: ['--config-file', file] })
  writeFileSync(file, '{"labels":["tier=front"],"debug":true}')
  process.kill(engine.pid, 'SIGHUP')
  await eventually(async () => {
    const { json } = await engine.request('GET', '/info')
    assert.ok(json.Labels.includes('tier=front') && json.Debug, engine.log)
  })
  writeFileSync(file, '{"nonsense":1}')
  process.kill(engine.pid, 'SIGHUP')
  await eventually(() => assert.match(engine.log, /don't match any configuration option: nonsense/))
  assert.equal((await engine.request('GET', '/info')).json.Debug, true)
})

test('SIGHUP takes over what concerns registries, and tells so', async () => {
  const file = join(directory, 'registries.json')
  writeFileSync(file, '{}')
  await using engine = await Engine.start({ flags: ['--config-file', file, '--http-proxy', 'http://me:secret@proxy:3128'] })
  const since = Math.floor(Date.now() / 1000)
  writeFileSync(file, '{"registry-mirrors":["http://mirror:5000"],"insecure-registries":["registry:5000"],"max-concurrent-downloads":9}')
  process.kill(engine.pid, 'SIGHUP')
  await eventually(async () => {
    const { RegistryConfig, HttpProxy } = (await engine.request('GET', '/info')).json
    assert.equal(HttpProxy, 'http://xxxxx:xxxxx@proxy:3128')
    assert.equal(RegistryConfig.Mirrors[0], 'http://mirror:5000/', engine.log)
    assert.equal(RegistryConfig.IndexConfigs['registry:5000']?.Secure, false, engine.log)
  })
  await eventually(async () => {
    const [event] = await engine.events({ since, filters: { event: ['reload'] } })
    assert.equal(event?.Actor.Attributes['max-concurrent-downloads'], '9')
  })
})

test('plain TCP is for loopback, elsewhere only when asked for in so many words', async () => {
  const refused = run('gantry', 'daemon', '--data-root', directory, '--exec-root', directory, '--host', 'tcp://0.0.0.0:0')
  assert.equal(refused.status, 1)
  assert.match(refused.stderr, /refusing to bind to tcp:\/\/0\.0\.0\.0:0 without TLS/)
  {
    await using engine = await Engine.start({ flags: ['--host', 'tcp://127.0.0.1:23750'] })
    assert.equal(engine.host.must(['curl', '-s', 'http://127.0.0.1:23750/_ping']), 'OK')
  }
  await using open = await Engine.start({ flags: ['--host', 'tcp://0.0.0.0:23751', '--tls=false'] })
  assert.equal(open.host.must(['curl', '-s', 'http://127.0.0.1:23751/_ping']), 'OK')
})

test('with --tlsverify only clients with a certificate of the CA are let in', async () => {
  makeTlsFiles(directory)
  const path = (name: string): string => join(directory, name)
  const tls = ['--tlsverify', '--tlscacert', path('ca.pem'), '--tlscert', path('server.pem'), '--tlskey', path('server-key.pem')]
  await using engine = await Engine.start({ flags: [...tls, '--host', 'tcp://127.0.0.1:23760'] })
  const curl = ['curl', '-s', '--cacert', path('ca.pem'), 'https://127.0.0.1:23760/_ping']
  assert.equal(engine.host.must([...curl, '--cert', path('client.pem'), '--key', path('client-key.pem')]), 'OK')
  assert.notEqual(engine.host.run(curl).status, 0)
})

test('a reader of its log that goes away does not disturb the daemon', async () => {
  await using engine = await Engine.start()
  engine.stopReadingLog()
  for (let i = 0; i < 3; i++) {
    process.kill(engine.pid, 'SIGHUP')
    await sleep(50)
  }
  assert.equal((await engine.request('GET', '/_ping')).status, 200)
  assert.equal(await engine.stopDaemon('SIGTERM'), 0)
})
