/** The resolver of containers against dnsmasq and dig, on a real kernel: sockets, rules, names and servers. */
import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { readdirSync } from 'node:fs'
import { after, before, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { createNameServer, type NameServer } from '#networks'
import { unshared } from '../unshared.ts'
import {
  CLOSED,
  createDirectory,
  dig,
  endpoint,
  type Reply,
  SECOND,
  SILENT,
  startDnsmasq,
  startNamespace,
  UPSTREAM,
  values,
} from './world.ts'
import { eventually } from '../../harness/eventually.ts'

const RESOLVER = '127.0.0.11'

/** Questions whose answers must be those of dnsmasq itself, to the last word. */
const SAME_AS_UPSTREAM = [
  'v4.example.test A',
  'v4.example.test. A',
  'V4.EXAMPLE.test A',
  'v4.example.test AAAA',
  'v6.example.test AAAA',
  'v6.example.test A',
  'dual.example.test A',
  'dual.example.test AAAA',
  'dual.example.test ANY',
  'mixed.example.test A',
  'alias.example.test A',
  'alias.example.test AAAA',
  'alias.example.test CNAME',
  'chain1.example.test A',
  'chain1.example.test AAAA',
  'chain1.example.test CNAME',
  'dangling.example.test A',
  'nowhere.example.test A',
  'nowhere.example.test AAAA',
  'nowhere.example.test TXT',
  'deep.below.nowhere.example.test A',
  'txt.example.test TXT',
  'txt.example.test A',
  'multi.example.test TXT',
  'quoted.example.test TXT',
  'example.test MX',
  'v4.example.test MX',
  '_http._tcp.example.test SRV',
  '_ldap._tcp.example.test SRV',
  '_none._tcp.example.test SRV',
  '_printer._tcp.example.test PTR',
  'example.test CAA',
  'example.test NAPTR',
  'odd.example.test TYPE65280',
  'loc.example.test LOC',
  'v4.example.test HTTPS',
  '-x 192.0.2.10',
  '-x 192.0.2.99',
  '-x 2001:db8::10',
  '-x 2001:db8::99',
  'crowd.example.test A',
  'crowd.example.test A +noedns',
  'crowd.example.test A +tcp',
  'long.example.test TXT',
  'long.example.test TXT +noedns',
  'long.example.test TXT +tcp',
  'long.example.test TXT +bufsize=4096',
  'huge.example.test TXT',
  'huge.example.test TXT +tcp +noedns',
  'v4.example.test A +dnssec',
  'v4.example.test A +cdflag',
  'v4.example.test A +noedns',
  'version.bind TXT -c CH',
  'label-of-sixty-three-letters-which-is-as-long-as-a-label-can-be.example.test A',
]

unshared(import.meta.filename, () => {
  suite('resolver', () => {
    const directory = createDirectory()
    const stack = new AsyncDisposableStack()
    let servers: string[] = []
    let names: NameServer
    let pid = 0
    /** Questions that the silent server got. */
    let unanswered = 0

    const ask = (what: string): Promise<Reply> => dig(pid, RESOLVER, what)
    const start = (): NameServer => createNameServer(directory, { hostServers: () => servers, timeout: 1000 })

    before(async () => {
      ip('link set lo up')
      for (const address of [UPSTREAM, SECOND, CLOSED, SILENT]) ip(`addr add ${address}/32 dev lo`)
      ip('-6 addr add fd53::1/128 dev lo nodad')
      stack.use(await startDnsmasq(UPSTREAM))
      stack.use(await startDnsmasq(SECOND, ['--host-record=second.example.test,198.51.100.2']))
      const mute = createSocket('udp4', () => unanswered++).bind(53, SILENT)
      stack.defer(() => void mute.close())
      pid = stack.use(await startNamespace()).pid
      names = start()
      stack.defer(() => names.close())
      directory.put(
        endpoint('web1', 'front', ['web', 'Shop', 'web1'], ['10.1.0.2', 'fd01::2'], ['db:store', '/cache']),
        endpoint('web1', 'back.end', ['web', 'web1'], ['10.2.0.2']),
        endpoint('app1', 'front', ['app_1', 'app'], ['10.1.0.3', 'fd01::3']),
        endpoint('app2', 'front', ['app_2', 'app'], ['10.1.0.4', 'fd01::4']),
        endpoint('app3', 'front', ['app_3', 'app'], ['10.1.0.5']),
        endpoint('db1', 'front', ['db', 'db1'], ['10.1.0.6']),
        endpoint('cache1', 'front', ['cache', 'store'], ['10.1.0.7']),
        endpoint('six1', 'front', ['six'], ['fd01::8']),
        endpoint('dots1', 'back.end', ['a.b'], ['10.2.0.3']),
        endpoint('far1', 'elsewhere', ['far'], ['10.3.0.2']),
        endpoint('old1', 'bridge', [], ['172.17.0.2']),
        endpoint('web1', 'bridge', [], ['172.17.0.3']),
      )
      servers = [UPSTREAM]
      await names.serve({ containerId: 'web1', pid, servers: [] })
    })
    after(() => stack.disposeAsync())

    for (const what of SAME_AS_UPSTREAM) {
      test(`answers as dnsmasq does: ${what}`, async () => {
        const { ttl: _own, ...own } = await ask(what)
        const { ttl: _theirs, ...theirs } = await dig(undefined, UPSTREAM, what)
        assert.deepEqual(own, theirs)
        assert.notEqual(own.status, 'no answer')
      })
    }

    test('a long answer is cut to what the client takes, and whole by TCP', async () => {
      for (const [size, most] of [
        ['+noedns', 2],
        ['+bufsize=1000', 4],
        ['+bufsize=2000', 9],
      ] as const) {
        const { flags, answers } = await ask(`long.example.test TXT ${size} +ignore`)
        assert.match(flags, /tc/)
        assert.ok(answers.length <= most && answers.length > 0, `${answers.length} records with ${size}`)
      }
      assert.equal((await ask('long.example.test TXT +noedns')).answers.length, 12)
    })

    suite('names of containers', () => {
      test('by container name, alias, host name; upper and lower case, dot at the end', async () => {
        for (const name of ['web', 'web.', 'WEB', 'shop', 'web1', 'Web.Front', 'web.front.']) {
          const reply = await ask(`${name} A`)
          assert.deepEqual([reply.status, values(reply)], ['NOERROR', ['10.1.0.2']], name)
        }
        assert.deepEqual(values(await ask('web AAAA')), ['fd01::2'])
        assert.match((await ask('sHoP A')).answers[0] ?? '', /^sHoP\. IN A 10\.1\.0\.2$/i)
      })

      test('times to live are those of Docker', async () => {
        assert.equal((await ask('web A')).ttl, 600)
        assert.equal((await ask('-x 10.1.0.2')).ttl, 600)
      })

      test('with the name of the network, which may have dots', async () => {
        assert.deepEqual(values(await ask('web.back.end A')), ['10.2.0.2'])
        assert.deepEqual(values(await ask('a.b A')), ['10.2.0.3'])
        assert.deepEqual(values(await ask('a.b.back.end A')), ['10.2.0.3'])
        assert.equal((await ask('db.back.end A')).answers.length, 0)
      })

      test('an alias of several containers gives all of them, in changing order', async () => {
        const first = new Set<string>()
        for (let round = 0; round < 100 && first.size < 3; round++) {
          first.add(await firstAddress(pid, 'app'))
        }
        assert.deepEqual([...first].toSorted(), ['10.1.0.3', '10.1.0.4', '10.1.0.5'])
        assert.deepEqual(values(await ask('app AAAA')), ['fd01::3', 'fd01::4'])
      })

      test('a name without addresses of a family has none', async () => {
        for (const what of ['db AAAA', 'six A', 'db TXT', 'db MX', 'db HTTPS']) {
          const { status, answers } = await ask(what)
          assert.deepEqual([status, answers], ['NOERROR', []], what)
        }
        assert.deepEqual(values(await ask('web ANY')), ['10.1.0.2', 'fd01::2'])
      })

      test('links come before names', async () => {
        assert.deepEqual(values(await ask('store A')), ['10.1.0.6'])
        assert.deepEqual(values(await ask('cache A')), ['10.1.0.7'])
      })

      test('reverse, both families', async () => {
        assert.deepEqual(values(await ask('-x 10.1.0.2')), ['web.front.'])
        assert.deepEqual(values(await ask('-x 10.2.0.3')), ['a.b.back.end.'])
        assert.deepEqual(values(await ask('-x fd01::4')), ['app_2.front.'])
      })

      test('not of other networks, and not of the default bridge', async () => {
        for (const what of ['far A', 'old1 A', '-x 10.3.0.2', '-x 172.17.0.2', 'far.elsewhere A']) {
          assert.equal((await ask(what)).answers.length, 0, what)
        }
      })

      test('come and go with the endpoints', async () => {
        directory.put(endpoint('new1', 'front', ['newcomer'], ['10.1.0.9']))
        assert.deepEqual(values(await ask('newcomer A')), ['10.1.0.9'])
        directory.remove('new1', 'front')
        assert.equal((await ask('newcomer A')).answers.length, 0)
        assert.equal((await ask('-x 10.1.0.9')).status, 'NXDOMAIN')
      })

      test('search domains lead to servers, single names do not', async () => {
        assert.deepEqual(values(await ask('v4 A +search +domain=example.test')), ['192.0.2.10'])
        assert.deepEqual(values(await ask('web A +search +domain=front')), ['10.1.0.2'])
      })

      test('many with long names are cut for UDP and whole by TCP', async () => {
        const crowd = Array.from({ length: 60 }, (_, index) =>
          endpoint(`m${index}`, 'front', [`m${index}`, 'crowd'], [`10.1.1.${index + 1}`]),
        )
        directory.put(...crowd)
        const short = await ask('crowd A +noedns +ignore')
        assert.match(short.flags, /tc/)
        assert.ok(short.answers.length >= 10)
        assert.equal((await ask('crowd A +noedns')).answers.length, 60)
        for (const { containerId } of crowd) directory.remove(containerId, 'front')
      })
    })

    suite('servers', () => {
      test('the next one is asked when one is closed, silent or failing', async () => {
        servers = [CLOSED, UPSTREAM]
        assert.equal((await ask('next1.example.test A')).status, 'NXDOMAIN')
        servers = [SILENT, SECOND]
        assert.deepEqual(values(await ask('second.example.test A')), ['198.51.100.2'])
        const before = unanswered
        assert.ok(before > 0)
        assert.equal((await ask('next2.example.test A')).status, 'NXDOMAIN')
        assert.equal(unanswered, before, 'a silent server is not waited for again')
        servers = [UPSTREAM]
      })

      test('may have IPv6 addresses', async () => {
        await using _ = await startDnsmasq('fd53::1')
        servers = ['fd53::1']
        assert.deepEqual(values(await ask('v6.example.test AAAA +dnssec')), ['2001:db8::10'])
        assert.equal((await ask('huge.example.test TXT +tcp')).answers.length, 40)
        servers = [UPSTREAM]
      })

      test('without any the question fails', async () => {
        for (const none of [[], [CLOSED], [SILENT]]) {
          servers = none
          assert.equal((await ask('v4.none.test A +tries=1 +time=20')).status, 'SERVFAIL', String(none))
        }
        servers = [UPSTREAM]
      })

      test('are asked once while the answer lives', async () => {
        const server = await startDnsmasq('127.0.0.77', ['--host-record=kept.example.test,192.0.2.14,300'])
        servers = ['127.0.0.77']
        assert.deepEqual(values(await ask('kept.example.test A')), ['192.0.2.14'])
        assert.deepEqual(values(await ask('short.example.test A')), ['192.0.2.13'])
        await server[Symbol.asyncDispose]()
        await sleep(2100)
        const kept = await ask('KEPT.example.test A')
        assert.deepEqual(values(kept), ['192.0.2.14'])
        assert.ok(kept.ttl <= 298 && kept.ttl > 280, String(kept.ttl))
        assert.equal((await ask('short.example.test A')).status, 'SERVFAIL', 'two seconds are over')
        assert.equal((await ask('kept.example.test AAAA')).status, 'SERVFAIL')
        servers = [UPSTREAM]
      })

      test('of a container with internal networks only are not asked', async () => {
        await using inside = await startNamespace()
        directory.internal.add('id-of-closed')
        directory.put(endpoint('in1', 'closed', ['in1'], ['10.9.0.2']))
        await names.serve({ containerId: 'in1', pid: inside.pid, servers: [] })
        assert.equal((await dig(inside.pid, RESOLVER, 'v4.example.test A')).status, 'SERVFAIL')
        assert.deepEqual(values(await dig(inside.pid, RESOLVER, 'in1 A')), ['10.9.0.2'])
        await names.stop('in1')
      })

      test('that the user names are asked from inside the container', async () => {
        await using inside = await startNamespace()
        await using _ = await startDnsmasq('127.0.0.1', ['--host-record=own.example.test,203.0.113.1'], inside.pid)
        directory.put(endpoint('own1', 'front', ['own1'], ['10.1.0.20']))
        await names.serve({ containerId: 'own1', pid: inside.pid, servers: ['127.0.0.11', '127.0.0.1'] })
        assert.deepEqual(values(await dig(inside.pid, RESOLVER, 'own.example.test A')), ['203.0.113.1'])
        assert.equal((await dig(inside.pid, RESOLVER, 'long.example.test TXT +tcp')).answers.length, 12)
        assert.equal((await dig(inside.pid, RESOLVER, 'huge.example.test TXT')).answers.length, 40)
        await names.stop('own1')
      })
    })

    suite('sockets', () => {
      test("a server of the container's own has port 53 of all addresses", async () => {
        await using inside = await startNamespace()
        directory.put(endpoint('dns1', 'front', ['dns1'], ['10.1.0.30']))
        await names.serve({ containerId: 'dns1', pid: inside.pid, servers: [] })
        await using _ = await startDnsmasq('0.0.0.0', ['--host-record=mine.example.test,203.0.113.2'], inside.pid)
        assert.deepEqual(values(await dig(inside.pid, '127.0.0.1', 'mine.example.test A')), ['203.0.113.2'])
        assert.deepEqual(values(await dig(inside.pid, '127.0.0.1', 'mine.example.test A +tcp')), ['203.0.113.2'])
        assert.deepEqual(values(await dig(inside.pid, RESOLVER, 'web A +tcp')), ['10.1.0.2'])
        assert.equal((await dig(inside.pid, RESOLVER, 'mine.example.test A')).status, 'NXDOMAIN')
        await names.stop('dns1')
      })

      test('several questions on one connection', async () => {
        const { status } = await ask('web A +tcp +keepopen db A +tcp +keepopen v4.example.test A +tcp +keepopen')
        assert.equal(status, 'NOERROR')
      })

      test('the next daemon has the same ports, and questions meanwhile are answered at the second try', async () => {
        await using inside = await startNamespace()
        directory.put(endpoint('long1', 'front', ['long1'], ['10.1.0.40']))
        const first = start()
        const ports = await first.serve({ containerId: 'long1', pid: inside.pid, servers: [] })
        await first.close()
        const rules = execFileSync('nsenter', ['-t', String(inside.pid), '-n', 'nft', 'list', 'ruleset'], { encoding: 'utf8' })
        const udp = dig(inside.pid, RESOLVER, 'web A +tries=20 +time=1')
        const tcp = dig(inside.pid, RESOLVER, 'web A +tcp +tries=1 +time=20')
        await sleep(300)
        await using second = { names: start(), [Symbol.asyncDispose]: () => second.names.close() }
        assert.deepEqual(await second.names.serve({ containerId: 'long1', pid: inside.pid, servers: [], ports }), ports)
        assert.deepEqual(values(await udp), ['10.1.0.2'])
        assert.deepEqual(values(await tcp), ['10.1.0.2'])
        assert.equal(execFileSync('nsenter', ['-t', String(inside.pid), '-n', 'nft', 'list', 'ruleset'], { encoding: 'utf8' }), rules)
      })

      test('a port that was taken meanwhile is another, and the rules follow', async () => {
        await using inside = await startNamespace()
        directory.put(endpoint('moved1', 'front', ['moved1'], ['10.1.0.41']))
        const first = start()
        const ports = await first.serve({ containerId: 'moved1', pid: inside.pid, servers: [] })
        const second = start()
        const others = await second.serve({ containerId: 'moved1', pid: inside.pid, servers: [], ports })
        assert.notEqual(others.udp, ports.udp)
        await first.close()
        assert.deepEqual(values(await dig(inside.pid, RESOLVER, 'web A')), ['10.1.0.2'])
        assert.deepEqual(values(await dig(inside.pid, RESOLVER, 'web A +tcp')), ['10.1.0.2'])
        await second.close()
      })

      test('200 lives leave no descriptor, and cost the daemon little', async () => {
        await using inside = await startNamespace()
        await using warm = await startNamespace()
        await names.serve({ containerId: 'warm', pid: warm.pid, servers: [] })
        await names.stop('warm')
        const descriptors = readdirSync('/proc/self/fd').length
        const ports = await names.serve({ containerId: 'life', pid: inside.pid, servers: [] })
        // Not the clock: other tests run at the same time.
        const before = process.cpuUsage()
        for (let life = 0; life < 200; life++) {
          await names.stop('life')
          await sleep(0)
          await names.serve({ containerId: 'life', pid: inside.pid, servers: [], ports })
        }
        const { user, system } = process.cpuUsage(before)
        process.stdout.write(`a life: ${((user + system) / 200).toFixed()} µs of processor time\n`)
        assert.ok((user + system) / 200 < 10_000, 'an order of magnitude over the budget')
        await names.stop('life')
        await eventually(() => assert.ok(readdirSync('/proc/self/fd').length <= descriptors))
      })
    })
  })
})

async function firstAddress(pid: number, name: string): Promise<string> {
  const { stdout } = await promisify(execFile)('nsenter', ['-t', String(pid), '-n', 'dig', `@${RESOLVER}`, '+short', name])
  return stdout.split('\n')[0] ?? ''
}

function ip(command: string): void {
  execFileSync('ip', command.split(' '))
}
