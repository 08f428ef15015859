/** Published ports from another host, by the host's own address and by 127.0.0.1; two test hosts joined by a link. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Engine, TestHost } from '../../harness/index.ts'

let engine: Engine
let outside: TestHost

before(async () => {
  engine = await Engine.start()
  engine.loadStarter()
  outside = await TestHost.create()
  engine.host.connect(outside, 'uplink', '192.0.2.1/24', '192.0.2.2/24')
})

after(async () => {
  engine.host.must(['ip', 'link', 'delete', 'uplink'])
  await outside[Symbol.asyncDispose]()
  await engine[Symbol.asyncDispose]()
})

const SERVER = ['sh', '-c', 'hostname > /var/www/index.html; exec httpd -f -h /var/www']

function serve(name: string, ...flags: string[]): void {
  engine.mustDocker('run', '-d', '--name', name, '--hostname', name, ...flags, 'starter', ...SERVER)
}

/** What a web server at `url` answers to a client on `host`; undefined when it does not within two seconds. */
async function fetchFrom(host: TestHost, url: string): Promise<string | undefined> {
  for (let attempt = 0; attempt < 10; attempt++) {
    const result = host.run(['curl', '-fsS', '-m', '2', url])
    if (result.status === 0) return result.stdout.trim()
    if (result.status === 28) return undefined
    await sleep(50)
  }
  return undefined
}

test('-p answers from another host, by the own address and by localhost', async () => {
  serve('plain', '-p', '8080:80')
  assert.equal(await fetchFrom(outside, 'http://192.0.2.1:8080/'), 'plain')
  assert.equal(await fetchFrom(engine.host, 'http://192.0.2.1:8080/'), 'plain')
  assert.equal(await fetchFrom(engine.host, 'http://127.0.0.1:8080/'), 'plain')
  assert.equal(engine.mustDocker('port', 'plain', '80/tcp').split('\n')[0], '0.0.0.0:8080')
  engine.mustDocker('rm', '-f', 'plain')
  assert.equal(await fetchFrom(engine.host, 'http://127.0.0.1:8080/'), undefined)
})

test('a published port keeps the address of the client', async () => {
  engine.mustDocker('run', '-d', '--name', 'peer', '-p', '8085:80', 'starter', 'sh', '-c', 'nc -l -p 80 -v 2>&1 | head -c 200; sleep 100')
  await sleep(200)
  outside.run(['busybox', 'nc', '-w', '1', '192.0.2.1', '8085'], { input: 'x\n' })
  await sleep(300)
  assert.match(engine.docker(['logs', 'peer']).stdout, /192\.0\.2\.2/)
  engine.mustDocker('rm', '-f', 'peer')
})

test('-p ADDRESS:… answers at that address only', async () => {
  serve('local', '-p', '127.0.0.1:8081:80')
  assert.equal(await fetchFrom(engine.host, 'http://127.0.0.1:8081/'), 'local')
  assert.equal(await fetchFrom(outside, 'http://192.0.2.1:8081/'), undefined)
  engine.mustDocker('rm', '-f', 'local')
})

test('a port of localhost cannot be reached from outside by a forged destination', async () => {
  serve('local', '-p', '127.0.0.1:8082:80')
  outside.must(['ip', 'route', 'add', '127.0.0.0/8', 'via', '192.0.2.1', 'dev', 'uplink', 'table', '99'])
  outside.run(['ip', 'rule', 'add', 'pref', '0', 'to', '127.0.0.1/32', 'dport', '8082', 'table', '99'])
  assert.equal(await fetchFrom(outside, 'http://127.0.0.1:8082/'), undefined)
  engine.mustDocker('rm', '-f', 'local')
})

test('an unpublished port cannot be reached from another host that has a route to the containers', async () => {
  serve('hidden')
  const address = engine.mustDocker('inspect', '-f', '{{.NetworkSettings.Networks.bridge.IPAddress}}', 'hidden')
  outside.must(['ip', 'route', 'add', '172.16.0.0/12', 'via', '192.0.2.1'])
  assert.equal(await fetchFrom(engine.host, `http://${address}/`), 'hidden')
  assert.equal(await fetchFrom(outside, `http://${address}/`), undefined)
  engine.mustDocker('rm', '-f', 'hidden')
})

test('-P and a bare container port get ports of the ephemeral range', async () => {
  serve('all', '-P', '--expose', '80', '-p', '81')
  const lines = engine.mustDocker('port', 'all').split('\n')
  const ports = lines.map((line) => Number(line.split(':').at(-1)))
  assert.ok(ports.length >= 2 && ports.every((port) => port >= 32768), lines.join(' '))
  const published = engine.mustDocker('port', 'all', '80').split('\n')[0]?.split(':').at(-1)
  assert.equal(await fetchFrom(outside, `http://192.0.2.1:${published}/`), 'all')
  engine.mustDocker('rm', '-f', 'all')
})

test('ranges map port by port, and a host range gives its first free port', async () => {
  serve('range', '-p', '8090-8092:80-82')
  assert.equal(engine.mustDocker('port', 'range', '82').split('\n')[0], '0.0.0.0:8092')
  assert.equal(await fetchFrom(outside, 'http://192.0.2.1:8090/'), 'range')
  serve('one', '-p', '8090-8095:80')
  assert.equal(engine.mustDocker('port', 'one', '80').split('\n')[0], '0.0.0.0:8093')
  engine.mustDocker('rm', '-f', 'range', 'one')
})

test('udp ports answer, from outside and from the host', async () => {
  engine.mustDocker(
    'run',
    '-d',
    '--name',
    'echo',
    '-p',
    '9000:9000/udp',
    'starter',
    'sh',
    '-c',
    'while :; do nc -u -l -p 9000 -w 1 -e cat; done',
  )
  await sleep(300)
  for (const [host, address] of [
    [outside, '192.0.2.1'],
    [engine.host, '127.0.0.1'],
  ] as const) {
    let text = ''
    for (let attempt = 0; attempt < 10 && text === ''; attempt++) {
      text = host.run(['busybox', 'timeout', '2', 'busybox', 'nc', '-u', '-w', '1', address, '9000'], { input: 'ping\n' }).stdout
    }
    assert.match(text, /ping/, address)
  }
  engine.mustDocker('rm', '-f', 'echo')
})

test('containers reach the world through the host, and each other by address', async () => {
  engine.mustDocker('run', '-d', '--name', 'target', 'starter', ...SERVER)
  const address = engine.mustDocker('inspect', '-f', '{{.NetworkSettings.Networks.bridge.IPAddress}}', 'target')
  assert.equal(engine.docker(['run', '--rm', 'starter', 'ping', '-c', '1', '-W', '2', '192.0.2.2']).status, 0)
  assert.equal(engine.docker(['run', '--rm', 'starter', 'wget', '-q', '-O', '-', '-T', '2', `http://${address}/`]).status, 0)
  engine.mustDocker('rm', '-f', 'target')
})

test('a container reaches a published port by the host address, its own included', async () => {
  serve('web', '-p', '8086:80')
  const other = engine.docker(['run', '--rm', 'starter', 'wget', '-q', '-O', '-', '-T', '2', 'http://192.0.2.1:8086/'])
  assert.equal(other.stdout.trim(), 'web')
  assert.equal(engine.mustDocker('exec', 'web', 'wget', '-q', '-O', '-', '-T', '2', 'http://192.0.2.1:8086/'), 'web')
  engine.mustDocker('rm', '-f', 'web')
})

test('a container cannot reach services that listen on the loopback of the host', async () => {
  const server = engine.host.run(['sh', '-c', 'cd /tmp && busybox httpd -p 127.0.0.1:8099 -h /tmp; busybox pidof busybox | cut -d" " -f1'])
  const attempt = engine.docker([
    ...['run', '--rm', '--cap-add', 'NET_ADMIN', 'starter', 'sh', '-c'],
    'ip route add 127.0.0.1/32 via $(ip route | sed -n "s/default via \\([0-9.]*\\).*/\\1/p") 2>/dev/null; sysctl -w net.ipv4.conf.eth0.route_localnet=1 2>/dev/null; ip addr del 127.0.0.1/8 dev lo; wget -q -O - -T 2 http://127.0.0.1:8099/',
  ])
  assert.notEqual(attempt.status, 0, server.stderr)
})

test('host, none and container:X networks are what they say', () => {
  assert.match(engine.mustDocker('run', '--rm', '--network', 'host', 'starter', 'ip', 'addr'), /192\.0\.2\.1/)
  const none = engine.mustDocker('run', '--rm', '--network', 'none', 'starter', 'ip', '-o', 'link')
  assert.doesNotMatch(none, /eth0/)
  assert.match(none, /lo:.*UP/)
  engine.mustDocker('run', '-d', '--name', 'base', 'starter', 'sleep', '1000')
  const address = engine.mustDocker('exec', 'base', 'hostname', '-i')
  assert.equal(engine.mustDocker('run', '--rm', '--network', 'container:base', 'starter', 'hostname', '-i'), address)
  engine.mustDocker('rm', '-f', 'base')
})

test('names, hosts and resolv.conf are written as asked', () => {
  const output = engine.mustDocker(
    ...['run', '--rm', '--hostname', 'box', '--domainname', 'example.org', '--add-host', 'db:10.1.2.3', '--add-host', 'gate:host-gateway'],
    ...['--dns', '9.9.9.9', '--dns-search', 'corp.example', '--dns-option', 'ndots:2', 'starter'],
    ...['sh', '-c', 'hostname; cat /etc/hostname /etc/hosts /etc/resolv.conf'],
  )
  assert.match(output, /^box/)
  assert.match(output, /10\.1\.2\.3\tdb/)
  assert.match(output, /172\.\d+\.0\.1\tgate/)
  assert.match(output, /box\.example\.org box/)
  assert.match(output, /nameserver 9\.9\.9\.9/)
  assert.match(output, /search corp\.example/)
  assert.match(output, /options ndots:2/)
})
