/** Real servers from Debian packages in a debootstrap image: volume, published port, their own clients, stop signal, data there again. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Engine, eventually, ROOT } from '../../harness/index.ts'

let engine: Engine
const missing = ['debootstrap', 'curl'].filter((program) => spawnSync('which', [program]).status !== 0)
const options = { skip: missing.length > 0 ? `not installed: ${missing.join(', ')}` : false }

before(async () => {
  if (missing.length > 0) return
  const made = spawnSync(join(ROOT, 'tools/debian-image.sh'), { encoding: 'utf8' })
  assert.equal(made.status, 0, made.stderr)
  engine = await Engine.start()
  engine.mustDocker('import', made.stdout.trim(), 'debian')
})

after(() => engine?.[Symbol.asyncDispose]())

/** stdout of a command on the engine's host when it succeeds. */
function onHost(...command: string[]): string | undefined {
  const result = engine.host.run(command)
  return result.status === 0 ? result.stdout.trim() : undefined
}

/** stdout of a client program of the image, run beside the server on the host's network. */
function client(...command: string[]): string | undefined {
  const result = engine.docker(['run', '--rm', '--network', 'host', 'debian', ...command])
  return result.status === 0 ? result.stdout.trim() : undefined
}

function exitCode(name: string): number {
  return Number(engine.mustDocker('inspect', '-f', '{{.State.ExitCode}}', name))
}

test('nginx serves a volume on a published port to curl, ends by SIGQUIT, serves again', options, async () => {
  const command = ['nginx', '-g', 'daemon off;']
  engine.mustDocker(
    'run',
    '-d',
    '--name',
    'web',
    '--stop-signal',
    'SIGQUIT',
    '-p',
    '8081:80',
    '-v',
    'site:/var/www/html',
    'debian',
    ...command,
  )
  const welcome = ['curl', '-fsS', 'http://127.0.0.1:8081/index.nginx-debian.html']
  await eventually(() => assert.match(onHost(...welcome) ?? '', /Welcome to nginx/))
  engine.mustDocker('exec', 'web', 'sh', '-c', 'echo kept > /var/www/html/page')
  engine.mustDocker('stop', '-t', '20', 'web')
  assert.equal(exitCode('web'), 0, 'a graceful quit')
  assert.equal(onHost('curl', '-fsS', '-m', '2', 'http://127.0.0.1:8081/page'), undefined)
  engine.mustDocker('start', 'web')
  await eventually(() => assert.equal(onHost('curl', '-fsS', 'http://127.0.0.1:8081/page'), 'kept'))
  await eventually(() => assert.match(engine.mustDocker('exec', 'web', 'cat', '/var/log/nginx/access.log'), /GET \/page/))
  engine.mustDocker('rm', '-f', 'web')
})

test('redis keeps what redis-cli wrote over a stop and a start', options, async () => {
  const server = ['redis-server', '--bind', '0.0.0.0', '--protected-mode', 'no', '--dir', '/data', '--appendonly', 'yes']
  engine.mustDocker('run', '-d', '--name', 'redis', '-p', '127.0.0.1:6380:6379', '-v', 'redis:/data', 'debian', ...server)
  const cli = ['redis-cli', '-h', '127.0.0.1', '-p', '6380']
  await eventually(() => assert.equal(client(...cli, 'ping'), 'PONG'))
  assert.equal(client(...cli, 'set', 'key', 'value'), 'OK')
  engine.mustDocker('stop', 'redis')
  assert.equal(exitCode('redis'), 0)
  assert.match(engine.mustDocker('logs', 'redis'), /User requested shutdown|bye bye/)
  engine.mustDocker('start', 'redis')
  await eventually(() => assert.equal(client(...cli, 'ping'), 'PONG'))
  assert.equal(client(...cli, 'get', 'key'), 'value')
  engine.mustDocker('rm', '-f', 'redis')
})

test('PostgreSQL runs as its user on a copied-up volume, passes pgbench, keeps its tables', options, async () => {
  const server = [
    'sh',
    '-c',
    [
      'data=/var/lib/postgresql/data; bin=/usr/lib/postgresql/15/bin',
      '[ -e $data/PG_VERSION ] || $bin/initdb -D $data -A trust',
      'echo "host all all all trust" >> $data/pg_hba.conf',
      'exec $bin/postgres -D $data -c listen_addresses="*" -c unix_socket_directories=/run/postgresql',
    ].join('\n'),
  ]
  engine.mustDocker(
    ...['run', '-d', '--name', 'pg', '-u', 'postgres', '--stop-signal', 'SIGINT', '--shm-size', '128m', '-p', '5433:5432'],
    ...['-v', 'pg:/var/lib/postgresql', '--tmpfs', '/run/postgresql:mode=1777', 'debian', ...server],
  )
  const psql = ['psql', '-h', '127.0.0.1', '-p', '5433', '-U', 'postgres', '-tAc']
  await eventually(() => assert.equal(client(...psql, 'select 1'), '1'))
  const pgbench = ['/usr/lib/postgresql/15/bin/pgbench', '-h', '127.0.0.1', '-p', '5433', '-U', 'postgres']
  assert.notEqual(client(...pgbench, '-i', '-s', '1', '-q', 'postgres'), undefined, 'pgbench -i')
  const report = client(...pgbench, '-c', '4', '-t', '200', 'postgres')
  assert.match(report ?? '', /number of failed transactions: 0/)
  const rows = client(...psql, 'select count(*) from pgbench_history')
  engine.mustDocker('stop', '-t', '30', 'pg')
  assert.equal(exitCode('pg'), 0, 'a fast shutdown')
  engine.mustDocker('start', 'pg')
  await eventually(() => assert.equal(client(...psql, 'select 1'), '1'))
  assert.equal(client(...psql, 'select count(*) from pgbench_history'), rows)
  engine.mustDocker('rm', '-f', '-v', 'pg')
})
