import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { FULL_CGROUP_SUPPORT, type CgroupSupport } from '#kernel'
import type { DaemonConfig } from './config/daemon-config.ts'
import { createSystemBackend, type SystemDeps } from './system.ts'

function backend(
  deps: { support?: Partial<CgroupSupport>; version?: 1 | 2; cgroupnsMode?: 'host' | 'private'; devices?: SystemDeps['devices'] } = {},
) {
  const config = {
    experimental: false,
    debug: false,
    dataRoot: tmpdir(),
    labels: [],
    network: { addressPools: [], firewall: true },
    registries: {
      mirrors: ['http://mirror/'],
      insecure: ['10.0.0.0/8', 'registry:5000'],
      proxy: { http: 'http://me:secret@proxy', https: '', no: 'localhost' },
    },
    containers: {
      runtime: 'gantry',
      logConfig: { type: 'json-file', config: {} },
      noNewPrivileges: false,
      ...(deps.cgroupnsMode === undefined ? {} : { cgroupnsMode: deps.cgroupnsMode }),
    },
  } as unknown as DaemonConfig
  const system: SystemDeps = {
    config: () => config,
    containers: { list: () => Promise.resolve([]) },
    volumes: { drivers: () => ['local'] },
    images: { list: () => [] },
    events: { subscribers: () => 0 },
    devices: deps.devices ?? { directories: [], list: async () => [], problems: async () => [] },
    host: {
      kernelVersion: '6.1.0',
      operatingSystem: 'Linux',
      osVersion: '1',
      architecture: 'x86_64',
      goArchitecture: 'amd64',
      cpus: 2,
      memory: 1024,
    },
    cgroups: { version: deps.version ?? 2, support: { ...FULL_CGROUP_SUPPORT, ...deps.support } },
    id: 'an-id',
    seccomp: 'builtin',
  }
  return createSystemBackend(system)
}

test('version has no empty line where clients print one', async () => {
  const { Components, GitCommit, GoVersion, BuildTime } = await backend().version()
  const details = Components.flatMap((component) => Object.values(component.Details ?? {}))
  for (const value of [GitCommit, GoVersion, BuildTime, ...details]) assert.notEqual(value, '')
})

test('version names the JavaScript engine as a component', async () => {
  const { Components } = await backend().version()
  assert.equal(Components.find(({ Name }) => Name === 'node')?.Version, process.versions.node)
})

test('info says what lies below the layers', async () => {
  const { DriverStatus } = await backend().info()
  assert.equal(DriverStatus[0]?.[0], 'Backing Filesystem')
  assert.notEqual(DriverStatus[0]?.[1], '')
})

test('info warns of limits the kernel cannot enforce, in the words of dockerd', async () => {
  assert.deepEqual((await backend().info()).Warnings, [])
  const { Warnings, SwapLimit } = await backend({ support: { swap: false } }).info()
  assert.equal(SwapLimit, false)
  assert.deepEqual(Warnings, ['WARNING: No swap limit support'])
})

test('info shows how registries are spoken to, and no password of a proxy', async () => {
  const { RegistryConfig, HttpProxy, NoProxy } = await backend().info()
  assert.deepEqual(RegistryConfig, {
    InsecureRegistryCIDRs: ['10.0.0.0/8', '::1/128', '127.0.0.0/8'],
    IndexConfigs: {
      'docker.io': { Name: 'docker.io', Mirrors: ['http://mirror/'], Secure: true, Official: true },
      'registry:5000': { Name: 'registry:5000', Mirrors: [], Secure: false, Official: false },
    },
    Mirrors: ['http://mirror/'],
  })
  assert.deepEqual([HttpProxy, NoProxy], ['http://xxxxx:xxxxx@proxy', 'localhost'])
})

test('info lists cgroup namespaces where containers get one by default', async () => {
  const options = async (deps: Parameters<typeof backend>[0]) => (await backend(deps).info()).SecurityOptions
  assert.deepEqual(await options({ version: 2 }), ['name=seccomp,profile=builtin', 'name=cgroupns'])
  assert.deepEqual(await options({ version: 1 }), ['name=seccomp,profile=builtin'])
  assert.deepEqual(await options({ version: 1, cgroupnsMode: 'private' }), ['name=seccomp,profile=builtin', 'name=cgroupns'])
  assert.deepEqual(await options({ version: 2, support: { cgroupNamespaces: false } }), ['name=seccomp,profile=builtin'])
})

test('info names the devices there are, and files that are broken', async () => {
  const none = await backend().info()
  assert.deepEqual([none.CDISpecDirs, none.DiscoveredDevices, none.Warnings], [[], undefined, []])
  const found = await backend({
    devices: {
      directories: ['/etc/cdi'],
      list: async () => [{ name: 'v.com/c=a', annotations: {} }],
      problems: async () => [{ path: '/etc/cdi/x.json', message: 'it is broken' }],
    },
  }).info()
  assert.deepEqual(found.CDISpecDirs, ['/etc/cdi'])
  assert.deepEqual(found.DiscoveredDevices, [{ Source: 'cdi', ID: 'v.com/c=a' }])
  assert.deepEqual(found.Warnings, ['CDI: Error associated with spec file /etc/cdi/x.json: it is broken'])
})
