/** The life of containers on a real kernel: what unit tests over fakes cannot show. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Engine, eventually } from '../../harness/index.ts'

const engine = await Engine.start()
after(() => engine[Symbol.asyncDispose]())
engine.loadStarter()

const inspect = (name: string, format: string): string => engine.mustDocker('inspect', '-f', format, name)

test('the same container starts again and again on its published port', () => {
  engine.mustDocker('run', '-d', '--name', 'again', '-p', '18080:80', 'starter', 'sleep', '1000')
  for (let round = 0; round < 5; round++) engine.mustDocker('restart', '-t', '0', 'again')
  assert.equal(inspect('again', '{{.State.Status}} {{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}'), 'running 18080')
  engine.mustDocker('rm', '-f', 'again')
  assert.equal(engine.mustDocker('run', '--rm', '-p', '18080:80', 'starter', 'echo', 'free'), 'free')
})

test('what a container wrote is there when it starts again, its own users included', () => {
  engine.mustDocker('run', '--name', 'users', 'starter', 'sh', '-c', 'echo app:x:4321:4321::/home/app:/bin/sh >> /etc/passwd')
  engine.mustDocker('commit', 'users', 'withuser')
  engine.mustDocker('rm', 'users')
  assert.equal(engine.mustDocker('run', '--rm', '-u', 'app', 'withuser', 'sh', '-c', 'id -u; echo $HOME'), '4321\n/home/app')
  engine.mustDocker('create', '--name', 'late', '-u', 'late', 'withuser', 'id', '-u')
  assert.match(engine.docker(['start', '-a', 'late']).stderr, /unable to find user late: no matching entries in passwd file/)
  assert.equal(inspect('late', '{{.State.Status}} {{.State.ExitCode}}'), 'created 128')
  engine.mustDocker('rm', 'late')
})

test('an exec sees the users and files the container has made for itself', async () => {
  engine.mustDocker('run', '-d', '--name', 'inside', 'starter', 'sh', '-c', 'echo new:x:77:77::/:/bin/sh >> /etc/passwd; exec sleep 1000')
  await eventually(() => engine.mustDocker('exec', 'inside', 'grep', 'new', '/etc/passwd'))
  assert.equal(engine.mustDocker('exec', '-u', 'new', 'inside', 'id', '-u'), '77')
  assert.match(engine.docker(['exec', '-u', 'nobodyhere', 'inside', 'id']).stdout, /unable to find user nobodyhere/)
  const result = engine.docker(['exec', 'inside', 'sh', '-c', 'sleep 0.2; exit 9'])
  assert.equal(result.status, 9)
  engine.mustDocker('rm', '-f', 'inside')
})

test('links in a hostile image do not lead the user look-up to the files of the host', () => {
  engine.mustDocker('run', '--name', 'link', 'starter', 'sh', '-c', 'rm -f /etc/passwd; ln -s /proc/1/root/etc/passwd /etc/passwd')
  engine.mustDocker('commit', 'link', 'linked')
  engine.mustDocker('rm', 'link')
  assert.match(engine.docker(['run', '--rm', '-u', 'daemon', 'linked', 'id']).stderr, /unable to find user daemon/)
})

test('-v makes a missing directory, --mount refuses it', () => {
  const missing = `${engine.directory}/made/by/v`
  assert.equal(engine.mustDocker('run', '--rm', '-v', `${missing}:/x`, 'starter', 'sh', '-c', 'echo 1 > /x/a; cat /x/a'), '1')
  const refused = engine.docker(['run', '--rm', '--mount', `type=bind,src=${engine.directory}/nope,dst=/x`, 'starter', 'true'])
  assert.equal(refused.status, 125)
  assert.match(refused.stderr, /invalid mount config for type "bind": bind source path does not exist: .*\/nope/)
})

test('a volume starts with what the image has at its path, an anonymous one goes with --rm', () => {
  engine.mustDocker('run', '--name', 'seed', 'starter', 'sh', '-c', 'mkdir -p /data/sub; echo seed > /data/sub/f; chown 5:6 /data/sub/f')
  engine.mustDocker('commit', '-c', 'VOLUME /data', 'seed', 'seeded')
  engine.mustDocker('rm', 'seed')
  const show = 'cat /data/sub/f; stat -c %u:%g /data/sub/f'
  assert.equal(engine.mustDocker('run', '--rm', 'seeded', 'sh', '-c', show), 'seed\n5:6')
  assert.equal(engine.mustDocker('run', '--rm', '-v', 'kept:/data', 'seeded', 'sh', '-c', `${show}; echo own > /data/own`), 'seed\n5:6')
  assert.equal(engine.mustDocker('run', '--rm', '-v', 'kept:/data', 'seeded', 'cat', '/data/own'), 'own')
  assert.equal(engine.mustDocker('run', '--rm', '-v', 'empty:/data:nocopy', 'seeded', 'ls', '/data'), '')
  assert.equal(engine.mustDocker('volume', 'ls', '-q'), 'empty\nkept')
  engine.mustDocker('volume', 'rm', 'kept', 'empty')
})

test('shared IPC: one container makes shared memory, another joins it', async () => {
  engine.mustDocker(
    'run',
    '-d',
    '--name',
    'donor',
    '--ipc',
    'shareable',
    'starter',
    'sh',
    '-c',
    'echo shared > /dev/shm/x; exec sleep 1000',
  )
  await eventually(() => engine.mustDocker('exec', 'donor', 'grep', 'shared', '/dev/shm/x'))
  assert.equal(engine.mustDocker('run', '--rm', '--ipc', 'container:donor', 'starter', 'cat', '/dev/shm/x'), 'shared')
  engine.mustDocker('rm', '-f', 'donor')
  const gone = engine.docker(['run', '--rm', '--ipc', 'container:donor', 'starter', 'true'])
  assert.match(gone.stderr, /No such container: donor/)
})

test('a joined network gives the same interfaces, files and host name', () => {
  engine.mustDocker('run', '-d', '--name', 'base', '--hostname', 'basehost', '--add-host', 'other:10.1.2.3', 'starter', 'sleep', '1000')
  const seen = engine.mustDocker(
    'run',
    '--rm',
    '--network',
    'container:base',
    'starter',
    'sh',
    '-c',
    'hostname; grep other /etc/hosts; ip -o -4 addr show eth0',
  )
  assert.match(seen, /^basehost\n10\.1\.2\.3\tother\n.*172\.\d+\.\d+\.\d+\/16/)
  assert.equal(engine.mustDocker('exec', 'base', 'ip', '-o', '-4', 'addr', 'show', 'eth0').split(' ')[6], /inet (\S+)/.exec(seen)?.[1])
  engine.mustDocker('rm', '-f', 'base')
})

test('health goes from starting over healthy to unhealthy, with events', async () => {
  // The first check lasts until it may end.
  const command = 'until test -e /checked; do sleep 0.05; done; test ! -e /sick'
  const check = ['--health-cmd', command, '--health-interval', '200ms', '--health-retries', '2']
  engine.mustDocker('run', '-d', '--name', 'health', ...check, 'starter', 'sleep', '1000')
  assert.equal(inspect('health', '{{.State.Health.Status}}'), 'starting')
  const becomes = (status: string): Promise<void> => eventually(() => assert.equal(inspect('health', '{{.State.Health.Status}}'), status))
  engine.mustDocker('exec', 'health', 'touch', '/checked')
  await becomes('healthy')
  engine.mustDocker('exec', 'health', 'touch', '/sick')
  await becomes('unhealthy')
  assert.match(inspect('health', '{{json .State.Health.Log}}'), /"ExitCode":1/)
  engine.mustDocker('rm', '-f', 'health')
  // Whole seconds: the client cuts off what is behind them.
  const until = String(Math.ceil(Date.now() / 1000))
  const events = engine.mustDocker('events', '--since', '0', '--until', until, '--filter', 'event=health_status', '--format', '{{.Action}}')
  assert.deepEqual(events.split('\n'), ['health_status: healthy', 'health_status: unhealthy'])
})

test('an OOM kill is reported', () => {
  const hungry = 'dd if=/dev/zero of=/dev/shm/x bs=1M count=60'
  const result = engine.docker([
    'run',
    '--name',
    'oom',
    '-m',
    '32m',
    '--memory-swap',
    '32m',
    '--shm-size',
    '64m',
    'starter',
    'sh',
    '-c',
    `${hungry}; exit 0`,
  ])
  assert.match(inspect('oom', '{{.State.OOMKilled}}'), /true/, result.stderr)
  engine.mustDocker('rm', 'oom')
})

test('update changes the limits of a running container', () => {
  engine.mustDocker('run', '-d', '--name', 'limits', '-m', '64m', 'starter', 'sleep', '1000')
  engine.mustDocker('update', '-m', '128m', '--memory-swap', '256m', '--cpus', '0.5', '--pids-limit', '50', 'limits')
  const read =
    'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max 2>/dev/null; true'
  const own = `c=$(cut -d: -f3 /proc/1/cgroup | grep . | head -1); cd /sys/fs/cgroup/memory$c 2>/dev/null && cat memory.limit_in_bytes ../../../pids$c/pids.max || { ${read}; }`
  assert.match(engine.mustDocker('exec', 'limits', 'sh', '-c', own), /134217728/)
  assert.equal(inspect('limits', '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}}'), '134217728 500000000 50')
  engine.mustDocker('rm', '-f', 'limits')
})

test('restart policies count and give up', async () => {
  engine.mustDocker('run', '-d', '--name', 'twice', '--restart', 'on-failure:2', 'starter', 'sh', '-c', 'exit 3')
  await eventually(() => assert.equal(inspect('twice', '{{.State.Status}}'), 'exited'))
  assert.equal(inspect('twice', '{{.RestartCount}} {{.State.ExitCode}}'), '2 3')
  engine.mustDocker('rm', 'twice')
})

test('prune removes what does not run', () => {
  engine.mustDocker('create', '--name', 'idle', 'starter')
  engine.mustDocker('run', '-d', '--name', 'busy', 'starter', 'sleep', '1000')
  assert.match(engine.mustDocker('container', 'prune', '-f'), /Deleted Containers:\n[0-9a-f]{64}\n/)
  assert.equal(engine.mustDocker('ps', '-a', '--format', '{{.Names}}'), 'busy')
  engine.mustDocker('rm', '-f', 'busy')
})
