/** Networks of steps. */
import assert from 'node:assert/strict'
import { after, afterEach, before, suite, test } from 'node:test'
import type { ExecOp } from '../../../src/build/graph/types.ts'
import { createNetwork, run, startContainer } from '../networks/topology.ts'
import { unshared } from '../unshared.ts'
import { createWorld, type World } from './world.ts'
import { eventually } from '../../harness/eventually.ts'

unshared(import.meta.filename, () => {
  suite('the network of a step', () => {
    let world: World
    before(async () => {
      run('ip link set lo up')
      world = await createWorld()
    })
    afterEach(() => eventually(() => world.assertClean()))
    after(() => world[Symbol.asyncDispose]())

    const on = (network: ExecOp['network'], more: Partial<ExecOp> = {}): { op: Partial<ExecOp> } => ({ op: { network, ...more } })

    test('is the default bridge, as that of a container', async () => {
      const { stdout, outputs } = await world.run(
        'ip -o -4 addr show eth0; ip route; cat /etc/hosts; ping -c 1 172.17.0.1 | grep -o "1 packets received"',
        on('default'),
      )
      assert.match(stdout, /inet 172\.17\.0\.2\/16/)
      assert.match(stdout, /default via 172\.17\.0\.1/)
      assert.match(stdout, /172\.17\.0\.2\tbuildkitsandbox\n/)
      assert.match(stdout, /1 packets received/)
      assert.deepEqual(outputs, [world.base])
    })

    test('may be none', async () => {
      const { stdout } = await world.run('ip -o link | wc -l; ip -o link show lo | grep -o UP | head -1; cat /etc/hosts', on('none'))
      assert.match(stdout, /^1\nUP\n/)
      assert.match(stdout, /127\.0\.0\.1\tlocalhost\n/)
    })

    test('is the host’s where that is allowed, whatever it is called by', async () => {
      const { id } = world.deps.networks.get('host')
      for (const network of ['host', { name: 'host' }, { name: id }] as const) {
        await assert.rejects(world.run('true', on(network)), { code: 'FORBIDDEN', message: 'network.host is not allowed' })
        const { stdout } = await world.run('ip -o link show gantry0 | grep -c gantry0', { ...on(network), entitlements: ['network.host'] })
        assert.equal(stdout, '1\n')
      }
    })

    test('may be one of the user’s, whose names are answered', async () => {
      const { id } = await createNetwork(world.daemon, 'app')
      await using db = await startContainer(world.daemon, 'db', [], { app: { aliases: ['store'] } })
      try {
        for (const name of ['app', id]) {
          const { stdout } = await world.run(
            'cat /etc/resolv.conf; nslookup store; ping -c 1 store | grep -o "1 packets received"',
            on({ name }),
          )
          assert.match(stdout, /nameserver 127\.0\.0\.11\n/)
          assert.ok(stdout.includes(db.address), stdout)
          assert.match(stdout, /1 packets received/)
        }
        assert.deepEqual(
          world.daemon.networks.endpoints(id).map(({ containerId }) => containerId),
          ['db'],
        )
      } finally {
        await world.daemon.networks.release('db')
        await world.daemon.networks.remove('app')
      }
    })

    test('that is not there is told of', async () => {
      await assert.rejects(world.run('true', on({ name: 'nowhere' })), { code: 'NOT_FOUND', message: 'network nowhere not found' })
    })

    test('has further hosts, and the layer does not', async () => {
      const extraHosts = [
        { host: 'db', address: '10.1.2.3' },
        { host: 'gate', address: 'host-gateway' },
      ]
      const { stdout, outputs } = await world.run(
        'grep -E "db|gate" /etc/hosts; hostname; echo 1.2.3.4 mine >> /etc/hosts',
        on('default', { extraHosts, hostname: 'own' }),
      )
      assert.equal(stdout, '10.1.2.3\tdb\n172.17.0.1\tgate\nown\n')
      assert.deepEqual(outputs, [world.base])
    })

    test('is given back when the step ends, fails or is stopped', async () => {
      const abort = new AbortController()
      setTimeout(() => abort.abort(new Error('enough')), 100)
      const ended = await Promise.allSettled([
        world.run('sleep 100', { ...on('default'), signal: abort.signal }),
        world.run('exit 1', on('default')),
      ])
      assert.deepEqual(
        ended.map(({ status }) => status),
        ['rejected', 'rejected'],
      )
      const { stdout } = await world.run('ip -o -4 addr show eth0', on('default'))
      assert.match(stdout, /172\.17\.0\.\d\/16/)
    })
  })
})
