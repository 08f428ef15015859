/** User-defined networks on a real kernel: made, restored, removed; containers on several of them, moved while they run. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { afterEach, beforeEach, suite, test } from 'node:test'
import { openRouteNetlink } from '#kernel'
import { unshared } from '../unshared.ts'
import {
  CLIENT_ADDRESS,
  HOST_ADDRESS,
  createNetwork,
  publish,
  run,
  sandbox,
  startClient,
  startContainer,
  startDaemon,
  subnets,
} from './topology.ts'

unshared(import.meta.filename, () => {
  suite('user-defined networks', () => {
    beforeEach(() => {
      run('ip link set lo up')
      writeFileSync('/proc/sys/net/ipv4/ip_forward', '1')
      writeFileSync('/proc/sys/net/ipv6/conf/all/forwarding', '1')
    })
    afterEach(async () => {
      for (const name of linkNames().filter((link) => /^(br-|gantry0)/.test(link))) run(`ip link del ${name}`)
      run('nft flush ruleset')
    })

    test('a network has its bridge until it is removed', async () => {
      using daemon = await startDaemon()
      const network = await createNetwork(daemon, 'app')
      const bridge = `br-${network.id.slice(0, 12)}`
      assert.equal(network.ipam.config[0]?.subnet, '172.18.0.0/16')
      assert.match(run(`ip -4 -o addr show dev ${bridge}`), /172\.18\.0\.1\/16/)
      await using web = await startContainer(daemon, 'web', [], 'app')
      await assert.rejects(daemon.networks.remove('app'), {
        code: 'FORBIDDEN',
        message: /^error while removing network: network app has active endpoints \(name:"web" id:"[0-9a-f]{12}"\)$/,
      })
      await daemon.networks.release(web.id)
      await daemon.networks.remove('app')
      assert.ok(!linkNames().includes(bridge))
      assert.doesNotMatch(run('nft list table ip gantry'), /br-/)
    })

    test('bridges and rules come back after a reboot, strays of ours go, those of others stay', async () => {
      const first = await startDaemon()
      const network = await createNetwork(first, 'app', { enableIPv6: true })
      const stray = await createNetwork(first, 'gone')
      first.metadata.repository('networks').delete(stray.id)
      first[Symbol.dispose]()
      const bridge = `br-${network.id.slice(0, 12)}`
      run(`ip link del ${bridge}`)
      run('ip link add br-0123456789ab type bridge')
      using second = await startDaemon({}, first.metadata)
      assert.deepEqual(
        linkNames()
          .filter((name) => name.startsWith('br-'))
          .toSorted(),
        ['br-0123456789ab', bridge].toSorted(),
      )
      assert.deepEqual(second.networks.get('app'), network)
      await using one = await startContainer(second, 'one', [], 'app')
      await using two = await startContainer(second, 'two', [], 'app')
      await one.listen('tcp', 80, '::')
      assert.equal(await two.ask('tcp', one.address6, 80), `${two.address6} hello`)
    })

    test('default routes follow the priority, and static addresses, names and sysctls are as asked for', async () => {
      using daemon = await startDaemon()
      await createNetwork(daemon, 'a', { ipam: subnets({ subnet: '10.1.0.0/24' }) })
      await createNetwork(daemon, 'b', { ipam: subnets({ subnet: '10.2.0.0/24' }) })
      const driverOpts = {
        'com.docker.network.endpoint.sysctls': 'net.ipv4.conf.IFNAME.log_martians=1',
        'com.docker.network.endpoint.ifname': 'lan7',
      }
      await using web = await startContainer(daemon, 'web', [], {
        a: { ipv4Address: '10.1.0.77', driverOpts },
        b: { gwPriority: 1, macAddress: '02:00:00:00:00:07', linkLocalIPs: ['169.254.9.9'] },
      })
      assert.match(web.run('ip route'), /^default via 10\.2\.0\.1 dev eth0/m)
      assert.match(web.run('ip -o -4 addr'), /lan7\s+inet 10\.1\.0\.77\/24/)
      assert.match(web.run('ip -o -4 addr'), /eth0\s+inet 169\.254\.9\.9\/16/)
      assert.match(web.run('ip -o link show dev eth0'), /02:00:00:00:00:07/)
      assert.equal(web.run('sysctl -n net.ipv4.conf.lan7.log_martians').trim(), '1')
    })

    test('a running container comes to a network and leaves one, its routes and ports with it', async () => {
      await using client = await startClient()
      using daemon = await startDaemon()
      await createNetwork(daemon, 'a')
      await createNetwork(daemon, 'b')
      const ports = [publish('8080', 80)]
      await using web = await startContainer(daemon, 'web', ports, 'b')
      await using neighbour = await startContainer(daemon, 'neighbour', [], 'a')
      await web.listen('tcp', 80)
      assert.equal(await client.ask('tcp', HOST_ADDRESS, 8080), `${CLIENT_ADDRESS} hello`)

      const change = await daemon.networks.connect({ ...sandbox('web', ports), network: 'a', endpoint: {}, pid: web.pid })
      assert.deepEqual(
        change.endpoints.map(({ networkName, ports: own }) => [networkName, own.length]),
        [
          ['a', 1],
          ['b', 0],
        ],
      )
      assert.equal(change.endpoint.interfaceName, 'eth1')
      assert.match(web.run('ip route'), /^default via 172\.18\.0\.1 dev eth1/m)
      assert.equal(await client.ask('tcp', HOST_ADDRESS, 8080), `${CLIENT_ADDRESS} hello`)
      assert.equal(await neighbour.ask('tcp', change.endpoint.ipv4Address, 80), `${neighbour.address} hello`)

      const left = await daemon.networks.disconnect({ ...sandbox('web', ports), network: 'a', pid: web.pid })
      assert.deepEqual(
        left.endpoints.map(({ networkName, ports: own }) => [networkName, own.length]),
        [['b', 1]],
      )
      assert.match(web.run('ip route'), /^default via 172\.19\.0\.1 dev eth0/m)
      assert.doesNotMatch(web.run('ip -o link'), /eth1/)
      assert.equal(await client.ask('tcp', HOST_ADDRESS, 8080), `${CLIENT_ADDRESS} hello`)
      assert.match(await neighbour.askInVain('tcp', change.endpoint.ipv4Address, 80), /no answer|EHOSTUNREACH/)

      const out = await daemon.networks.disconnect({ ...sandbox('web', ports), network: 'b', pid: web.pid })
      assert.deepEqual(out.endpoints, [])
      assert.doesNotMatch(web.run('ip route'), /default/)
      assert.match(await client.askInVain('tcp', HOST_ADDRESS, 8080), /ECONNREFUSED|no answer/)
      await daemon.networks.connect({ ...sandbox('web', ports), network: 'b', endpoint: {}, pid: web.pid })
      assert.equal(await client.ask('tcp', HOST_ADDRESS, 8080), `${CLIENT_ADDRESS} hello`)
      await assert.rejects(daemon.networks.connect({ ...sandbox('web'), network: 'b', endpoint: {}, pid: web.pid }), {
        code: 'FORBIDDEN',
        message: 'endpoint with name web already exists in network b',
      })
    })

    test('200 comings, goings, starts and ends at once keep addresses apart and leave nothing', async () => {
      using daemon = await startDaemon()
      for (const name of ['a', 'b']) await createNetwork(daemon, name, { enableIPv6: true })
      const containers = await Promise.all(
        Array.from({ length: 6 }, (_, index) => startContainer(daemon, `c${index}`, [publish('', 80)], 'a')),
      )
      const seen: string[] = []
      async function life(index: number): Promise<void> {
        const container = containers[index % containers.length]
        assert.ok(container)
        if (index % 2 === 0) {
          const id = `s${index}`
          await daemon.networks.attach({ ...sandbox(id), networks: { a: {}, b: {} } })
          check()
          await daemon.networks.release(id)
          return
        }
        const request = { ...sandbox(container.id, [publish('', 80)]), network: 'b', pid: container.pid }
        await daemon.networks.connect({ ...request, endpoint: {} }).catch(ignoreTaken)
        check()
        await daemon.networks.disconnect(request).catch(ignoreGone)
      }
      function check(): void {
        for (const name of ['a', 'b']) {
          const endpoints = daemon.networks.endpoints(daemon.networks.get(name).id)
          for (const family of ['ipv4Address', 'ipv6Address'] as const) {
            const addresses = endpoints.map((endpoint) => endpoint[family])
            assert.equal(new Set(addresses).size, addresses.length)
          }
          seen.push(...endpoints.map(({ id }) => id))
        }
      }
      await Promise.all(Array.from({ length: 200 }, (_, index) => life(index)))
      assert.ok(new Set(seen).size > 200)
      for (const container of containers) {
        assert.match(container.run('ip -o link'), /eth0/)
        assert.doesNotMatch(container.run('ip -o link'), /eth[1-9]/)
        await daemon.networks.release(container.id)
        await container[Symbol.asyncDispose]()
      }
      assert.deepEqual(daemon.metadata.repository('endpoints').all(), [])
      assert.doesNotMatch(run('nft list map ip gantry published_any'), /elements/)
      await daemon.networks.remove('a')
      await daemon.networks.remove('b')
    })

    test('1,000 ports are published in one transaction, at little cost', async () => {
      await using client = await startClient()
      using daemon = await startDaemon()
      await createNetwork(daemon, 'four')
      await createNetwork(daemon, 'a', { enableIPv6: true })
      const ports = Array.from({ length: 1000 }, (_, index) =>
        publish(String(20000 + index), 1000 + index, index % 2 === 0 ? 'tcp' : 'udp'),
      )
      const times: number[] = []
      for (let round = 0; round < 3; round++) {
        const before = process.cpuUsage()
        const { endpoints } = await daemon.networks.attach({ ...sandbox('range', ports), networks: { four: {} } })
        const { user, system } = process.cpuUsage(before)
        times.push((user + system) / 1000) // not the clock: other tests run at the same time
        assert.equal(endpoints[0]?.ports.length, 1000)
        await daemon.networks.release('range')
      }
      console.log(`1,000 ports: ${times.map((time) => time.toFixed(0)).join(', ')} ms of processor time`)
      // Some 30 on the machine where this was written; one by one they would take seconds.
      assert.ok(Math.min(...times) < 400, `${times.join(', ')} ms`)
      await using web = await startContainer(daemon, 'web', ports, 'a')
      await web.listen('tcp', 1998)
      assert.equal(await client.ask('tcp', HOST_ADDRESS, 20998), `${CLIENT_ADDRESS} hello`)
      assert.equal(run('nft -j list map ip gantry published_any').match(/"concat"/g)?.length, 2000)
    })

    test('macvlan containers are neighbours of the parent’s neighbours, and their gateway is its', async () => {
      await using client = await startClient()
      using daemon = await startDaemon()
      const ipam = subnets({ subnet: '192.0.2.0/24', ipRange: '192.0.2.128/25', gateway: CLIENT_ADDRESS })
      await createNetwork(daemon, 'lan', { driver: 'macvlan', ipam, options: { parent: 'ext0' } })
      await using one = await startContainer(daemon, 'one', [], 'lan')
      await using two = await startContainer(daemon, 'two', [], 'lan')
      await one.listen('tcp', 80)
      assert.equal(await client.ask('tcp', one.address, 80), `${CLIENT_ADDRESS} hello`)
      assert.equal(await two.ask('tcp', one.address, 80), `${two.address} hello`)
      assert.match(one.run('ip route'), /^default via 192\.0\.2\.2 dev eth0/m)
      await daemon.networks.disconnect({ ...sandbox('two'), network: 'lan', pid: two.pid })
      assert.doesNotMatch(two.run('ip -o link'), /eth0/)
      await assert.rejects(createNetwork(daemon, 'only', { driver: 'macvlan', options: { parent: 'ext0', macvlan_mode: 'passthru' } }), {
        code: 'FORBIDDEN',
        message: /cannot use mode passthru, macvlan network [0-9a-f]{64} is already using parent interface ext0/,
      })
      await assert.rejects(createNetwork(daemon, 'x', { driver: 'macvlan', options: { parent: 'nowhere' } }), {
        code: 'INVALID_ARGUMENT',
        message: 'invalid subinterface vlan name nowhere, example formatting is eth0.10',
      })
    })

    test('a kind of link that the kernel has not is refused in its words', async (t) => {
      using daemon = await startDaemon()
      await using _ = await startClient()
      const create = createNetwork(daemon, 'ip', { driver: 'ipvlan', options: { parent: 'ext0' } })
      const refusal = await create.then(
        () => '',
        (error: Error) => error.message,
      )
      if (refusal === '') return t.skip('this kernel has ipvlan')
      assert.match(refusal, /^this kernel has no ipvlan links: rtnetlink/)
    })
  })
})

function ignoreTaken(error: Error): void {
  assert.match(error.message, /already exists in network/)
}

function ignoreGone(error: Error): void {
  assert.match(error.message, /is not connected to network/)
}

function linkNames(): string[] {
  using route = openRouteNetlink()
  return route.links().map(({ name }) => name)
}
