/** Addresses, ports, links and rules over the lives of containers and daemons, on a real kernel. */
import assert from 'node:assert/strict'
import { readdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { afterEach, beforeEach, suite, test } from 'node:test'
import { openNftables, openRouteNetlink } from '#kernel'
import { unshared } from '../unshared.ts'
import { HOST_ADDRESS, publish, run, startAgent, startClient, startContainer, startDaemon } from './topology.ts'
import { eventually } from '../../harness/eventually.ts'

unshared(import.meta.filename, () => {
  suite('network service', () => {
    beforeEach(() => {
      run('ip link set lo up')
      writeFileSync('/proc/sys/net/ipv4/ip_forward', '1')
    })
    afterEach(async () => {
      await linksGone()
      run('nft flush ruleset')
      if (linkNames().includes('gantry0')) run('ip link del gantry0')
    })

    test('published ports outlive the daemon, and the next one keeps them', async () => {
      await using client = await startClient()
      const first = await startDaemon()
      await using web = await startContainer(first, 'web', [publish('8080', 80)])
      await web.listen('tcp', 80)
      const endpoints = first.networks.endpoints(first.networks.get('bridge').id)
      first[Symbol.dispose]()
      assert.equal(await client.ask('tcp', HOST_ADDRESS, 8080), '192.0.2.2 hello')
      run('nft flush ruleset')
      using second = await startDaemon({}, first.metadata, ['web'])
      assert.equal(await client.ask('tcp', HOST_ADDRESS, 8080), '192.0.2.2 hello')
      assert.deepEqual(second.networks.endpoints(second.networks.get('bridge').id), endpoints)
      await assert.rejects(
        startContainer(second, 'late', [publish('8080', 80)]),
        /Bind for 0\.0\.0\.0:8080 failed: port is already allocated/,
      )
    })

    test('a daemon forgets containers that ended while it was away', async () => {
      const first = await startDaemon()
      await (await startContainer(first, 'web', [publish('8080', 80)]))[Symbol.asyncDispose]()
      first[Symbol.dispose]()
      using second = await startDaemon({}, first.metadata, [])
      assert.deepEqual(second.networks.endpoints(second.networks.get('bridge').id), [])
      assert.deepEqual(publishedElements(), [])
      await using again = await startContainer(second, 'again', [publish('8080', 80)])
      assert.equal(again.address, '172.17.0.2')
    })

    test('an address is not given out again while an interface has it', async () => {
      using daemon = await startDaemon({ bip: '10.9.0.1/29' })
      await using held = await startContainer(daemon, 'held')
      assert.equal(held.address, '10.9.0.2')
      await daemon.networks.release('held')
      const addresses: string[] = []
      for (let round = 0; round < 8; round++) {
        await using container = await startContainer(daemon, `c${round}`)
        addresses.push(container.address)
        await daemon.networks.release(container.id)
        await container[Symbol.asyncDispose]()
        await linksGone(1)
      }
      assert.deepEqual(
        addresses,
        ['3', '4', '5', '6', '3', '4', '5', '6'].map((last) => `10.9.0.${last}`),
      )
    })

    test('restore deletes links that belong to nobody', async () => {
      const first = await startDaemon()
      await using stray = await startContainer(first, 'stray')
      const record = first.metadata.repository('endpoints').all()[0]
      first.metadata.repository('endpoints').delete(record?.key ?? '')
      first[Symbol.dispose]()
      using second = await startDaemon({}, first.metadata, [])
      assert.deepEqual(
        linkNames().filter((name) => name.startsWith('veth')),
        [],
      )
      assert.equal(stray.run('ip -o link').includes('eth0'), false)
      first[Symbol.dispose]()
      second[Symbol.dispose]()
    })

    test('rules of others stay as they are', async () => {
      run('nft add table ip user')
      run('nft add chain ip user forward { type filter hook forward priority 0 ; policy accept ; }')
      run('nft add rule ip user forward tcp dport 25 drop')
      const before = run('nft list table ip user')
      using daemon = await startDaemon()
      await using _ = await startContainer(daemon, 'web', [publish('8080', 80)])
      await daemon.networks.release('web')
      assert.equal(run('nft list table ip user'), before)
    })

    test('nobody can flush the table while the daemon lives, nor change it', async () => {
      await using client = await startClient()
      using daemon = await startDaemon()
      await using one = await startContainer(daemon, 'one', [publish('8001', 80)])
      await one.listen('tcp', 80)
      run('nft flush ruleset')
      assert.equal(await client.ask('tcp', HOST_ADDRESS, 8001), '192.0.2.2 hello')
      assert.throws(() => run('nft delete table ip gantry'), /Operation not permitted/)
    })

    test('attach makes the table anew when somebody flushed one that has no owner', async () => {
      await using client = await startClient()
      using daemon = await startDaemon()
      await using one = await startContainer(daemon, 'one', [publish('8001', 80)])
      await one.listen('tcp', 80)
      daemon.disown()
      run('nft flush ruleset')
      await using two = await startContainer(daemon, 'two', [publish('8002', 80)])
      await two.listen('tcp', 80)
      for (const port of [8001, 8002]) assert.equal(await client.ask('tcp', HOST_ADDRESS, port), '192.0.2.2 hello')
      daemon.disown()
      run('nft flush ruleset')
      await daemon.networks.release('one')
      assert.deepEqual(publishedElements().length, 1)
    })

    test('a client that was there first reaches a published UDP port by the same source port', async () => {
      await using client = await startClient()
      using daemon = await startDaemon()
      assert.equal(await client.askInVain('udp', HOST_ADDRESS, 8053, 5353), 'no answer')
      await using dns = await startContainer(daemon, 'dns', [publish('8053', 53, 'udp')])
      await dns.listen('udp', 53)
      assert.equal(await client.ask('udp', HOST_ADDRESS, 8053, 5353), '192.0.2.2 hello')
      await daemon.networks.release('dns')
      await using next = await startContainer(daemon, 'next', [publish('8053', 53, 'udp')])
      await next.listen('udp', 53)
      assert.equal(await client.ask('udp', HOST_ADDRESS, 8053, 5353), '192.0.2.2 hello')
    })

    test('no rule is made with the firewall off', async () => {
      using daemon = await startDaemon({ firewall: false })
      await using _ = await startContainer(daemon, 'web', [publish('8080', 80)])
      await daemon.networks.release('web')
      assert.equal(run('nft list ruleset'), '')
    })

    test('with icc off containers do not reach each other, only what is published', async () => {
      for (const filter of ['0', '1']) {
        writeFileSync('/proc/sys/net/bridge/bridge-nf-call-iptables', filter)
        await using client = await startClient()
        using daemon = await startDaemon({ icc: false })
        await using web = await startContainer(daemon, `web${filter}`, [publish('8080', 80)])
        await using other = await startContainer(daemon, `other${filter}`)
        await web.listen('tcp', 80)
        await web.listen('tcp', 81)
        assert.match(await other.askInVain('tcp', web.address, 81), /no answer|EHOSTUNREACH/)
        assert.equal(await client.ask('tcp', HOST_ADDRESS, 8080), '192.0.2.2 hello')
        assert.equal(await other.ask('tcp', HOST_ADDRESS, 8080), '172.17.0.1 hello')
        await daemon.networks.release(web.id)
      }
    })

    test('a subnet is chosen that no route of the host needs', async () => {
      run('ip link add vpn type bridge')
      run('ip link set vpn up')
      run('ip route add 172.17.5.0/24 dev vpn')
      run('ip route add 172.18.0.0/15 dev vpn')
      using daemon = await startDaemon()
      assert.equal(daemon.networks.get('bridge').ipam.config[0]?.subnet, '172.20.0.0/16')
      run('ip link del vpn')
    })

    test('an occupied port is refused with the story, and nothing is kept', async () => {
      using daemon = await startDaemon()
      const server = createServer().listen(8080, '127.0.0.1')
      await new Promise((resolve) => server.once('listening', resolve))
      await assert.rejects(
        startContainer(daemon, 'web', [publish('8081', 81), publish('8080', 80)]),
        /^EngineError: driver failed programming external connectivity on endpoint web \([0-9a-f]{64}\): failed to bind host port 0\.0\.0\.0:8080\/tcp: address already in use$/,
      )
      await assert.rejects(startContainer(daemon, 'web', [publish('8080', 80, 'tcp', '203.0.113.77')]), /cannot assign requested address/)
      server.close()
      assert.deepEqual(publishedElements(), [])
      assert.deepEqual(daemon.metadata.repository('endpoints').all(), [])
      await using _ = await startContainer(daemon, 'web', [publish('8081', 81), publish('8080', 80)])
    })

    test('none has nothing but lo, host has no plan', async () => {
      using daemon = await startDaemon()
      await using alone = await startContainer(daemon, 'alone', [], 'none')
      assert.equal(alone.run('ip -br link').trim().split('\n').length, 1)
      assert.match(alone.run('ip -br addr'), /^lo +UNKNOWN +127\.0\.0\.1\/8/)
      const { plan } = await daemon.networks.attach({
        containerId: 'h',
        containerName: 'h',
        hostname: 'h',
        networks: { host: {} },
        ports: [],
      })
      assert.deepEqual(plan, { mode: 'host' })
    })

    test('a container has its address, MAC, route and no IPv6', async () => {
      using daemon = await startDaemon()
      await using web = await startContainer(daemon, 'web')
      assert.match(web.run('ip -br link show eth0'), /^eth0@\S+ +UP +02:42:ac:11:00:02 /)
      assert.match(web.run('ip -br addr show eth0'), /172\.17\.0\.2\/16 *$/m)
      assert.equal(web.run('ip route show default').trim(), 'default via 172.17.0.1 dev eth0')
      assert.match(web.run('ip -br addr show lo'), /127\.0\.0\.1\/8 ::1\/128/)
    })

    test('200 lives leave nothing, and cost the daemon little', async () => {
      using daemon = await startDaemon()
      await using agent = await startAgent()
      const descriptors = readdirSync('/proc/self/fd').length
      // Not the clock: other tests run at the same time.
      const before = process.cpuUsage()
      for (let life = 0; life < 200; life++) {
        await daemon.networks.attach({
          containerId: `c${life}`,
          containerName: `c${life}`,
          hostname: 'c',
          networks: { bridge: {} },
          ports: life % 2 === 0 ? [] : [publish('', 80), publish('', 443)], // UDP costs a walk over the connections, on another thread
        })
        await daemon.networks.release(`c${life}`)
      }
      const { user, system } = process.cpuUsage(before)
      process.stdout.write(`a life: ${((user + system) / 200).toFixed()} µs of processor time\n`)
      assert.ok((user + system) / 200 < 10_000, 'an order of magnitude over the budget')
      assert.deepEqual(publishedElements(), [])
      assert.deepEqual(daemon.metadata.repository('endpoints').all(), [])
      assert.deepEqual(linkNames().toSorted(), ['gantry0', 'lo'])
      await eventually(() => assert.ok(readdirSync('/proc/self/fd').length <= descriptors))
      assert.ok(agent.pid > 0)
    })
  })
})

function linkNames(): string[] {
  using route = openRouteNetlink()
  return route.links().map((link) => link.name)
}

function publishedElements(): unknown[] {
  using nftables = openNftables()
  const table = { family: 'ip', table: 'gantry' } as const
  return [...nftables.elements(table, 'published_any'), ...nftables.elements(table, 'published_address')]
}

/** The kernel takes namespaces apart some time after their last process. */
async function linksGone(remaining = 0): Promise<void> {
  await eventually(() => {
    const links = linkNames().filter((name) => name.startsWith('veth') || name === 'ext0')
    assert.ok(links.length <= remaining, `links linger: ${links.join(' ')}`)
  })
}
