/** Published ports from another host, by the host's own address and by 127.0.0.1; two test hosts joined by a link. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { after, before, test } from 'node:test'
import { Engine, eventually, TestHost } from '../../harness/index.ts'

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

/** Perl programs for what Debian's busybox has no applet for; a container runs them with the host's /usr and /lib mounted. */
const PERL = ['-v', '/usr:/usr:ro', '-v', '/lib:/lib:ro', '-v', '/lib64:/lib64:ro', 'starter', 'perl', '-MIO::Socket::INET', '-e']
const TELL_PEER =
  '$s = IO::Socket::INET->new(LocalPort => 80, Listen => 5); while ($c = $s->accept) { print $c $c->peerhost, "\\n"; close $c }'
const ECHO_UDP = '$s = IO::Socket::INET->new(LocalPort => 9000, Proto => "udp"); while ($s->recv($data, 999)) { $s->send($data) }'
const SECRET =
  '$s = IO::Socket::INET->new(LocalAddr => "127.0.0.1:8099", Listen => 5); while ($c = $s->accept) { print $c "secret\\n"; close $c }'

/** A request without wget, which crashes in Debian's busybox-static when it has a time limit. Prints the last line of the answer. */
function get(address: string, port: number): string[] {
  return ['sh', '-c', `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 10 ${address} ${port} | tail -1`]
}

/** What a web server at `url`, which may still be starting, answers to a client on `host`. */
async function fetchFrom(host: TestHost, url: string): Promise<string> {
  return await eventually(() => host.must(['curl', '-fsS', '-m', '10', url]).trim())
}

/** Nobody answers a client on `host`, be it that he is refused or that he hears nothing. Of a server that has answered others. */
function assertNoAnswer(host: TestHost, url: string): void {
  const { status, stdout } = host.run(['curl', '-fsS', '-m', '1', url])
  assert.notEqual(status, 0, stdout)
}

test('-p answers from another host, by the own address and by localhost', async () => {
  serve('plain', '-p', '8080:80')
  assert.equal(await fetchFrom(outside, 'http://192.0.2.1:8080/'), 'plain')
  assert.equal(await fetchFrom(engine.host, 'http://192.0.2.1:8080/'), 'plain')
  assert.equal(await fetchFrom(engine.host, 'http://127.0.0.1:8080/'), 'plain')
  assert.equal(engine.mustDocker('port', 'plain', '80/tcp').split('\n')[0], '0.0.0.0:8080')
  engine.mustDocker('rm', '-f', 'plain')
  assertNoAnswer(engine.host, 'http://127.0.0.1:8080/')
})

test('a published port keeps the address of the client', async () => {
  engine.mustDocker('run', '-d', '--name', 'peer', '-p', '8085:80', ...PERL, TELL_PEER)
  await eventually(() => assert.match(outside.run(['busybox', 'nc', '192.0.2.1', '8085']).stdout, /^192\.0\.2\.2$/m))
  engine.mustDocker('rm', '-f', 'peer')
})

test('-p ADDRESS:… answers at that address only', async () => {
  serve('local', '-p', '127.0.0.1:8081:80')
  assert.equal(await fetchFrom(engine.host, 'http://127.0.0.1:8081/'), 'local')
  assertNoAnswer(outside, 'http://192.0.2.1:8081/')
  engine.mustDocker('rm', '-f', 'local')
})

test('a port of localhost cannot be reached from outside by a forged destination', async () => {
  serve('local', '-p', '127.0.0.1:8082:80')
  outside.must(['ip', 'route', 'add', '127.0.0.0/8', 'via', '192.0.2.1', 'dev', 'uplink', 'table', '99'])
  outside.run(['ip', 'rule', 'add', 'pref', '0', 'to', '127.0.0.1/32', 'dport', '8082', 'table', '99'])
  assert.equal(await fetchFrom(engine.host, 'http://127.0.0.1:8082/'), 'local')
  assertNoAnswer(outside, 'http://127.0.0.1:8082/')
  engine.mustDocker('rm', '-f', 'local')
})

test('an unpublished port cannot be reached from another host that has a route to the containers', async () => {
  serve('hidden')
  const address = engine.mustDocker('inspect', '-f', '{{.NetworkSettings.Networks.bridge.IPAddress}}', 'hidden')
  outside.must(['ip', 'route', 'add', '172.16.0.0/12', 'via', '192.0.2.1'])
  assert.equal(await fetchFrom(engine.host, `http://${address}/`), 'hidden')
  assertNoAnswer(outside, `http://${address}/`)
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

test('a range of 1,000 ports is held, answers at both ends in both families, and is given back', async () => {
  engine.mustDocker('network', 'create', '--ipv6', 'dual')
  engine.host.must(['ip', 'addr', 'add', '2001:db8::1/64', 'dev', 'uplink', 'nodad'])
  serve('thousand', '--network', 'dual', '-p', '20000-20999:80-1079')
  assert.equal(await fetchFrom(outside, 'http://192.0.2.1:20000/'), 'thousand')
  assert.equal(await fetchFrom(engine.host, 'http://[2001:db8::1]:20000/'), 'thousand')
  assert.deepEqual(engine.mustDocker('port', 'thousand', '1079').trim().split('\n'), ['0.0.0.0:20999', '[::]:20999'])
  const { stderr } = engine.docker(['run', '--rm', '-p', '20999:80', 'starter', 'true'])
  assert.match(stderr, /Bind for 0\.0\.0\.0:20999 failed: port is already allocated/)
  engine.mustDocker('rm', '-f', 'thousand')
  engine.mustDocker('run', '--rm', '-p', '20999:80', 'starter', 'true')
  engine.mustDocker('network', 'rm', 'dual')
})

test('udp ports answer, from outside and from the host', async () => {
  engine.mustDocker(...['run', '-d', '--name', 'echo', '-p', '9000:9000/udp'], ...PERL, ECHO_UDP)
  for (const [host, address] of [
    [outside, '192.0.2.1'],
    [engine.host, '127.0.0.1'],
  ] as const) {
    // The program may not listen yet; a refused datagram is not sent again by itself.
    const command = ['bash', '-c', `exec 3<>/dev/udp/${address}/9000; echo ping >&3; timeout 1 head -1 <&3`]
    await eventually(() => assert.equal(host.run(command).stdout, 'ping\n', address))
  }
  engine.mustDocker('rm', '-f', 'echo')
})

test('containers reach the world through the host, and each other by address', async () => {
  engine.mustDocker('run', '-d', '--name', 'target', 'starter', ...SERVER)
  const address = engine.mustDocker('inspect', '-f', '{{.NetworkSettings.Networks.bridge.IPAddress}}', 'target')
  assert.equal(engine.docker(['run', '--rm', 'starter', 'ping', '-c', '1', '-W', '10', '192.0.2.2']).status, 0)
  await fetchFrom(engine.host, `http://${address}/`)
  assert.equal(engine.mustDocker('run', '--rm', 'starter', ...get(address, 80)), engine.mustDocker('exec', 'target', 'hostname'))
  engine.mustDocker('rm', '-f', 'target')
})

test('a container reaches a published port by the host address, its own included', async () => {
  serve('web', '-p', '8086:80')
  await fetchFrom(engine.host, 'http://192.0.2.1:8086/')
  assert.equal(engine.mustDocker('run', '--rm', 'starter', ...get('192.0.2.1', 8086)), 'web')
  assert.equal(engine.mustDocker('exec', 'web', ...get('192.0.2.1', 8086)), 'web')
  engine.mustDocker('rm', '-f', 'web')
})

test('a container cannot reach services that listen on the loopback of the host', async () => {
  const [program = '', ...args] = engine.host.wrap(['perl', '-MIO::Socket::INET', '-e', SECRET])
  const server = spawn(program, args, { stdio: 'ignore' })
  await eventually(() => assert.match(engine.host.run(['busybox', 'nc', '-w', '3', '127.0.0.1', '8099']).stdout, /secret/))
  // The container takes its own loopback away and sends 127.0.0.1 to the host as its gateway.
  const attack =
    'sysctl -qw net.ipv4.conf.eth0.route_localnet=1; ip addr del 127.0.0.1/8 dev lo; ip route add 127.0.0.1/32 via $gate; nc -w 1 127.0.0.1 8099'
  const script = `gate=$(ip route | awk '/default/ { print $3 }'); ${attack}`
  const attempt = engine.docker(['run', '--rm', '--privileged', 'starter', 'sh', '-c', script])
  server.kill('SIGKILL')
  assert.doesNotMatch(attempt.stdout, /secret/)
  assert.notEqual(attempt.status, 0)
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
