import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventType } from '#events'
import { notFound } from '#errors'
import type { Image, ImageService } from '#images'
import { createFakeFiles, createFakeMounts, FULL_CGROUP_SUPPORT } from '#kernel'
import type { LogReader } from '#logs'
import { createMemoryMetadata, type Metadata } from '#metadata'
import type { Snapshotter } from '#snapshots'
import type { ContainerDeps } from '../context.ts'
import { createContainerService } from '../service.ts'
import type { HostFacts } from '../spec/index.ts'
import type { ContainerService } from '../types.ts'
import { FakeClock } from './fake-clock.ts'
import { FakeNetworks } from './fake-networks.ts'
import { FakeRuntime } from './fake-runtime.ts'
import { FakeVolumes } from './fake-volumes.ts'
import { SAMPLE_DEFAULTS } from './sample-defaults.ts'

export interface PublishedEvent {
  type: EventType
  action: string
  id: string
  attributes: Record<string, string>
}

/** A service over fakes, and the fakes. Disposing removes the temporary directory. */
export interface TestBench extends Disposable {
  service: ContainerService
  deps: ContainerDeps
  runtime: FakeRuntime
  clock: FakeClock
  volumes: FakeVolumes
  metadata: Metadata
  events: PublishedEvent[]
  /** Writable layers there are. */
  layers: Set<string>
  /** Containers with a network. */
  attached: Set<string>
  networks: FakeNetworks
  warnings: string[]
  /** Actions of a container in order. */
  actions(id: string): string[]
  /** The next daemon over the same state; the fakes go on. */
  restarted(): Promise<ContainerService>
}

export const TEST_IMAGE: Image = {
  id: `sha256:${'1'.repeat(64)}`,
  config: {
    architecture: 'amd64',
    os: 'linux',
    config: { Cmd: ['sh'], Env: ['PATH=/bin'] },
    rootfs: { type: 'layers', diff_ids: [] },
  },
  chain: `sha256:${'2'.repeat(64)}`,
  repoTags: ['test:latest'],
  repoDigests: [],
  size: 1000,
  parent: '',
  lastTagged: 0,
}

/** Everything is there, nothing touches the machine but a temporary directory. */
export function testBench(image: Image = TEST_IMAGE): TestBench {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-containers-'))
  for (const name of ['tasks', 'containers']) mkdirSync(join(directory, name))
  const runtime = new FakeRuntime()
  const clock = new FakeClock()
  const volumes = new FakeVolumes()
  const metadata = createMemoryMetadata()
  const events: PublishedEvent[] = []
  const layers = new Set<string>()
  const networks = new FakeNetworks()
  const warnings: string[] = []
  const deps: ContainerDeps = {
    metadata,
    runtime,
    snapshotter: fakeSnapshotter(directory, layers),
    images: fakeImages(image),
    volumes,
    networks: networks.service,
    events: { publish: (type, action, id, attributes) => events.push({ type, action, id, attributes }) },
    logs: NO_LOGS,
    // No process of a test has a root of its own to look into.
    files: { ...createFakeFiles(), openRoot: () => ({ fd: 1000, [Symbol.dispose]: () => undefined }) },
    mounts: createFakeMounts(),
    cgroups: { version: 2, root: join(directory, 'cgroup') },
    support: { ...FULL_CGROUP_SUPPORT, cpuRealtime: false },
    cgroupControl: {
      prepare: () => undefined,
      release: () => undefined,
      freeze: async () => undefined,
      thaw: () => undefined,
      update: () => undefined,
    },
    host: HOST,
    devices: { directories: [], list: async () => [], inject: async (spec) => spec },
    clock,
    paths: {
      containerDirectory: (id) => join(directory, 'containers', id),
      tasksDirectory: join(directory, 'tasks'),
      taskDirectory: (id) => join(directory, 'tasks', id),
      sharedMemory: (id) => join(directory, 'shm', id),
    },
    defaults: () => SAMPLE_DEFAULTS,
    warn: (message) => warnings.push(message),
  }
  const restarted = async (): Promise<ContainerService> => {
    const service = createContainerService(deps)
    await service.restore()
    return service
  }
  return {
    service: createContainerService(deps),
    deps,
    runtime,
    clock,
    volumes,
    metadata,
    events,
    layers,
    attached: networks.attached,
    networks,
    warnings,
    actions: (id) => events.filter((event) => event.type === 'container' && event.id === id).map(({ action }) => action),
    restarted,
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  }
}

const HOST: HostFacts = {
  machine: 'x64',
  kernel: '6.18.0',
  capabilities: ['CAP_CHOWN', 'CAP_KILL', 'CAP_NET_ADMIN'],
  apparmor: false,
  recursiveReadOnly: true,
  thermalThrottlePaths: [],
  sysctlExists: () => true,
  devicesAt: () => undefined,
  allDevices: () => [],
  propagationOf: () => ({ mountPoint: '/', propagation: 'private' }),
}

const NO_LOGS: LogReader = {
  async *read() {},
}

function fakeImages(image: Image): ContainerDeps['images'] {
  const get: ImageService['get'] = (ref) => {
    if (ref !== image.id && !image.repoTags.includes(`${ref}:latest`)) throw notFound(`No such image: ${ref}:latest`)
    return image
  }
  const resolve: ImageService['resolve'] = async (ref, platform) => {
    if (platform !== 'linux/amd64')
      throw notFound(`image with reference ${ref} was found but does not provide the specified platform (${platform})`)
    return get(ref)
  }
  return { get, resolve, list: () => [image], commit: async () => image }
}

function fakeSnapshotter(directory: string, layers: Set<string>): Snapshotter {
  const used: Partial<Snapshotter> = {
    prepare: async (key) => void layers.add(key),
    remove: async (key) => void layers.delete(key),
    overlay: (key) => ({ cwd: directory, lower: ['image'], upper: join(directory, 'upper', key), work: join(directory, 'work', key) }),
    layerPaths: (chain) => [join(directory, 'layers', chain)],
    usage: async () => ({ size: 10, inodes: 1, disk: 0 }),
    view: () => ({ path: '/proc/self/fd/1000', fd: 1000, [Symbol.dispose]: () => undefined }),
  }
  return used as Snapshotter
}
