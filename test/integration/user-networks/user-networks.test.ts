/** Networks of the user's with the docker CLI: create, several at once, connect and disconnect while running, names, events, restart. */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { Engine, eventually } from '../../harness/index.ts'

let engine: Engine

before(async () => {
  engine = await Engine.start()
  engine.loadStarter()
})

/** A test that fails half-way leaves no name taken for the next one. */
afterEach(() => {
  const left = engine.mustDocker('ps', '-aq').split('\n').filter(Boolean)
  if (left.length > 0) engine.mustDocker('rm', '-f', ...left)
  engine.mustDocker('network', 'prune', '-f')
})

after(() => engine[Symbol.asyncDispose]())

/** A container that sleeps, and ends at once on a stop. */
function sleeper(name: string, ...flags: string[]): void {
  engine.mustDocker('run', '-d', '--name', name, ...flags, 'starter', 'sh', '-c', 'trap exit TERM; while :; do sleep 60 & wait; done')
}

function inside(name: string, ...command: string[]): string {
  return engine.mustDocker('exec', name, ...command)
}

/** What the docker CLI says on a failure. */
function failure(...args: string[]): string {
  const { status, stderr } = engine.docker(args)
  assert.notEqual(status, 0, `docker ${args.join(' ')} did not fail`)
  return stderr.trim().replace(/^Error response from daemon: /, '')
}

function removeAll(...names: string[]): void {
  engine.mustDocker('rm', '-f', '-v', ...names)
}

const interfaces = (name: string): string[] => inside(name, 'ls', '/sys/class/net').split(/\s+/).sort()

test('containers of a network know each other by name, alias, short id and host name', () => {
  engine.mustDocker('network', 'create', '--internal', '--label', 'tier=back', 'back')
  sleeper('db', '--network', 'back', '--network-alias', 'store', '--hostname', 'dbhost')
  sleeper('web', '--network', 'back')
  const id = engine.mustDocker('inspect', '-f', '{{.Id}}', 'db').slice(0, 12)
  for (const name of ['db', 'store', 'dbhost', id, 'DB']) inside('web', 'ping', '-c', '1', '-W', '10', name)
  assert.equal(engine.docker(['exec', 'web', 'ping', '-c', '1', '-W', '10', 'nobody']).status, 1)
  assert.equal(
    engine.mustDocker('inspect', '-f', '{{json .NetworkSettings.Networks.back.DNSNames}}', 'db'),
    JSON.stringify(['db', 'store', id, 'dbhost']),
  )
  assert.match(inside('web', 'cat', '/etc/resolv.conf'), /^nameserver 127\.0\.0\.11$/m)
  engine.mustDocker('rename', 'db', 'database')
  inside('web', 'ping', '-c', '1', '-W', '10', 'database')
  assert.equal(engine.docker(['exec', 'web', 'ping', '-c', '1', '-W', '10', 'db']).status, 1)
  assert.match(
    failure('network', 'rm', 'back'),
    /^error while removing network: network back has active endpoints \(name:"(database|web)" id:"[0-9a-f]{12}", name:"(database|web)" id:"[0-9a-f]{12}"\)/,
  )
  removeAll('database', 'web')
  assert.equal(engine.mustDocker('network', 'rm', 'back'), 'back')
})

test('several networks at create: interfaces, static addresses, gateway priority', () => {
  engine.mustDocker('network', 'create', '--subnet', '10.61.0.0/24', 'one')
  engine.mustDocker('network', 'create', '--subnet', '10.62.0.0/24', '--gateway', '10.62.0.9', 'two')
  sleeper('both', '--network', 'name=one,ip=10.61.0.7,alias=a', '--network', 'name=two,gw-priority=1,mac-address=02:00:00:00:00:07')
  const settings = JSON.parse(engine.mustDocker('inspect', '-f', '{{json .NetworkSettings.Networks}}', 'both'))
  assert.deepEqual([settings.one.IPAddress, settings.one.IPAMConfig.IPv4Address], ['10.61.0.7', '10.61.0.7'])
  assert.deepEqual([settings.two.MacAddress, settings.two.GwPriority], ['02:00:00:00:00:07', 1])
  assert.deepEqual(interfaces('both'), ['eth0', 'eth1', 'lo'])
  assert.match(inside('both', 'ip', 'route'), /^default via 10\.62\.0\.9 dev eth0/m)
  const hosts = inside('both', 'cat', '/etc/hosts')
  for (const address of ['10.61.0.7', settings.two.IPAddress]) assert.ok(hosts.includes(`${address}\t`), hosts)
  assert.match(
    failure('run', '--rm', '--network', 'name=one,ip=10.99.0.1', 'starter', 'true'),
    /invalid config for network one: invalid endpoint settings:\nno configured subnet or ip-range contain the IP address 10\.99\.0\.1/,
  )
  assert.match(failure('run', '--rm', '--network', 'name=one,ip=10.61.0.7', 'starter', 'true'), /Address already in use/)
  removeAll('both')
  engine.mustDocker('network', 'rm', 'one', 'two')
})

test('connect and disconnect change a running container, its names and its events', async () => {
  const since = Math.floor(Date.now() / 1000)
  engine.mustDocker('network', 'create', '--subnet', '10.63.0.0/24', 'live')
  sleeper('mover', '-p', '8085:80')
  sleeper('other', '--network', 'live')
  assert.match(inside('mover', 'cat', '/etc/resolv.conf'), /^(?!nameserver 127\.0\.0\.11)/m)
  engine.mustDocker('network', 'connect', '--alias', 'friend', '--ip', '10.63.0.40', 'live', 'mover')
  assert.deepEqual(interfaces('mover'), ['eth0', 'eth1', 'lo'])
  assert.match(inside('mover', 'cat', '/etc/resolv.conf'), /^nameserver 127\.0\.0\.11$/m)
  assert.match(inside('mover', 'cat', '/etc/hosts'), /^10\.63\.0\.40\t/m)
  inside('mover', 'ping', '-c', '1', '-W', '10', 'other')
  inside('other', 'ping', '-c', '1', '-W', '10', 'friend')
  assert.equal(failure('network', 'connect', 'live', 'mover'), 'endpoint with name mover already exists in network live')
  engine.mustDocker('network', 'disconnect', 'bridge', 'mover')
  assert.deepEqual(interfaces('mover'), ['eth1', 'lo'])
  const id = engine.mustDocker('inspect', '-f', '{{.Id}}', 'mover')
  assert.equal(failure('network', 'disconnect', 'bridge', 'mover'), `container ${id} is not connected to network bridge`)
  assert.match(engine.mustDocker('port', 'mover'), /^80\/tcp -> 0\.0\.0\.0:8085$/m)
  engine.mustDocker('restart', 'mover')
  assert.deepEqual(interfaces('mover'), ['eth0', 'lo'])
  inside('mover', 'ping', '-c', '1', '-W', '10', 'other')
  engine.mustDocker('network', 'connect', 'bridge', 'mover')
  engine.mustDocker('stop', 'mover')
  engine.mustDocker('network', 'disconnect', 'live', 'mover')
  assert.equal(failure('network', 'disconnect', 'live', 'mover'), `container ${id} is not connected to the network live`)
  engine.mustDocker('start', 'mover')
  assert.deepEqual(interfaces('mover'), ['eth0', 'lo'])
  removeAll('mover', 'other')
  engine.mustDocker('network', 'rm', 'live')
  await eventually(async () => {
    const events = await engine.events({ since, filters: { type: ['network'], network: ['live'] } })
    assert.deepEqual(
      events.map(({ Action, Actor }) => `${Action} ${Actor.Attributes['type']}`),
      [
        'create bridge',
        'connect bridge', // other
        'connect bridge', // mover
        'disconnect bridge', // its restart
        'connect bridge',
        'disconnect bridge', // its stop
        'disconnect bridge', // other's end
        'destroy bridge',
      ],
    )
  })
})

test('what goes with no other network is refused', () => {
  engine.mustDocker('network', 'create', 'net')
  sleeper('plain')
  sleeper('hosted', '--network', 'host')
  sleeper('lonely', '--network', 'none')
  sleeper('guest', '--network', 'container:plain')
  const shared = 'container sharing network namespace with another container or host cannot be connected to any other network'
  assert.equal(failure('network', 'connect', 'net', 'hosted'), shared)
  assert.equal(failure('network', 'connect', 'net', 'guest'), shared)
  assert.equal(
    failure('network', 'connect', 'net', 'lonely'),
    'container cannot be connected to multiple networks with one of the networks in private (none) mode',
  )
  assert.equal(
    failure('network', 'connect', 'host', 'plain'),
    'cannot connect container to host network - container must be created in host network mode',
  )
  assert.equal(
    failure('network', 'disconnect', 'host', 'hosted'),
    'cannot disconnect container from host network - container was created in host network mode',
  )
  assert.equal(failure('network', 'connect', 'nope', 'plain'), 'network nope not found')
  assert.equal(failure('network', 'connect', 'net', 'nobody'), 'No such container: nobody')
  assert.match(
    failure('run', '--name', 'lost', '--network', 'nope', 'starter', 'true'),
    /failed to set up container networking: network nope not found/,
  )
  assert.equal(engine.mustDocker('inspect', '-f', '{{.State.Status}}', 'lost'), 'created')
  removeAll('lost', 'guest', 'plain', 'hosted', 'lonely')
  engine.mustDocker('network', 'rm', 'net')
})

test('a network made anew is not the one that a stopped container was on', () => {
  engine.mustDocker('network', 'create', 'again')
  sleeper('old', '--network', 'again')
  const id = engine.mustDocker('network', 'inspect', '-f', '{{.Id}}', 'again')
  engine.mustDocker('stop', 'old')
  engine.mustDocker('network', 'rm', 'again')
  engine.mustDocker('network', 'create', 'again')
  assert.match(failure('start', 'old'), new RegExp(`network ${id} not found`))
  engine.mustDocker('network', 'disconnect', '-f', 'again', 'old')
  engine.mustDocker('network', 'connect', 'again', 'old')
  engine.mustDocker('start', 'old')
  removeAll('old')
  assert.equal(engine.mustDocker('network', 'prune', '-f').includes('again'), true)
})

test('names are answered, and networks changed, after a new daemon has come', async () => {
  engine.mustDocker('network', 'create', '--internal', 'lasting')
  sleeper('first', '--network', 'lasting')
  sleeper('second', '--network', 'lasting')
  await engine.stopDaemon('SIGKILL')
  await engine.startDaemon()
  inside('first', 'ping', '-c', '1', '-W', '10', 'second')
  engine.mustDocker('network', 'connect', 'bridge', 'second')
  assert.deepEqual(interfaces('second'), ['eth0', 'eth1', 'lo'])
  engine.mustDocker('network', 'disconnect', 'lasting', 'second')
  assert.equal(engine.docker(['exec', 'first', 'ping', '-c', '1', '-W', '10', 'second']).status, 1)
  removeAll('first', 'second')
  engine.mustDocker('network', 'rm', 'lasting')
})

test('links on the default bridge give names and variables, follow addresses, and are seen and removed', () => {
  sleeper('db', '--hostname', 'dbhost', '--expose', '5432', '-e', 'PASSWORD=secret')
  sleeper('app', '--link', 'db:store')
  const address = engine.mustDocker('inspect', '-f', '{{.NetworkSettings.Networks.bridge.IPAddress}}', 'db')
  assert.match(inside('app', 'cat', '/etc/hosts'), new RegExp(`^${address}\tstore dbhost db$`, 'm'))
  const variables = inside('app', 'env')
  assert.match(variables, new RegExp(`^STORE_PORT_5432_TCP=tcp://${address}:5432$`, 'm'))
  assert.match(variables, /^STORE_NAME=\/app\/store$/m)
  assert.match(variables, /^STORE_ENV_PASSWORD=secret$/m)
  inside('app', 'ping', '-c', '1', '-W', '10', 'store')
  assert.equal(engine.mustDocker('inspect', '-f', '{{json .HostConfig.Links}}', 'app'), '["/db:/app/store"]')
  assert.equal(engine.mustDocker('inspect', '-f', '{{.Name}}', 'app/store'), '/db')
  assert.equal(engine.mustDocker('ps', '--no-trunc', '--filter', 'name=^/db$', '--format', '{{.Names}}'), 'db,app/store')

  engine.mustDocker('stop', 'db')
  sleeper('thief')
  engine.mustDocker('start', 'db')
  const moved = engine.mustDocker('inspect', '-f', '{{.NetworkSettings.Networks.bridge.IPAddress}}', 'db')
  assert.match(inside('app', 'cat', '/etc/hosts'), new RegExp(`^${moved}\tstore dbhost db$`, 'm'))

  engine.mustDocker('rm', '--link', 'app/store')
  assert.doesNotMatch(inside('app', 'cat', '/etc/hosts'), /store/)
  assert.equal(engine.mustDocker('inspect', '-f', '{{json .HostConfig.Links}}', 'app'), 'null')
  engine.mustDocker('stop', 'db')
  assert.match(failure('run', '--rm', '--link', 'db', 'starter', 'true'), /Cannot link to a non running container: \/db AS \/[a-z_]+\/db/)
  assert.match(
    failure('run', '--rm', '--link', 'nobody', 'starter', 'true'),
    /could not get container for nobody: No such container: nobody/,
  )
  removeAll('db', 'app', 'thief')
})

test('links on a network of the user are names of one container only', () => {
  engine.mustDocker('network', 'create', '--internal', 'linked')
  sleeper('db', '--network', 'linked')
  sleeper('app', '--network', 'linked', '--link', 'db:store')
  sleeper('other', '--network', 'linked')
  inside('app', 'ping', '-c', '1', '-W', '10', 'store')
  assert.equal(engine.docker(['exec', 'other', 'ping', '-c', '1', '-W', '10', 'store']).status, 1)
  removeAll('db', 'app', 'other')
  engine.mustDocker('network', 'rm', 'linked')
})
