/** Published ports answer from everywhere they should and from nowhere else; real packets between namespaces. */
import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { after, afterEach, before, suite, test } from 'node:test'
import { unshared } from '../unshared.ts'
import {
  type Agent,
  BRIDGE_ADDRESS,
  CLIENT_ADDRESS,
  type Daemon,
  HOST_ADDRESS,
  type StartedContainer,
  publish,
  run,
  startAgent,
  startClient,
  startContainer,
  startDaemon,
} from './topology.ts'

const BRIDGE_FILTER = '/proc/sys/net/bridge/bridge-nf-call-iptables'

unshared(import.meta.filename, () => {
  suitePublishedPorts('0')
  if (existsSync(BRIDGE_FILTER)) suitePublishedPorts('1')
  else void test.skip('with br_netfilter: this kernel has none')
})

/** With br_netfilter packets between containers of one bridge meet our rules too, and translation happens inside the bridge. */
function suitePublishedPorts(bridgeFilter: string): void {
  suite(`published ports, bridge-nf-call-iptables=${bridgeFilter}`, () => {
    const stack = new AsyncDisposableStack()
    let daemon: Daemon
    let host: Agent
    let client: Agent
    let web: StartedContainer
    let other: StartedContainer

    before(async () => {
      run('ip link set lo up')
      if (existsSync(BRIDGE_FILTER)) writeFileSync(BRIDGE_FILTER, bridgeFilter)
      writeFileSync('/proc/sys/net/ipv4/ip_forward', '0')
      host = stack.use(await startAgent(false))
      client = stack.use(await startClient())
      daemon = stack.use(await startDaemon())
      web = stack.use(
        await startContainer(daemon, 'web', [
          publish('8080', 80),
          publish('8053', 53, 'udp'),
          publish('8081', 81, 'tcp', '127.0.0.1'),
          publish('8082', 82, 'tcp', HOST_ADDRESS),
        ]),
      )
      other = stack.use(await startContainer(daemon, 'other'))
      for (const port of [80, 81, 82, 9000]) await web.listen('tcp', port)
      await web.listen('udp', 53)
    })
    after(async () => {
      await stack.disposeAsync()
      run('ip link del gantry0')
      run('nft delete table ip gantry')
    })
    afterEach(() => daemon.networks.restore(new Set(['web', 'other']))) // some tests take rules away

    test('answer another host, which the container sees by its own address', async () => {
      assert.equal(await client.ask('tcp', HOST_ADDRESS, 8080), `${CLIENT_ADDRESS} hello`)
      assert.equal(await client.ask('udp', HOST_ADDRESS, 8053), `${CLIENT_ADDRESS} hello`)
    })

    test('answer the host by its own addresses', async () => {
      assert.equal(await host.ask('tcp', HOST_ADDRESS, 8080), `${HOST_ADDRESS} hello`)
      assert.equal(await host.ask('tcp', BRIDGE_ADDRESS, 8080), `${BRIDGE_ADDRESS} hello`)
      assert.equal(await host.ask('udp', HOST_ADDRESS, 8053), `${HOST_ADDRESS} hello`)
    })

    test('answer the host by 127.0.0.1', async () => {
      assert.equal(await host.ask('tcp', '127.0.0.1', 8080), `${BRIDGE_ADDRESS} hello`)
      assert.equal(await host.ask('udp', '127.0.0.1', 8053), `${BRIDGE_ADDRESS} hello`)
    })

    test('answer containers by the address of the host, the container itself too', async () => {
      assert.equal(await other.ask('tcp', HOST_ADDRESS, 8080), `${BRIDGE_ADDRESS} hello`)
      assert.equal(await other.ask('tcp', BRIDGE_ADDRESS, 8080), `${BRIDGE_ADDRESS} hello`)
      assert.equal(await web.ask('tcp', HOST_ADDRESS, 8080), `${BRIDGE_ADDRESS} hello`)
      assert.equal(await other.ask('udp', HOST_ADDRESS, 8053), `${BRIDGE_ADDRESS} hello`)
    })

    test('answer on no other address when published on one', async () => {
      assert.equal(await host.ask('tcp', '127.0.0.1', 8081), `${BRIDGE_ADDRESS} hello`)
      assert.equal(await host.ask('tcp', HOST_ADDRESS, 8081), 'ECONNREFUSED')
      assert.equal(await client.ask('tcp', HOST_ADDRESS, 8081), 'ECONNREFUSED')
      assert.equal(await client.ask('tcp', HOST_ADDRESS, 8082), `${CLIENT_ADDRESS} hello`)
      assert.equal(await host.ask('tcp', '127.0.0.1', 8082), 'ECONNREFUSED')
    })

    test('a container is reached past its published ports by the host and its neighbours, not from outside', async () => {
      assert.equal(await host.ask('tcp', web.address, 9000), `${BRIDGE_ADDRESS} hello`)
      assert.equal(await other.ask('tcp', web.address, 9000), `${other.address} hello`)
      const refused = [9000, 80].map((port) => client.askInVain('tcp', web.address, port))
      assert.deepEqual(await Promise.all(refused), ['no answer', 'no answer'])
    })

    test('a container reaches the world by the address of the host', async () => {
      await client.listen('tcp', 7000)
      assert.equal(await web.ask('tcp', CLIENT_ADDRESS, 7000), `${HOST_ADDRESS} hello`)
    })

    test('a neighbour who sends to 127.0.0.1 does not reach what is published there', async () => {
      await using attacker = await startClient('ext1', '198.51.100.1', '198.51.100.2')
      sendLoopbackTo(attacker, '198.51.100.1')
      assert.equal(await attacker.askInVain('tcp', '127.0.0.1', 8081), 'no answer')
      // It is our exception that keeps it out: with one rule more the attack works.
      daemon.disown()
      run('nft add rule ip gantry prerouting fib daddr type local jump publish')
      assert.equal(await attacker.ask('tcp', '127.0.0.1', 8081), '198.51.100.2 hello')
    })

    test('a container does not reach the services of the host on 127.0.0.1', async () => {
      await host.listen('tcp', 9999, '127.0.0.1')
      await using attacker = await startContainer(daemon, 'attacker')
      sendLoopbackTo(attacker, BRIDGE_ADDRESS)
      assert.equal(await attacker.askInVain('tcp', '127.0.0.1', 9999), 'no answer')
      // It is the rule that keeps it out: without it the attack works.
      daemon.disown()
      run('nft flush chain ip gantry loopback_guard')
      assert.equal(await attacker.ask('tcp', '127.0.0.1', 9999), `${attacker.address} hello`)
    })

    test('the host becomes no router for others when forwarding was off before', async () => {
      await using third = await startClient('ext2', '203.0.113.1', '203.0.113.2')
      await third.listen('tcp', 7000)
      assert.equal(await host.ask('tcp', '203.0.113.2', 7000), '203.0.113.1 hello')
      assert.equal(await client.askInVain('tcp', '203.0.113.2', 7000), 'no answer')
      daemon.disown()
      run('nft flush chain ip gantry forward_guard')
      assert.equal(await client.ask('tcp', '203.0.113.2', 7000), `${CLIENT_ADDRESS} hello`)
    })
  })
}

/** Makes a host treat 127.0.0.1 as an address like any other, reached by `gateway`. */
function sendLoopbackTo(agent: Agent, gateway: string): void {
  agent.run('ip addr flush dev lo')
  agent.run('sysctl -q -w net.ipv4.conf.all.route_localnet=1')
  agent.run(`ip route add 127.0.0.1/32 via ${gateway}`)
}
