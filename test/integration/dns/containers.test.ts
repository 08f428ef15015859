/** Names as containers of the daemon see them: through its whole life, and while it is away. dig asks in the containers' own namespaces. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { after, afterEach, before, test } from 'node:test'
import { Engine, eventually } from '../../harness/index.ts'
import { dig, startDnsmasq, values } from './world.ts'

const RESOLVER = '127.0.0.11'

let engine: Engine

before(async () => {
  engine = await Engine.start()
  engine.loadStarter()
})

afterEach(() => {
  const left = engine.mustDocker('ps', '-aq').split('\n').filter(Boolean)
  if (left.length > 0) engine.mustDocker('rm', '-f', ...left)
  engine.mustDocker('network', 'prune', '-f')
})

after(() => engine[Symbol.asyncDispose]())

interface Container {
  name: string
  pid: number
  address: string
}

function run(name: string, network: string, ...flags: string[]): Container {
  engine.mustDocker('run', '-d', '--name', name, '--network', network, ...flags, 'starter', 'sleep', '600')
  const format = '{{.State.Pid}} {{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}'
  const [pid, address = ''] = engine.mustDocker('inspect', '-f', format, name).split(' ')
  return { name, pid: Number(pid), address }
}

async function resolve({ pid }: Container, what: string): Promise<string[]> {
  return values(await dig(pid, RESOLVER, what))
}

function descriptors(): number {
  return readdirSync(`/proc/${engine.pid}/fd`).length
}

test('a read-only container without capabilities has names, by its own client too', async () => {
  engine.mustDocker('network', 'create', 'names')
  const db = run('db', 'names')
  const web = run('web', 'names', '--read-only', '--cap-drop', 'ALL', '--user', '1000')
  assert.deepEqual(await resolve(web, 'db A'), [db.address])
  assert.match(engine.mustDocker('exec', 'web', 'nslookup', 'db'), new RegExp(`Address.*${db.address.replaceAll('.', String.raw`\.`)}`))
  assert.deepEqual(await resolve(web, `-x ${db.address}`), ['db.names.'])
})

test('containers of a shared alias take turns; those that join share the resolver of the first', async () => {
  engine.mustDocker('network', 'create', 'turns')
  const apps = ['app1', 'app2', 'app3'].map((name) => run(name, 'turns', '--network-alias', 'app'))
  const client = run('client', 'turns')
  assert.deepEqual(await resolve(client, 'app A'), apps.map(({ address }) => address).toSorted())
  engine.mustDocker('rm', '-f', 'app2')
  assert.equal((await resolve(client, 'app A')).length, 2)
  const before = descriptors()
  engine.mustDocker('run', '-d', '--name', 'side', '--network', 'container:client', 'starter', 'sleep', '600')
  assert.match(engine.mustDocker('exec', 'side', 'nslookup', 'app1'), /Address/)
  await eventually(() => assert.ok(descriptors() <= before + 4, 'the monitor is talked to, no sockets are opened'))
})

test('names come and go with connect and disconnect', async () => {
  engine.mustDocker('network', 'create', 'one')
  engine.mustDocker('network', 'create', 'two')
  const web = run('web', 'one')
  run('db', 'two')
  assert.equal((await dig(web.pid, RESOLVER, 'db A +tries=1')).answers.length, 0)
  engine.mustDocker('network', 'connect', '--alias', 'store', 'two', 'web')
  assert.equal((await resolve(web, 'db A')).length, 1)
  assert.equal((await resolve(web, 'store A')).length, 1)
  engine.mustDocker('network', 'disconnect', 'two', 'web')
  assert.equal((await dig(web.pid, RESOLVER, 'db A +tries=1')).answers.length, 0)
})

test('a server of the user is a neighbour on the network; search list and options are in resolv.conf', async () => {
  engine.mustDocker('network', 'create', '--internal', 'private')
  const server = run('server', 'private')
  await using _ = await startDnsmasq('0.0.0.0', ['--host-record=own.example.test,203.0.113.9'], server.pid)
  const web = run('web', 'private', '--dns', server.address, '--dns-search', 'example.test', '--dns-option', 'timeout:2')
  assert.deepEqual(await resolve(web, 'own.example.test A'), ['203.0.113.9'])
  assert.deepEqual(await resolve(web, 'server A'), [server.address])
  assert.equal((await dig(web.pid, RESOLVER, 'long.example.test TXT')).answers.length, 12)
  const file = engine.mustDocker('exec', 'web', 'cat', '/etc/resolv.conf')
  for (const line of ['nameserver 127.0.0.11', 'search example.test', 'options timeout:2 ndots:0', `# ExtServers: [${server.address}]`]) {
    assert.ok(file.split('\n').includes(line), `${line} in\n${file}`)
  }
})

test('a question while the daemon is killed and started again is answered at the next try', async () => {
  engine.mustDocker('network', 'create', 'lasting')
  const db = run('db', 'lasting')
  const web = run('web', 'lasting')
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    await engine.stopDaemon(signal)
    const udp = dig(web.pid, RESOLVER, 'db A +tries=20 +time=1')
    const tcp = dig(web.pid, RESOLVER, 'db A +tcp +tries=1 +time=20')
    await engine.startDaemon()
    assert.deepEqual(values(await udp), [db.address], signal)
    assert.deepEqual(values(await tcp), [db.address], signal)
  }
})

test('the default bridge has no resolver; sockets end with their containers', async () => {
  engine.mustDocker('network', 'create', 'short')
  const plain = run('plain', 'bridge')
  assert.equal(engine.host.run(['nsenter', '-t', String(plain.pid), '-n', 'nft', 'list', 'ruleset']).stdout, '')
  const before = await eventually(async () => {
    const [one, other] = [descriptors(), await new Promise<number>((done) => setTimeout(() => done(descriptors()), 200))]
    assert.equal(one, other, 'what was opened before is closed')
    return one
  })
  for (let index = 0; index < 5; index++) run(`c${index}`, 'short')
  assert.ok(descriptors() >= before + 10)
  engine.mustDocker('rm', '-f', ...Array.from({ length: 5 }, (_, index) => `c${index}`))
  await eventually(() => assert.ok(descriptors() <= before + 2, `${descriptors()} descriptors, ${before} before`))
})
