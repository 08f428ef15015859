import assert from 'node:assert/strict'
import { test } from 'node:test'
import { notFound } from '#errors'
import type { Image } from '#images'
import { parseNano } from '#lib'
import { listContainers, type ListDeps } from './list.ts'
import type { Container, ContainerState } from './types.ts'

const startedAt = '2024-05-06T07:00:00Z'
const running: ContainerState = { status: 'running', pid: 7, startedAt }
const exited = (exitCode: number): ContainerState => ({
  status: 'exited',
  startedAt,
  finishedAt: startedAt,
  exitCode,
  oomKilled: false,
  error: '',
})

interface Sample {
  name: string
  state?: ContainerState
  image?: string
  imageId?: string
  labels?: Record<string, string>
  exposedPorts?: string[]
  publish?: [number, 'tcp' | 'udp'][]
  mounts?: Partial<Container['mounts'][number]>[]
  networks?: string[]
  endpoint?: { networkName: string; networkId: string }
  health?: 'starting' | 'healthy'
}

/** Only what lists look at. */
function container(index: number, sample: Sample): Container {
  return {
    id: `${index}`.repeat(4).padEnd(64, 'f'),
    name: sample.name,
    imageId: sample.imageId ?? 'sha256:base',
    state: sample.state ?? running,
    config: { image: sample.image ?? 'alpine', labels: sample.labels ?? {}, exposedPorts: sample.exposedPorts ?? [] },
    hostConfig: {},
    mounts: (sample.mounts ?? []).map((mount) => ({ name: '', source: '', destination: '', ...mount })),
    networks: Object.fromEntries((sample.networks ?? ['bridge']).map((name) => [name, {}])),
    endpoints: [
      ...(sample.endpoint === undefined ? [] : [{ ports: [], ...sample.endpoint }]),
      {
        networkId: 'none',
        networkName: 'none',
        ports: (sample.publish ?? []).map(([containerPort, protocol]) => ({
          containerPort,
          protocol,
          hostIp: '',
          hostPort: containerPort + 8000,
        })),
      },
    ],
    ...(sample.health && { health: { status: sample.health, failingStreak: 0, log: [] } }),
  } as unknown as Container
}

/** Oldest first. */
const SAMPLES: Sample[] = [
  {
    name: 'db',
    state: exited(0),
    imageId: 'sha256:child',
    labels: { tier: 'back', zone: '' },
    mounts: [{ name: 'data', source: '/v/data', destination: '/db' }],
  },
  { name: 'web', exposedPorts: ['80/tcp', '443/tcp'], publish: [[80, 'tcp']], labels: { tier: 'front' }, health: 'healthy' },
  { name: 'job', state: exited(3), mounts: [{ source: '/host', destination: '/mnt' }] },
  {
    name: 'dns',
    exposedPorts: ['53/udp'],
    publish: [[53, 'udp']],
    networks: ['custom'],
    endpoint: { networkName: 'custom', networkId: 'abcdef' },
  },
  { name: 'new', state: { status: 'created' }, image: 'gone' },
]

const IMAGES = [
  { id: 'sha256:base', parent: '' },
  { id: 'sha256:middle', parent: 'sha256:base' },
  { id: 'sha256:child', parent: 'sha256:middle' },
] as unknown as Image[]

const CONTAINERS = SAMPLES.map((sample, index) => container(index + 1, sample))

const deps: ListDeps = {
  containers: CONTAINERS,
  find(ref) {
    const found = CONTAINERS.find(({ name }) => name === ref)
    if (found === undefined) throw notFound(`No such container: ${ref}`)
    return found
  },
  images: {
    get(ref) {
      const image = IMAGES.find(({ id }) => id === (ref === 'alpine' ? 'sha256:base' : ref))
      if (image === undefined) throw notFound(`No such image: ${ref}`)
      return image
    },
    list: () => IMAGES,
  },
  usage: async () => ({ sizeRw: 1, sizeRootFs: 2, disk: 3 }),
  now: parseNano('2024-05-06T07:05:00Z'),
}

async function names(options: { all?: boolean; limit?: number; filters?: Record<string, string[]> }): Promise<string> {
  const list = await listContainers(
    { all: options.all ?? false, limit: options.limit ?? 0, size: false, filters: options.filters ?? {} },
    deps,
  )
  return list.map((entry) => entry.container.name).join(' ')
}

/** With all states, by one filter. */
const by = (key: string, ...values: string[]) => names({ all: true, filters: { [key]: values } })

test('listContainers shows what runs, newest first', async () => {
  assert.equal(await names({}), 'dns web')
  assert.equal(await names({ all: true }), 'new dns job web db')
})

test('listContainers leaves out what is removed while sizes are measured', async () => {
  const [gone] = await listContainers({ all: true, limit: 0, size: false, filters: {} }, deps)
  const usage: ListDeps['usage'] = (id) =>
    id === gone?.container.id ? Promise.reject(notFound(`No such container: ${id}`)) : deps.usage(id)
  const measured = await listContainers({ all: true, limit: 0, size: true, filters: {} }, { ...deps, usage })
  assert.equal(measured.length, deps.containers.length - 1)
  assert.ok(measured.every(({ container, sizeRw }) => container !== gone?.container && sizeRw === 1))
})

test('listContainers with a limit counts containers of every state', async () => {
  assert.equal(await names({ limit: 1 }), 'new')
  assert.equal(await names({ limit: 2, filters: { label: ['tier'] } }), 'web db')
  assert.equal(await names({ limit: 9 }), 'new dns job web db')
})

test('listContainers keeps to before and since', async () => {
  assert.equal(await by('before', 'job'), 'web db')
  assert.equal(await by('since', 'job'), 'new dns')
  assert.equal(await names({ all: true, filters: { before: ['new'], since: ['web'] } }), 'dns job')
  await assert.rejects(by('since', 'nobody'), /No such container: nobody/)
})

test('listContainers filters by state, exit code and health', async () => {
  assert.equal(await names({ filters: { status: ['exited', 'created'] } }), 'new job db')
  assert.equal(await by('exited', '3'), 'job')
  assert.equal(await by('exited', '0', '3'), 'job db')
  assert.equal(await by('health', 'healthy'), 'web')
  assert.equal(await by('health', 'none'), 'new dns job db')
})

test('listContainers filters by name as a regular expression, with or without slash', async () => {
  assert.equal(await by('name', 'b'), 'job web db')
  assert.equal(await by('name', '^/?db$', '^new'), 'new db')
  assert.equal(await by('name', '(?i)WEB'), 'web')
  assert.equal(await by('name', '('), '')
})

test('listContainers filters by a unique prefix of the id', async () => {
  assert.equal(await by('id', '22'), 'web')
  assert.equal(await by('id', '22', '3333'), 'job web')
  assert.equal(await by('id', ''), '')
  assert.equal(await by('id', '22', 'nothing'), 'web')
})

test('listContainers filters by labels, all of them', async () => {
  assert.equal(await by('label', 'tier'), 'web db')
  assert.equal(await by('label', 'tier=back', 'zone='), 'db')
  assert.equal(await by('label', 'tier', 'missing'), '')
  assert.equal(await by('label', 'constructor'), '')
})

test('listContainers filters by image and what was built on it', async () => {
  assert.equal(await by('ancestor', 'alpine'), 'new dns job web db')
  assert.equal(await by('ancestor', 'sha256:middle'), 'db')
  assert.equal(await by('ancestor', 'missing'), '')
})

test('listContainers filters by ports, single and ranges', async () => {
  assert.equal(await by('expose', '80'), 'web')
  assert.equal(await by('expose', '400-500/tcp'), 'web')
  assert.equal(await by('expose', '53'), '')
  assert.equal(await by('publish', '8053/udp', '8080/tcp'), 'dns web')
  assert.equal(await by('publish', '80/tcp'), '', 'the port of the host counts')
  await assert.rejects(by('publish', '127.0.0.1:80'), { message: "filter for 'publish' should not contain ':': 127.0.0.1:80" })
  await assert.rejects(by('publish', '9-8'), /error while looking up for publish 9-8/)
})

test('listContainers filters by volume and network', async () => {
  assert.equal(await by('volume', 'data'), 'db')
  assert.equal(await by('volume', '/v/data'), '')
  assert.equal(await by('volume', '/host'), 'job')
  assert.equal(await by('volume', '/mnt', '/db'), 'job db')
  assert.equal(await by('network', 'custom'), 'dns')
  assert.equal(await by('network', 'abc'), 'dns')
  assert.equal(await by('network', 'bridge'), 'new job web db')
})

test('listContainers knows no tasks and no isolation', async () => {
  assert.equal(await by('is-task', 'true'), '')
  assert.equal(await by('is-task', 'false'), 'new dns job web db')
  assert.equal(await by('isolation', 'hyperv'), 'new dns job web db')
})

test('listContainers refuses filters that do not exist', async () => {
  const refusals: [string, string, string][] = [
    ['colour', 'red', "invalid filter 'colour'"],
    ['constructor', 'x', "invalid filter 'constructor'"],
    ['status', 'sleeping', "invalid filter 'status=sleeping'"],
    ['exited', 'zero', "invalid filter 'exited=zero'"],
    ['is-task', 'maybe', "invalid filter 'is-task=[maybe]'"],
    ['health', 'fine', 'Unrecognised filter value for health: fine'],
  ]
  for (const [key, value, message] of refusals) await assert.rejects(by(key, value), { code: 'INVALID_ARGUMENT', message })
})

test('listContainers shows the image by the name it was made with while that still means it', async () => {
  const list = await listContainers({ all: true, limit: 0, size: true, filters: {} }, deps)
  assert.deepEqual(
    list.map(({ imageName }) => imageName),
    ['sha256:base', 'alpine', 'alpine', 'alpine', 'sha256:child'],
  )
  assert.deepEqual([list[0]?.status, list[0]?.sizeRw, list[0]?.sizeRootFs], ['Created', 1, 2])
  assert.equal(list[2]?.status, 'Exited (3) 5 minutes ago')
})
