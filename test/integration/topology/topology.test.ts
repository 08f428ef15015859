/**
 * Two hosts with a router between them, and containers on one of them:
 *
 *     client 198.51.100.2 ── 198.51.100.1 router 192.0.2.2 ── ext0 192.0.2.1 host ── bridges ── containers
 *     client 2001:db8:2::2                       2001:db8:1::2     2001:db8:1::1
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { after, before, suite, test } from 'node:test'
import { unshared } from '../unshared.ts'
import {
  type Agent,
  type Daemon,
  type StartedContainer,
  createNetwork,
  publish,
  run,
  sandbox,
  startAgent,
  startContainer,
  startDaemon,
  subnets,
} from '../networks/topology.ts'

const HOST = '192.0.2.1'
const HOST6 = '2001:db8:1::1'
const CLIENT = '198.51.100.2'
const CLIENT6 = '2001:db8:2::2'
const NO_WAY = /^(no answer|EHOSTUNREACH|ENETUNREACH|ECONNREFUSED)$/

unshared(import.meta.filename, () => {
  suite('across a router', () => {
    const stack = new AsyncDisposableStack()
    let client: Agent
    let daemon: Daemon

    before(async () => {
      run('ip link set lo up')
      writeFileSync('/proc/sys/net/ipv4/ip_forward', '0')
      client = stack.use(await startAgent())
      const router = stack.use(await startAgent())
      wire(router, client)
      daemon = stack.use(await startDaemon())
      await createNetwork(daemon, 'dual', { enableIPv6: true })
      await createNetwork(daemon, 'other', { enableIPv6: true })
      await createNetwork(daemon, 'inside', { internal: true, enableIPv6: true })
    })
    after(() => stack.disposeAsync())

    test('published ports answer in both families, and see who asked', async () => {
      await using web = await startContainer(daemon, 'web', [publish('8080', 80), publish('8053', 53, 'udp')], 'dual')
      await listen(web, 80)
      await web.listen('udp', 53, '::')
      assert.equal(await client.ask('tcp', HOST, 8080), `::ffff:${CLIENT} hello`)
      assert.equal(await client.ask('tcp', HOST6, 8080), `${CLIENT6} hello`)
      assert.equal(await client.ask('udp', HOST, 8053), `::ffff:${CLIENT} hello`)
      assert.equal(await client.ask('udp', HOST6, 8053), `${CLIENT6} hello`)
      await nobodyAnswers(client.askInVain('tcp', web.address, 80), client.askInVain('tcp', web.address6, 80))
      await daemon.networks.release('web')
    })

    test('containers reach the world by the address of the host, in both families', async () => {
      await client.listen('tcp', 7000, '::')
      await using web = await startContainer(daemon, 'web', [], 'dual')
      assert.equal(await web.ask('tcp', CLIENT, 7000), `::ffff:${HOST} hello`)
      assert.equal(await web.ask('tcp', CLIENT6, 7000), `${HOST6} hello`)
      await daemon.networks.release('web')
    })

    test('internal networks lead nowhere and are not reached, with a route of their own either', async () => {
      await client.listen('tcp', 7001, '::')
      await using hidden = await startContainer(daemon, 'hidden', [publish('8081', 80)], 'inside')
      await using friend = await startContainer(daemon, 'friend', [], 'inside')
      await using stranger = await startContainer(daemon, 'stranger', [], 'dual')
      await listen(hidden, 80)
      assert.equal(await friend.ask('tcp', hidden.address6, 80), `${friend.address6} hello`)
      assert.match(hidden.run('ip route'), /^(?!.*default)/s)
      hidden.run(`ip route add default via ${gateway(daemon, 'inside', 4)}`)
      hidden.run(`ip -6 route add default via ${gateway(daemon, 'inside', 6)}`)
      await nobodyAnswers(
        ...[CLIENT, CLIENT6].map((address) => hidden.askInVain('tcp', address, 7001)),
        ...[client, stranger].flatMap((asking) => [asking.askInVain('tcp', hidden.address, 80), asking.askInVain('tcp', HOST, 8081)]),
      )
      for (const id of ['hidden', 'friend', 'stranger']) await daemon.networks.release(id)
    })

    test('networks do not reach each other, but what the other has published', async () => {
      await using web = await startContainer(daemon, 'web', [publish('8082', 80)], 'dual')
      await using stranger = await startContainer(daemon, 'stranger', [], 'other')
      await listen(web, 80)
      await nobodyAnswers(...[web.address, web.address6].map((address) => stranger.askInVain('tcp', address, 80)))
      assert.match(await stranger.ask('tcp', HOST, 8082), / hello$/)
      assert.match(await stranger.ask('tcp', HOST6, 8082), / hello$/)
      for (const id of ['web', 'stranger']) await daemon.networks.release(id)
    })

    test('without inter-container communication neighbours are strangers', async () => {
      const options = { 'com.docker.network.bridge.enable_icc': 'false' }
      await createNetwork(daemon, 'shy', { enableIPv6: true, options })
      await using web = await startContainer(daemon, 'web', [publish('8083', 80)], 'shy')
      await using neighbour = await startContainer(daemon, 'neighbour', [], 'shy')
      await listen(web, 80)
      await nobodyAnswers(...[web.address, web.address6].map((address) => neighbour.askInVain('tcp', address, 80)))
      assert.equal(await client.ask('tcp', HOST6, 8083), `${CLIENT6} hello`)
      for (const id of ['web', 'neighbour']) await daemon.networks.release(id)
    })

    test('a routed network is reached by the containers’ own addresses, on published ports only', async () => {
      const options = { 'com.docker.network.bridge.gateway_mode_ipv4': 'routed', 'com.docker.network.bridge.gateway_mode_ipv6': 'routed' }
      const ipam = subnets({ subnet: '10.77.0.0/24' }, { subnet: '2001:db8:77::/64' })
      await createNetwork(daemon, 'routed', { enableIPv6: true, ipam, options })
      await using web = await startContainer(daemon, 'web', [publish('', 80)], 'routed')
      await listen(web, 80)
      await listen(web, 81)
      assert.deepEqual(
        web.endpoints[0]?.ports.map(({ hostIp, hostPort }) => [hostIp, hostPort]),
        [
          ['0.0.0.0', 0],
          ['::', 0],
        ],
      )
      assert.equal(await client.ask('tcp', web.address, 80), `::ffff:${CLIENT} hello`)
      assert.equal(await client.ask('tcp', web.address6, 80), `${CLIENT6} hello`)
      await nobodyAnswers(client.askInVain('tcp', web.address, 81), client.askInVain('tcp', web.address6, 81))
      await client.listen('tcp', 7002, '::')
      assert.equal(await web.ask('tcp', CLIENT6, 7002), `${web.address6} hello`)
      await daemon.networks.release('web')
    })

    test('an open network is reached on all ports', async () => {
      const options = { 'com.docker.network.bridge.gateway_mode_ipv4': 'nat-unprotected' }
      await createNetwork(daemon, 'open', { ipam: subnets({ subnet: '10.78.0.0/24' }), options })
      await using web = await startContainer(daemon, 'web', [], 'open')
      await web.listen('tcp', 81)
      assert.equal(await client.ask('tcp', web.address, 81), `${CLIENT} hello`)
      await daemon.networks.release('web')
    })

    test('one source address is used where it is asked for', async () => {
      run('ip addr add 192.0.2.99/24 dev ext0')
      await createNetwork(daemon, 'snat', { options: { 'com.docker.network.host_ipv4': '192.0.2.99' } })
      await client.listen('tcp', 7003)
      await using web = await startContainer(daemon, 'web', [], 'snat')
      assert.equal(await web.ask('tcp', CLIENT, 7003), '192.0.2.99 hello')
      await daemon.networks.release('web')
    })

    test('a container that moves while it runs is found at the same port', async () => {
      const ports = [publish('8084', 80)]
      await using web = await startContainer(daemon, 'web', ports, 'dual')
      await listen(web, 80)
      assert.equal(await client.ask('tcp', HOST6, 8084), `${CLIENT6} hello`)
      await daemon.networks.connect({ ...sandbox('web', ports), network: 'other', endpoint: { gwPriority: 9 }, pid: web.pid })
      await daemon.networks.disconnect({ ...sandbox('web', ports), network: 'dual', pid: web.pid })
      assert.equal(await client.ask('tcp', HOST, 8084), `::ffff:${CLIENT} hello`)
      assert.equal(await client.ask('tcp', HOST6, 8084), `${CLIENT6} hello`)
      await daemon.networks.release('web')
    })

    test('the host becomes no router of IPv6 for others either', async () => {
      await using third = await startAgent()
      run(`ip link add ext9 type veth peer name eth0 netns ${third.pid}`)
      run('ip addr add 2001:db8:9::1/64 dev ext9 nodad')
      run('ip link set ext9 up')
      third.run('ip addr add 2001:db8:9::2/64 dev eth0 nodad')
      third.run('ip link set eth0 up')
      third.run('ip -6 route add default via 2001:db8:9::1')
      await third.listen('tcp', 7000, '::')
      await nobodyAnswers(client.askInVain('tcp', '2001:db8:9::2', 7000))
      daemon.disown()
      run('nft flush chain ip6 gantry forward_guard')
      assert.equal(await client.ask('tcp', '2001:db8:9::2', 7000), `${CLIENT6} hello`)
    })
  })
})

/** Waiting for no answer takes seconds: all at once. */
async function nobodyAnswers(...asked: Promise<string>[]): Promise<void> {
  for (const answer of await Promise.all(asked)) assert.match(answer, NO_WAY)
}

async function listen(container: StartedContainer, port: number): Promise<void> {
  await container.listen('tcp', port, '::')
}

function gateway(daemon: Daemon, network: string, family: 4 | 6): string {
  const config = daemon.networks.get(network).ipam.config.find(({ subnet }) => subnet.includes(':') === (family === 6))
  return config?.gateway ?? ''
}

function wire(router: Agent, client: Agent): void {
  // Addresses are used at once: nobody else is on these wires.
  const noDetection = 'sysctl -q -w net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0'
  run(noDetection)
  router.run(noDetection)
  client.run(noDetection)
  run(`ip link add ext0 type veth peer name eth0 netns ${router.pid}`)
  run(`ip link add tmp0 type veth peer name eth0 netns ${client.pid}`)
  run(`ip link set tmp0 netns ${router.pid} name eth1`)
  run(`ip addr add ${HOST}/24 dev ext0`)
  run(`ip addr add ${HOST6}/64 dev ext0 nodad`)
  run('ip link set ext0 up')
  run('ip route add default via 192.0.2.2')
  run('ip -6 route add default via 2001:db8:1::2')
  for (const [name, ipv4, ipv6] of [
    ['eth0', '192.0.2.2', '2001:db8:1::2'],
    ['eth1', '198.51.100.1', '2001:db8:2::1'],
  ]) {
    router.run(`ip addr add ${ipv4}/24 dev ${name}`)
    router.run(`ip addr add ${ipv6}/64 dev ${name} nodad`)
    router.run(`ip link set ${name} up`)
  }
  router.run('sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1')
  // It knows ways to the containers, as an attacker's router would, and that of a routed network.
  router.run(`ip route add 10.0.0.0/8 via ${HOST}`)
  router.run(`ip route add 172.16.0.0/12 via ${HOST}`)
  router.run(`ip -6 route add default via ${HOST6}`)
  client.run(`ip addr add ${CLIENT}/24 dev eth0`)
  client.run(`ip addr add ${CLIENT6}/64 dev eth0 nodad`)
  client.run('ip link set eth0 up')
  client.run('ip route add default via 198.51.100.1')
  client.run('ip -6 route add default via 2001:db8:2::1')
}
