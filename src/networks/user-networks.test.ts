import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { createNetworkService } from './network-service.ts'
import { create, endpointRows, host, OPTIONS, request, WEB } from './testing/fake-host.ts'
import type { Endpoint } from './types.ts'

/** Larger than any pid (proc(5), pid_max). */
const NOBODY = 2 ** 30

suite('user-defined networks', () => {
  test('a network is made, listed, and removed when nobody is on it', async () => {
    const { restart, route, nftables } = host()
    const service = await restart()
    const network = await service.create(create('app'))
    const bridge = `br-${network.id.slice(0, 12)}`
    assert.ok(route.link({ name: bridge }))
    assert.equal(nftables.elements({ family: 'ip', table: 'gantry' }, 'bridges').length, 2)
    await service.attach(request('web', { networks: { app: {} } }))
    await assert.rejects(service.remove('app'), { code: 'FORBIDDEN', message: /network app has active endpoints \(name:"web" id:"/ })
    await service.release('web')
    assert.deepEqual(await service.prune(({ name }) => name === 'app'), [network])
    await assert.rejects(service.remove('app'), { code: 'NOT_FOUND' })
    await assert.rejects(service.remove('bridge'), { code: 'FORBIDDEN', message: 'bridge is a pre-defined network and cannot be removed' })
    assert.equal(nftables.elements({ family: 'ip', table: 'gantry' }, 'bridges').length, 1)
  })

  test('two networks with one bridge are refused', async () => {
    const service = await host().restart()
    const options = { 'com.docker.network.bridge.name': 'gantry0' }
    await assert.rejects(service.create({ ...create('app'), options }), { code: 'FORBIDDEN', message: /networks have same bridge name$/ })
  })

  test('a bridge that was there before stays when its network goes', async () => {
    const { restart, route } = host()
    const service = await restart()
    route.hostLinks.push({ index: 900, name: 'lan0', kind: 'bridge', up: true, master: 0, mac: '', mtu: 1500, alias: '' })
    await service.create({ ...create('app'), options: { 'com.docker.network.bridge.name': 'lan0' } })
    await service.remove('app')
    assert.ok(route.link({ name: 'lan0' }))
  })

  test('names of a container are those of its networks, and follow it', async () => {
    const service = await host().restart()
    await service.create(create('app'))
    const id = 'c0ffee'.repeat(10)
    const { endpoints } = await service.attach(request(id, { containerName: 'web', networks: { app: { aliases: ['db', 'web'] } } }))
    assert.deepEqual(endpoints[0]?.dnsNames, ['web', 'db', id.slice(0, 12), id])
    assert.deepEqual(service.rename(id, { containerName: 'www', hostname: 'h' })[0]?.dnsNames, ['www', 'db', 'web', id.slice(0, 12), 'h'])
  })

  test('a resolver is opened for containers on user-defined networks only, at the ports it had', async () => {
    const { restart: _, ...deps } = host()
    const served: unknown[] = []
    const nameServer = () => ({
      serve: async (asked: object) => (served.push(asked), { udp: 1, tcp: 2 }),
      stop: async () => {},
      close: async () => {},
    })
    const service = createNetworkService({ ...deps, options: OPTIONS, nameServer })
    await service.restore(new Set())
    await service.create(create('app'))
    await service.attach(request('plain'))
    await service.attach(request('web', { networks: { app: {} } }))
    for (const containerId of ['plain', 'web', 'web']) await service.serveNames({ containerId, pid: 7, servers: [] })
    assert.deepEqual(served, [
      { containerId: 'web', pid: 7, servers: [] },
      { containerId: 'web', pid: 7, servers: [], ports: { udp: 1, tcp: 2 } },
    ])
    assert.deepEqual(service.endpointsOf('web')[0]?.resolver, { udp: 1, tcp: 2 })
  })

  test('connect and disconnect move ports with the default route, and store what became of them', async () => {
    const { restart, namespaces, metadata } = host()
    const service = await restart()
    await service.create(create('a'))
    await service.create(create('b'))
    await service.attach(request('web', { ...WEB, networks: { b: {} } }))
    const inside = namespaces.inside('/proc/7/ns/net')
    inside.hostLinks.push({ index: 64, name: 'eth0', kind: 'veth', up: true, master: 0, mac: '', mtu: 1500, alias: '' })
    const common = { ...request('web', WEB), pid: 7 }
    const { endpoint, endpoints } = await service.connect({ ...common, network: 'a', endpoint: {} })
    assert.deepEqual([endpoint.networkName, endpoint.interfaceName], ['a', 'eth1'])
    assert.deepEqual(portsByNetwork(endpoints), { a: [8080], b: [] })
    const rows = metadata.repository<Endpoint>('endpoints').all()
    assert.deepEqual(portsByNetwork(rows.map(({ value }) => value)), { a: [8080], b: [] })
    const left = await service.disconnect({ ...common, network: 'a' })
    assert.deepEqual(portsByNetwork(left.endpoints), { b: [8080] })
    await assert.rejects(service.disconnect({ ...common, network: 'a' }), { message: /^container web is not connected to network a$/ })
  })

  test('connect gives everything back when the container has ended', async () => {
    const { restart: _, ...deps } = host()
    const gone = Object.assign(new Error('no such file'), { code: 'ENOENT' })
    const run = (): never => {
      throw gone
    }
    const service = createNetworkService({ ...deps, namespaces: { run }, options: OPTIONS })
    await service.restore(new Set())
    await service.create(create('a'))
    await service.attach(request('web'))
    const connecting = service.connect({ ...request('web'), network: 'a', endpoint: {}, pid: NOBODY })
    await assert.rejects(connecting, { message: 'the container ended meanwhile' })
    assert.deepEqual(
      service.endpointsOf('web').map(({ networkName }) => networkName),
      ['bridge'],
    )
    assert.equal(endpointRows(deps.metadata).length, 1)
  })

  test('connect to host and none is refused', async () => {
    const service = await host().restart()
    await service.attach(request('web'))
    await service.attach(request('h', { networks: { host: {} } }))
    const connect = (id: string, network: string): Promise<unknown> => service.connect({ ...request(id), network, endpoint: {}, pid: 7 })
    await assert.rejects(connect('web', 'host'), { code: 'INVALID_ARGUMENT', message: /connected to host network/ })
    await assert.rejects(connect('web', 'none'), { code: 'INVALID_ARGUMENT', message: /\(none\) mode/ })
    await assert.rejects(connect('h', 'bridge'), { code: 'INVALID_ARGUMENT', message: /connected to host network/ })
  })

  test('a network on its way out is none to attach to', async () => {
    const service = await host().restart()
    await service.create(create('a'))
    const removed = service.remove('a')
    await assert.rejects(service.attach(request('web', { networks: { a: {} } })), { code: 'NOT_FOUND', message: 'network a not found' })
    await removed
    assert.deepEqual(service.endpointsOf('web'), [])
  })

  test('one network that cannot be made keeps the daemon from nothing', async () => {
    const { restart, metadata, route } = host()
    const service = await restart()
    route.hostLinks.push({ index: 901, name: 'lan0', kind: '', up: true, master: 0, mac: '', mtu: 1500, alias: '' })
    await service.create({ ...create('lan'), driver: 'macvlan', options: { parent: 'lan0' } })
    route.hostLinks.splice(0, route.hostLinks.length)
    const next = await restart()
    await assert.rejects(next.attach(request('web', { networks: { lan: {} } })), {
      code: 'UNAVAILABLE',
      message: /network lan is not available/,
    })
    await next.remove('lan')
    assert.equal(metadata.repository('networks').all().length, 3)
  })
})

function portsByNetwork(endpoints: readonly Endpoint[]): Record<string, number[]> {
  return Object.fromEntries(endpoints.map(({ networkName, ports }) => [networkName, ports.map(({ hostPort }) => hostPort)]))
}
