/** Domain services for the tests of the edge: they record what they are asked and answer what the test tells them. */

import type { Duplex } from 'node:stream'
import { EMPTY_HOST_CONFIG, type AttachedIo, type Container, type ContainerService, type ContainerSummary } from '#containers'
import { notFound } from '#errors'
import type { EventBus } from '#events'
import type { ClassicBuilder } from '#build'
import type { Fsck } from '#fsck'
import type { Image, ImageService } from '#images'
import type { NetworkRecord, NetworkService } from '#networks'
import type { Digest } from '#oci'
import type { Remotes } from '#remotes'
import type { Volume, VolumeService } from '#volumes'
import type { ApiServerDeps, BuildkitBackend, SystemBackend } from '../backend.ts'

export const CONTAINER_ID: string = 'a1'.repeat(32)
export const IMAGE_ID: Digest = `sha256:${'b2'.repeat(32)}`
export const NETWORK_ID: string = 'c3'.repeat(32)

/** A method that a test does not set fails with its name, so no test passes by accident. */
function partialService<T extends object>(name: string, methods: Partial<T>): T {
  return new Proxy(methods as T, {
    get(target, key) {
      const method: unknown = Reflect.get(target, key)
      if (method !== undefined || typeof key === 'symbol') return method
      return () => {
        throw new Error(`unexpected call of ${name}.${key}`)
      }
    },
  })
}

export interface FakeServices {
  containers?: Partial<ContainerService>
  images?: Partial<ImageService>
  networks?: Partial<NetworkService>
  volumes?: Partial<VolumeService>
  events?: Partial<EventBus>
  system?: Partial<SystemBackend>
  remotes?: Partial<Remotes>
  content?: Partial<ApiServerDeps['content']>
  fsck?: Partial<Fsck>
  builds?: Partial<ApiServerDeps['builds']>
  classicBuilder?: Partial<ClassicBuilder>
  buildkit?: Partial<BuildkitBackend>
}

export function fakeDeps(services: FakeServices = {}, options: Partial<ApiServerDeps> = {}): ApiServerDeps {
  return {
    containers: partialService('containers', services.containers ?? {}),
    images: partialService('images', services.images ?? {}),
    networks: partialService('networks', services.networks ?? {}),
    volumes: partialService('volumes', services.volumes ?? {}),
    events: partialService('events', services.events ?? {}),
    system: partialService('system', services.system ?? {}),
    remotes: partialService('remotes', services.remotes ?? {}),
    content: partialService('content', services.content ?? {}),
    fsck: partialService('fsck', services.fsck ?? {}),
    builds: partialService('builds', services.builds ?? {}),
    classicBuilder: partialService('classicBuilder', services.classicBuilder ?? {}),
    buildkit: partialService('buildkit', services.buildkit ?? {}),
    serverVersion: '0.1.0',
    ...options,
  }
}

/** A `get` that knows one container. */
export function knowsContainer(container: Container): (ref: string) => Container {
  return (ref) => {
    if (ref === container.id || ref === container.name || ref === `/${container.name}`) return container
    throw notFound(`No such container: ${ref}`)
  }
}

/** What flows is decided by `serve`; resolves when it does. */
export function fakeIo(tty: boolean, serve: (client: Duplex) => Promise<void>): AttachedIo {
  return { tty, pipe: serve }
}

export function fakeContainer(changes: Partial<Container> = {}): Container {
  return {
    id: CONTAINER_ID,
    name: 'web',
    created: '2026-01-02T03:04:05.123456789Z',
    path: 'nginx',
    args: ['-g', 'daemon off;'],
    imageId: IMAGE_ID,
    config: {
      hostname: CONTAINER_ID.slice(0, 12),
      domainname: '',
      user: '',
      attachStdin: false,
      attachStdout: true,
      attachStderr: true,
      exposedPorts: ['80/tcp', '443/tcp'],
      tty: false,
      openStdin: false,
      stdinOnce: false,
      env: ['PATH=/bin'],
      cmd: ['nginx', '-g', 'daemon off;'],
      entrypoint: null,
      argsEscaped: false,
      image: 'nginx:1',
      volumes: [],
      workingDir: '',
      networkDisabled: false,
      onBuild: null,
      labels: { tier: 'front' },
      stopSignal: 'SIGQUIT',
      shell: null,
    },
    hostConfig: {
      ...EMPTY_HOST_CONFIG,
      logConfig: { type: 'json-file', config: {} },
      networkMode: 'bridge',
      portBindings: [{ containerPort: 80, protocol: 'tcp', hostIp: '', hostPort: '8080' }],
      cgroupnsMode: 'private',
      ipcMode: 'private',
      shmSize: 67_108_864,
      runtime: 'gantry',
      maskedPaths: ['/proc/kcore'],
      readonlyPaths: ['/proc/sys'],
    },
    networks: { bridge: {} },
    state: { status: 'running', pid: 4711, startedAt: '2026-01-02T03:04:06Z' },
    endpoints: [
      {
        id: 'd4'.repeat(32),
        networkId: NETWORK_ID,
        networkName: 'bridge',
        containerId: CONTAINER_ID,
        interfaceName: 'eth0',
        hostInterface: 'veth1',
        macAddress: '02:42:ac:11:00:02',
        ipv4Address: '172.17.0.2',
        ipv4PrefixLength: 16,
        ipv4Gateway: '172.17.0.1',
        ipv6Address: '',
        ipv6PrefixLength: 0,
        ipv6Gateway: '',
        aliases: [],
        links: [],
        dnsNames: [],
        ports: [
          { containerPort: 80, protocol: 'tcp', hostIp: '0.0.0.0', hostPort: 8080 },
          { containerPort: 80, protocol: 'tcp', hostIp: '::', hostPort: 8080 },
        ],
      },
    ],
    mounts: [],
    restartCount: 0,
    hasBeenStartedBefore: true,
    hasBeenManuallyStopped: false,
    platform: 'linux',
    logPath: '/var/lib/gantry/containers/x/x-json.log',
    hostnamePath: '/var/lib/gantry/containers/x/hostname',
    hostsPath: '/var/lib/gantry/containers/x/hosts',
    resolvConfPath: '/var/lib/gantry/containers/x/resolv.conf',
    apparmorProfile: '',
    execIds: [],
    ...changes,
  }
}

export function fakeSummary(changes: Partial<Container> = {}): ContainerSummary {
  return { container: fakeContainer(changes), imageName: 'nginx:1', status: 'Up 3 minutes' }
}

export function fakeImage(changes: Partial<Image> = {}): Image {
  return {
    id: IMAGE_ID,
    config: {
      created: '2026-01-01T00:00:00Z',
      architecture: 'amd64',
      os: 'linux',
      config: { Env: ['PATH=/bin'], Cmd: ['sh'] },
      rootfs: { type: 'layers', diff_ids: [`sha256:${'e5'.repeat(32)}`] },
    },
    chain: `sha256:${'e5'.repeat(32)}`,
    repoTags: ['busybox:latest'],
    repoDigests: [],
    size: 4_000_000,
    parent: '',
    lastTagged: 1_767_225_600_000,
    ...changes,
  }
}

export function fakeNetwork(changes: Partial<NetworkRecord> = {}): NetworkRecord {
  return {
    id: NETWORK_ID,
    name: 'bridge',
    driver: 'bridge',
    scope: 'local',
    internal: false,
    attachable: false,
    enableIPv4: true,
    enableIPv6: false,
    ipam: { driver: 'default', options: {}, config: [{ subnet: '172.17.0.0/16', gateway: '172.17.0.1' }] },
    options: { 'com.docker.network.bridge.name': 'gantry0' },
    labels: {},
    created: '2026-01-01T00:00:00Z',
    ...changes,
  }
}

export function fakeVolume(changes: Partial<Volume> = {}): Volume {
  return {
    name: 'data',
    driver: 'local',
    mountpoint: '/var/lib/gantry/volumes/data/_data',
    labels: {},
    options: {},
    createdAt: '2026-01-01T00:00:00Z',
    anonymous: false,
    scope: 'local',
    ...changes,
  }
}
