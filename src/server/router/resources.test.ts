import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeInfo } from '../wire/info.ts'
import type { SystemInfo } from '#api'
import {
  CONTAINER_ID,
  fakeContainer,
  fakeImage,
  fakeNetwork,
  fakeSummary,
  fakeVolume,
  IMAGE_ID,
  NETWORK_ID,
} from '../testing/fake-services.ts'
import { startServer, type Answer } from '../testing/harness.ts'

const json = (answer: Answer): Record<string, any> => answer.json() as Record<string, any>

test('images list filters and counts', async () => {
  const asked: unknown[] = []
  await using server = await startServer({
    containers: { list: async () => [fakeSummary(), fakeSummary()] },
    images: {
      list: (options) => {
        asked.push(options)
        return [fakeImage()]
      },
      sharedSize: () => 11,
    },
  })
  const filters = '{"dangling":["true"],"label":["a=b"],"reference":["x:*"],"before":["y"],"until":["2.5"]}'
  const [image] = (await server.request('GET', `/images/json?all=1&shared-size=1&filters=${filters}`)).json() as Record<string, unknown>[]
  assert.deepEqual([image?.['Containers'], image?.['SharedSize']], [2, 11])
  assert.deepEqual(asked[0], {
    all: true,
    filters: { reference: ['x:*'], label: ['a=b'], labelNot: [], dangling: true, until: 2500, before: 'y' },
  })
  await server.request('GET', '/v1.24/images/json?filter=nginx')
  assert.deepEqual(asked[1], { all: false, filters: { reference: ['nginx'], label: [], labelNot: [] } })
})

test('images are tagged, deleted, pruned and described', async () => {
  const calls: unknown[] = []
  await using server = await startServer({
    images: {
      tag: async (...args) => void calls.push(args),
      remove: async (...args) => {
        calls.push(args)
        return [{ untagged: 'a:b' }, { deleted: IMAGE_ID }]
      },
      prune: async (filters) => {
        calls.push(filters)
        return { deleted: [{ deleted: IMAGE_ID }], reclaimed: 7 }
      },
      history: () => [{ id: IMAGE_ID, created: 1, createdBy: 'RUN x', tags: ['a:b'], size: 2, comment: 'c' }],
      get: () => fakeImage(),
      layerPaths: () => ['/layers/1/diff'],
    },
  })
  assert.equal((await server.request('POST', '/images/library/x:1/tag?repo=a&tag=b')).status, 201)
  const deleted = await server.request('DELETE', '/images/library/x:1?force=1')
  assert.deepEqual(deleted.json(), [{ Untagged: 'a:b' }, { Deleted: IMAGE_ID }])
  const pruned = await server.request('POST', '/images/prune?filters={"dangling":["false"]}')
  assert.deepEqual(pruned.json(), { ImagesDeleted: [{ Deleted: IMAGE_ID }], SpaceReclaimed: 7 })
  assert.deepEqual(calls, [
    ['library/x:1', 'a', 'b'],
    ['library/x:1', { force: true, prune: true }],
    { dangling: false, reference: [], label: [], labelNot: [] },
  ])
  assert.deepEqual((await server.request('GET', '/images/x/history')).json(), [
    { Comment: 'c', Created: 1, CreatedBy: 'RUN x', Id: IMAGE_ID, Size: 2, Tags: ['a:b'] },
  ])
  assert.equal((await server.request('GET', '/images/x/json?platform={"os":"linux"}')).status, 400)
  assert.equal((await server.request('GET', '/v1.48/images/x/json?platform={"os":"linux"}')).status, 200)
})

test('networks list and inspect with containers', async () => {
  const networks = [
    fakeNetwork(),
    fakeNetwork({ id: 'f'.repeat(64), name: 'host', driver: 'host', ipam: { driver: 'default', options: {}, config: [] } }),
  ]
  await using server = await startServer({
    containers: { list: async () => [fakeSummary()] },
    networks: {
      list: () => networks,
      get: () => fakeNetwork(),
      endpoints: () => [...fakeContainer().endpoints, { ...fakeContainer().endpoints[0]!, containerId: 'gone' }],
    },
  })
  const names = async (filters: string): Promise<string[]> => {
    const list = (await server.request('GET', `/networks?filters=${encodeURIComponent(filters)}`)).json() as { Name: string }[]
    return list.map(({ Name }) => Name)
  }
  assert.deepEqual(await names(''), ['bridge', 'host'])
  assert.deepEqual(await names('{"name":["rid"]}'), ['bridge'])
  assert.deepEqual(await names('{"driver":["host"],"type":["builtin"]}'), ['host'])
  assert.deepEqual(await names('{"type":["custom"]}'), [])
  assert.deepEqual(await names('{"label":["x"]}'), [])
  const inspect = json(await server.request('GET', `/networks/${NETWORK_ID}`))
  assert.deepEqual(inspect['Containers'], {
    [CONTAINER_ID]: {
      Name: 'web',
      EndpointID: 'd4'.repeat(32),
      MacAddress: '02:42:ac:11:00:02',
      IPv4Address: '172.17.0.2/16',
      IPv6Address: '',
    },
  })
  assert.deepEqual(inspect['Status'].IPAM.Subnets, { '172.17.0.0/16': { IPsInUse: 4, DynamicIPsAvailable: 65_532 } })
  assert.equal(json(await server.request('GET', '/v1.51/networks/bridge'))['Status'], undefined)
  assert.equal((await server.request('GET', '/networks/bridge?scope=swarm')).status, 404)
  const [oldest] = (await server.request('GET', '/v1.27/networks')).json() as Record<string, never>[]
  assert.deepEqual(Object.keys(oldest?.['Containers'] ?? {}), [CONTAINER_ID])
})

test('networks are created, connected, disconnected, removed and pruned', async () => {
  const calls: unknown[] = []
  await using server = await startServer({
    containers: {
      connectNetwork: async (...args) => void calls.push(['connect', ...args]),
      disconnectNetwork: async (...args) => void calls.push(['disconnect', ...args]),
    },
    networks: {
      create: async (request) => {
        calls.push(request)
        return fakeNetwork()
      },
      remove: async (ref) => {
        calls.push(['remove', ref])
        return fakeNetwork()
      },
      prune: async (matches) => [fakeNetwork({ name: 'old', labels: { a: 'b' } }), fakeNetwork({ name: 'new' })].filter(matches),
    },
  })
  const pool = { Subnet: '10.1.0.0/24', IPRange: '10.1.0.0/25', Gateway: '10.1.0.9', AuxiliaryAddresses: { dns: '10.1.0.10' } }
  const body = { Name: 'back', CheckDuplicate: true, EnableIPv4: false, IPAM: { Config: [pool] }, ConfigFrom: { Network: 'template' } }
  const created = await server.request('POST', '/networks/create', { body })
  assert.deepEqual([created.status, created.json()], [201, { Id: NETWORK_ID, Warning: '' }])
  const asked = {
    name: 'back',
    driver: '',
    scope: '',
    internal: false,
    attachable: false,
    ingress: false,
    configOnly: false,
    configFrom: 'template',
    enableIPv4: false,
    ipam: {
      driver: '',
      options: {},
      config: [{ subnet: '10.1.0.0/24', ipRange: '10.1.0.0/25', gateway: '10.1.0.9', auxAddresses: { dns: '10.1.0.10' } }],
    },
    options: {},
    labels: {},
  }
  await server.request('POST', '/v1.47/networks/create', { body: { Name: 'old', EnableIPv4: false } })
  const { enableIPv4: _unknownThen, ...old } = asked
  assert.deepEqual(calls, [asked, { ...old, name: 'old', configFrom: '', ipam: { driver: '', options: {}, config: [] } }])

  calls.length = 0
  const endpoint = { Aliases: ['db'], IPAMConfig: { IPv4Address: '10.1.0.4' }, GwPriority: 3 }
  assert.equal(
    (await server.request('POST', '/networks/back/connect', { body: { Container: 'web', EndpointConfig: endpoint } })).status,
    200,
  )
  assert.equal((await server.request('POST', '/networks/back/disconnect', { body: { Container: 'web', Force: true } })).status, 200)
  assert.equal((await server.request('DELETE', '/networks/back')).status, 204)
  assert.deepEqual(calls, [
    ['connect', 'web', 'back', { aliases: ['db'], ipv4Address: '10.1.0.4', gwPriority: 3 }],
    ['disconnect', 'web', 'back', { force: true }],
    ['remove', 'back'],
  ])

  const prune = async (filters: object): Promise<unknown> =>
    (await server.request('POST', `/networks/prune?filters=${encodeURIComponent(JSON.stringify(filters))}`)).json()
  assert.deepEqual(await prune({ label: ['a=b'] }), { NetworksDeleted: ['old'] })
  assert.deepEqual(await prune({ 'label!': ['a'] }), { NetworksDeleted: ['new'] })
  assert.deepEqual(await prune({ until: ['1970-01-01'] }), { NetworksDeleted: null })
})

test('volumes are made, filtered, removed and pruned', async () => {
  const calls: unknown[] = []
  const volumes = [fakeVolume({ labels: { tier: 'db' } }), fakeVolume({ name: 'cache' })]
  await using server = await startServer({
    volumes: {
      list: async () => ({ volumes, warnings: [] }),
      get: async () => fakeVolume(),
      users: (name) => (name === 'data' ? [CONTAINER_ID] : []),
      create: async (request) => {
        calls.push(request)
        return { volume: fakeVolume(), created: true }
      },
      remove: async (...args) => void calls.push(args),
      prune: async (filters) => {
        calls.push(filters)
        return { deleted: ['x'], reclaimed: 3 }
      },
    },
  })
  const names = async (filters: string): Promise<string[]> => {
    const { Volumes } = json(await server.request('GET', `/volumes?filters=${encodeURIComponent(filters)}`))
    return (Volumes as { Name: string }[]).map(({ Name }) => Name)
  }
  assert.deepEqual(await names(''), ['data', 'cache'])
  assert.deepEqual(await names('{"dangling":["true"]}'), ['cache'])
  assert.deepEqual(await names('{"label":["tier=db"]}'), ['data'])
  assert.deepEqual(await names('{"name":["ach"]}'), ['cache'])
  const created = await server.request('POST', '/volumes/create', { body: { Name: 'data', DriverOpts: { o: 'x' }, Labels: null } })
  assert.deepEqual([created.status, json(created)['Labels']], [201, null])
  await server.request('POST', '/volumes/create')
  assert.equal((await server.request('DELETE', '/volumes/data?force=1')).status, 204)
  await server.request('POST', '/v1.41/volumes/prune')
  await server.request('POST', '/volumes/prune?filters={"all":["1"],"label!":["keep"]}')
  await server.request('POST', '/volumes/prune')
  assert.deepEqual(calls, [
    { name: 'data', driver: '', options: { o: 'x' }, labels: {}, anonymous: false },
    { name: '', driver: '', options: {}, labels: {}, anonymous: true },
    ['data', { force: true }],
    { all: true, label: [], labelNot: [] },
    { all: true, label: [], labelNot: ['keep'] },
    { all: false, label: [], labelNot: [] },
  ])
})

test('disk usage changes its form with the version', async () => {
  await using server = await startServer({
    containers: {
      list: async () => [
        { ...fakeSummary(), sizeRw: 1, disk: 10 },
        { ...fakeSummary({ state: { status: 'created' } }), sizeRw: 1, disk: 5 },
      ],
    },
    images: {
      list: () => [fakeImage(), fakeImage({ id: `sha256:${'9'.repeat(64)}`, size: 100 })],
      diskUsage: async () => ({
        total: 4_000_100,
        of: () => ({ size: 70, shared: 7 }),
        reclaimable: (active) => 4_000_100 - 4_000_000 * [...active].length,
      }),
    },
    volumes: { known: () => [fakeVolume()], usage: async () => 6, users: () => [] },
    builds: { diskUsage: async () => [] },
  })
  const get = async (path: string): Promise<Record<string, any>> => json(await server.request('GET', path))
  const old = await get('/v1.51/system/df')
  assert.deepEqual(Object.keys(old), ['LayersSize', 'Images', 'Containers', 'Volumes', 'BuildCache'])
  assert.equal(old['LayersSize'], 4_000_100)
  assert.deepEqual([old['Images'][0].Size, old['Images'][0].SharedSize, old['Containers'][0].SizeRw], [70, 7, 10])
  assert.deepEqual(old['Volumes'][0].UsageData, { Size: 6, RefCount: 0 })
  const both = await get('/v1.52/system/df')
  assert.equal(both['Images'].length, 2)
  assert.deepEqual(both['ImageUsage'], { ActiveCount: 1, TotalCount: 2, TotalSize: 4_000_100, Reclaimable: 100 })
  assert.deepEqual(both['ContainerUsage'], { ActiveCount: 1, TotalCount: 2, TotalSize: 15, Reclaimable: 5 })
  const verbose = await get('/system/df?verbose=1&type=volume')
  assert.deepEqual(Object.keys(verbose), ['VolumeUsage'])
  assert.equal(verbose['VolumeUsage'].Items.length, 1)
  assert.equal((await server.request('GET', '/system/df?type=network')).status, 400)
  assert.equal((await server.request('GET', '/system/df?verbose=maybe')).status, 400)
})

test('info loses fields for older versions and gains those they had', () => {
  const info = {
    Runtimes: { gantry: { path: 'g', status: { a: 'b' } } },
    RegistryConfig: { InsecureRegistryCIDRs: [], IndexConfigs: {}, Mirrors: null },
    ContainerdCommit: { ID: '1' },
    RuncCommit: { ID: '2' },
    InitCommit: { ID: '3' },
    FirewallBackend: { Driver: 'nftables' },
    DiscoveredDevices: [],
    NRI: {},
  } as unknown as SystemInfo
  assert.deepEqual(encodeInfo(info, 55), info)
  const old = encodeInfo(info, 43)
  assert.deepEqual(old.Runtimes, { gantry: { path: 'g' } })
  assert.deepEqual(old.InitCommit, { ID: '3', Expected: '3' })
  assert.equal(old.BridgeNfIptables, false)
  assert.equal(old.FirewallBackend, undefined)
  assert.equal(old.NRI, undefined)
  assert.deepEqual(encodeInfo(info, 49).FirewallBackend, { Driver: 'nftables' })
})
