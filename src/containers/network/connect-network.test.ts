import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { settle } from '../testing/fake-clock.ts'
import { testBench, type TestBench } from '../testing/fake-deps.ts'
import type { HostConfig } from '../configuration.ts'
import type { CreateRequest } from '../types.ts'

async function create(
  bench: TestBench,
  name: string,
  hostConfig: Partial<HostConfig> = {},
  networks: CreateRequest['networks'] = {},
): Promise<string> {
  const config = { image: 'test', ...(hostConfig.networkMode?.startsWith('container:') ? {} : { hostname: 'host' }) }
  const { id } = await bench.service.create({ name, platform: '', networks, hostConfig, config })
  return id
}

async function started(bench: TestBench, ...request: [string, Partial<HostConfig>?, CreateRequest['networks']?]): Promise<string> {
  const id = await create(bench, ...request)
  await bench.service.start(id)
  return id
}

const networksOf = (bench: TestBench, id: string): string[] => Object.keys(bench.service.get(id).networks)
const hostsOf = (bench: TestBench, id: string): string => readFileSync(bench.service.get(id).hostsPath, 'utf8')
const networkEvents = (bench: TestBench): string[] =>
  bench.events.filter(({ type }) => type === 'network').map(({ action, attributes }) => `${action} ${attributes['name']}`)

describe('a new container', () => {
  it('is on the networks it names, by their names, also those that do not exist yet', async () => {
    using bench = testBench()
    const back = bench.networks.add('back')
    const id = await create(bench, 'web', { networkMode: 'later' }, { [back.id]: { aliases: ['db'] }, later: {} })
    assert.deepEqual(bench.service.get(id).networks, { back: { aliases: ['db'] }, later: {} })
    await assert.rejects(bench.service.start(id), {
      code: 'NOT_FOUND',
      message: 'failed to set up container networking: network later not found',
    })
    bench.networks.add('later')
    await bench.service.start(id)
    assert.equal(bench.service.get(id).networks['back']?.networkId, back.id)
    assert.ok(bench.networks.served.has(id))
  })

  it('is refused with settings that no endpoint can have', async () => {
    using bench = testBench()
    await assert.rejects(create(bench, 'web', {}, { bridge: { ipv4Address: 'bad' } }), {
      code: 'INVALID_ARGUMENT',
      message: 'invalid config for network bridge: invalid endpoint settings:\ninvalid IPv4 address: bad',
    })
  })
})

describe('connectNetwork', () => {
  it('gives a running container another endpoint, names and an event', async () => {
    using bench = testBench()
    bench.networks.add('back')
    const id = await started(bench, 'web')
    await bench.service.connectNetwork(id, 'back', { aliases: ['friend'] })
    const { endpoints, resolvConfPath } = bench.service.get(id)
    assert.deepEqual(
      endpoints.map(({ networkName }) => networkName),
      ['bridge', 'back'],
    )
    assert.match(hostsOf(bench, id), /^172\.17\.0\.2\thost\n172\.20\.0\.2\thost$/m)
    assert.match(readFileSync(resolvConfPath, 'utf8'), /^nameserver 127\.0\.0\.11$/m)
    assert.deepEqual(networkEvents(bench), ['connect bridge', 'connect back'])
    await assert.rejects(bench.service.connectNetwork(id, 'back', {}), {
      code: 'FORBIDDEN',
      message: 'endpoint with name web already exists in network back',
    })
    await assert.rejects(bench.service.connectNetwork(id, 'nope', {}), { code: 'NOT_FOUND', message: 'network nope not found' })
  })

  it('leaves a resolv.conf alone that the container has changed', async () => {
    using bench = testBench()
    bench.networks.add('back')
    const id = await started(bench, 'web')
    const { resolvConfPath } = bench.service.get(id)

    writeFileSync(resolvConfPath, 'nameserver 10.0.0.1\n')
    await bench.service.connectNetwork(id, 'back', {})
    assert.equal(readFileSync(resolvConfPath, 'utf8'), 'nameserver 10.0.0.1\n')
  })

  it('puts a container that does not run on the network for its next start, and never twice', async () => {
    using bench = testBench()
    bench.networks.add('back')
    const id = await create(bench, 'web')
    await bench.service.connectNetwork(id, 'back', { aliases: ['first'] })
    await bench.service.connectNetwork(id, 'back', { aliases: ['second'] })
    await bench.service.connectNetwork(id, 'nope', {})
    assert.deepEqual(bench.service.get(id).networks, { bridge: {}, back: { aliases: ['first'] }, nope: {} })
    assert.deepEqual(networkEvents(bench), [])
  })

  it('refuses what goes with no other network', async () => {
    using bench = testBench()
    bench.networks.add('back')
    const plain = await started(bench, 'plain')
    const hosted = await started(bench, 'hosted', { networkMode: 'host' })
    const lonely = await create(bench, 'lonely', { networkMode: 'none' })
    const guest = await started(bench, 'guest', { networkMode: `container:${plain}` })
    const refused = (id: string, network: string, message: RegExp): Promise<void> =>
      assert.rejects(bench.service.connectNetwork(id, network, {}), { code: 'INVALID_ARGUMENT', message })
    await refused(hosted, 'back', /^container sharing network namespace with another container or host/)
    await refused(guest, 'back', /^container sharing network namespace with another container or host/)
    await refused(lonely, 'back', /networks in private \(none\) mode$/)
    await refused(plain, 'host', /^cannot connect container to host network/)
  })
})

describe('disconnectNetwork', () => {
  it('takes a running container off, with its names and an event', async () => {
    using bench = testBench()
    bench.networks.add('back')
    const id = await started(bench, 'web', { networkMode: 'back' }, { back: {}, bridge: {} })
    await bench.service.disconnectNetwork(id, 'back', { force: false })
    assert.deepEqual(networksOf(bench, id), ['bridge'])
    assert.doesNotMatch(hostsOf(bench, id), /172\.20/)
    assert.equal(networkEvents(bench).at(-1), 'disconnect back')
    await assert.rejects(bench.service.disconnectNetwork(id, 'back', { force: false }), {
      message: `container ${id} is not connected to network back`,
    })
  })

  it('takes one that does not run off by its record, also from a network that is gone', async () => {
    using bench = testBench()
    bench.networks.add('back')
    const id = await create(bench, 'web', { networkMode: 'back' })
    bench.networks.remove('back')
    await bench.service.disconnectNetwork(id, 'back', { force: false })
    assert.deepEqual(networksOf(bench, id), [])
    await assert.rejects(bench.service.disconnectNetwork(id, 'back', { force: false }), {
      message: `container ${id} is not connected to the network back`,
    })
    await bench.service.start(id)
    assert.deepEqual(networksOf(bench, id), [])
  })

  it('refuses to take a container off the host, and says what a forced one does not find', async () => {
    using bench = testBench()
    const id = await started(bench, 'web', { networkMode: 'host' })
    await assert.rejects(bench.service.disconnectNetwork(id, 'host', { force: true }), {
      code: 'INVALID_ARGUMENT',
      message: 'cannot disconnect container from host network - container was created in host network mode',
    })
    await assert.rejects(bench.service.disconnectNetwork('nobody', 'bridge', { force: true }), {
      code: 'NOT_FOUND',
      message: 'endpoint nobody not found',
    })
  })
})

describe('networks of a container', () => {
  it('follow its name', async () => {
    using bench = testBench()
    const id = await started(bench, 'web')
    await bench.service.rename(id, 'site')
    assert.deepEqual(bench.service.get(id).endpoints[0]?.dnsNames, ['site'])
  })

  it('are left with its end, and known by their ids', async () => {
    using bench = testBench()
    const back = bench.networks.add('back')
    const id = await started(bench, 'web', { networkMode: 'back' })
    bench.runtime.lastTask.end()
    await settle()
    const { endpoints, networks } = bench.service.get(id)
    assert.deepEqual([endpoints, networks], [[], { back: { networkId: back.id } }])
    assert.equal(bench.networks.served.size, 0)
    assert.equal(networkEvents(bench).at(-1), 'disconnect back')
    // Another network of that name is not the one it was on.
    bench.networks.remove('back')
    bench.networks.add('back')
    await assert.rejects(bench.service.start(id), { message: `failed to set up container networking: network ${back.id} not found` })
  })

  it('are caught up with when a daemon ended between a change and its row, and names answered again', async () => {
    using bench = testBench()
    bench.networks.add('back')
    const id = await started(bench, 'web')
    await bench.networks.service.connect({ containerId: id, network: 'back' } as never)
    await bench.networks.service.disconnect({ containerId: id, network: 'bridge' } as never)
    bench.networks.served.clear()
    bench.runtime.adoptable.set(id, { state: 'running', task: bench.runtime.lastTask })

    mkdirSync(bench.deps.paths.taskDirectory(id), { recursive: true })
    const service = await bench.restarted()
    assert.deepEqual(Object.keys(service.get(id).networks), ['back'])
    assert.ok(bench.networks.served.has(id))
  })
})

describe('links', () => {
  it('give hosts and variables, are shown by the names of today, and follow an address', async () => {
    using bench = testBench()
    const db = await started(bench, 'db')
    const id = await started(bench, 'web', { links: ['db:store', 'db'] })
    assert.match(hostsOf(bench, id), /^172\.17\.0\.2\tstore host db\n172\.17\.0\.2\tdb host$/m)
    assert.ok(bench.runtime.launches.at(-1)?.spec.process.env.includes('STORE_NAME=/web/store'))
    await bench.service.rename(db, 'database')
    assert.deepEqual(bench.service.get(id).hostConfig.links, ['/database:/web/store', '/database:/web/db'])
    assert.equal(bench.service.get('web/store').id, db)
    const listed = await bench.service.list({ all: true, limit: 0, size: false, filters: {} })
    assert.deepEqual(listed.find(({ container }) => container.id === db)?.linkNames, ['web/store', 'web/db'])

    await bench.service.kill(db, '')
    await started(bench, 'other')
    await bench.service.start(db)
    assert.match(hostsOf(bench, id), /^172\.17\.0\.4\tstore host db$/m)

    await bench.service.remove('web/store', { force: false, volumes: false, link: true })
    assert.doesNotMatch(hostsOf(bench, id), /store/)
    assert.deepEqual(bench.service.get(id).hostConfig.links, ['/database:/web/db'])
    await assert.rejects(bench.service.remove('web', { force: false, volumes: false, link: true }), {
      message: 'Conflict, cannot remove the default link name of the container',
    })
  })

  it('are refused to what does not exist, has the network of the host, or does not run', async () => {
    using bench = testBench()
    await assert.rejects(create(bench, 'a', { links: ['nobody'] }), {
      message: 'could not get container for nobody: No such container: nobody',
    })
    await assert.rejects(create(bench, 'a', { links: ['x:y:z'] }), { message: 'bad format for links: x:y:z' })
    await create(bench, 'hosted', { networkMode: 'host' })
    await assert.rejects(create(bench, 'a', { links: ['hosted'] }), { message: /^conflicting options: host type networking/ })
    await create(bench, 'db')
    const id = await create(bench, 'web', { links: ['/db:/old/store'] })
    await assert.rejects(bench.service.start(id), { message: 'Cannot link to a non running container: /db AS /web/store' })
  })
})
