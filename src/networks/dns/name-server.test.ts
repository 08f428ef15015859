import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { Resolver } from 'node:dns/promises'
import { createServer } from 'node:net'
import { suite, test } from 'node:test'
import type { Packet } from 'dns-packet'
import type { NameServer } from '../types.ts'
import type { ContainerSockets, Listeners } from './container-sockets.ts'
import { createNameServer } from './name-server.ts'
import { directoryOf, endpointOf } from './testing/directory.ts'
import { startFakeServer } from './testing/fake-server.ts'

const DIRECTORY = directoryOf(
  endpointOf({ containerId: 'web', networkName: 'front', dnsNames: ['web', 'shop'], ipv4Address: '10.0.0.2', ipv6Address: 'fd00::2' }),
  endpointOf({ containerId: 'db', networkName: 'internal-1', dnsNames: ['db'], ipv4Address: '10.0.1.2' }),
)

const FOUND: Packet = { answers: [{ type: 'A', name: 'far.example', ttl: 60, data: '192.0.2.1' }] }

/** Listens where the test is, without namespaces and rules; the listeners are bound before they are wanted, for that takes a while. */
async function socketsHere(): Promise<ContainerSockets> {
  const udp = createSocket('udp4').bind(0, '127.0.0.1')
  await once(udp, 'listening')
  const tcp = createServer().listen(0, '127.0.0.1')
  await once(tcp, 'listening')
  const listeners: Listeners = { udp, tcp }
  return { listen: () => listeners, open: () => assert.fail('no namespaces here') }
}

/** `patience`: of the client, in milliseconds. */
async function start(
  port: number,
  containerId = 'web',
  patience = 20_000,
): Promise<{ names: NameServer; resolver: Resolver } & AsyncDisposable> {
  const names = createNameServer(DIRECTORY, { sockets: await socketsHere(), hostServers: () => ['127.0.0.1'], port, timeout: 20_000 })
  const { udp } = await names.serve({ containerId, pid: 1, servers: [] })
  const resolver = new Resolver({ timeout: patience, tries: 1 })
  resolver.setServers([`127.0.0.1:${udp}`])
  return { names, resolver, [Symbol.asyncDispose]: () => names.close() }
}

suite('name server', () => {
  test('answers names of its networks itself, others with what the servers say', async () => {
    await using server = await startFakeServer(() => FOUND)
    await using started = await start(server.port)
    const { resolver } = started
    assert.deepEqual(await resolver.resolve4('shop', { ttl: true }), [{ address: '10.0.0.2', ttl: 600 }])
    assert.deepEqual(await resolver.resolve6('WEB.front'), ['fd00::2'])
    assert.deepEqual(await resolver.reverse('10.0.0.2'), ['web.front'])
    assert.deepEqual(await resolver.resolve4('far.example'), ['192.0.2.1'])
    assert.deepEqual(server.asked, ['udp far.example A'])
  })

  test('asks once for many at the same time, and not again while the answer lives', async () => {
    await using server = await startFakeServer(() => FOUND)
    await using started = await start(server.port)
    const { resolver } = started
    await Promise.all(Array.from({ length: 20 }, () => resolver.resolve4('far.example')))
    await resolver.resolve4('far.example')
    assert.equal(server.asked.length, 1)
  })

  test('asks nobody for containers that have internal networks only', async () => {
    await using server = await startFakeServer(() => FOUND)
    await using started = await start(server.port, 'db')
    await assert.rejects(started.resolver.resolve4('far.example'), { code: 'ESERVFAIL' })
    assert.deepEqual(await started.resolver.resolve4('db'), ['10.0.1.2'])
    assert.deepEqual(server.asked, [])
  })

  test('serves a container once', async () => {
    await using started = await start(1)
    const again = await started.names.serve({ containerId: 'web', pid: 1, servers: [] })
    assert.equal(started.resolver.getServers()[0], `127.0.0.1:${again.udp}`)
  })

  test('closes with a question open', async () => {
    await using server = await startFakeServer(() => undefined)
    const { names, resolver } = await start(server.port, 'web', 500)
    const asking = resolver.resolve4('far.example')
    while (server.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    await names.stop('web')
    await names.stop('web')
    await names.close()
    await assert.rejects(asking)
  })
})
