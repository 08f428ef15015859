import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { availableParallelism, hostname } from 'node:os'
import { createBuilder, type Builder } from '#build'
import { createCdiRegistry } from '#cdi'
import { createContainerService, probeHostFacts, recordedContainerIds, type ContainerDefaults, type ContainerService } from '#containers'
import { createContentStore } from '#content'
import { createEventBus } from '#events'
import { createFsck } from '#fsck'
import { createImageService } from '#images'
import {
  cgroupSupport,
  createFiles,
  createMounts,
  createNetworkNamespaces,
  createPortProbe,
  createSysctls,
  detectCgroupLayout,
  openConntrack,
  openNftables,
  openRouteNetlink,
  prepareCgroupParent,
} from '#kernel'
import { createLogReader } from '#logs'
import { openMetadata } from '#metadata'
import { createNameServer, createNetworkService, type NetworkService } from '#networks'
import { createHostResolver, createRemotes, type Remotes } from '#remotes'
import { createRuntime } from '#runtime'
import type { ApiServerDeps } from '#server'
import { createOverlaySnapshotter, createWorkerPool } from '#snapshots'
import { createVolumeService } from '#volumes'
import { createBuildDoors } from './build-doors.ts'
import { buildSettings, diskSpace } from './build-settings.ts'
import { createCgroupControl } from './cgroup-control.ts'
import { systemClock } from './clock.ts'
import type { DaemonConfig } from './config/daemon-config.ts'
import { daemonId } from './daemon-id.ts'
import { describeHost } from './host-description.ts'
import type { Logger } from './logger.ts'
import { withNetworkEvents } from './network-events.ts'
import { seccompDefault } from './seccomp-default.ts'
import type { StateDirectory } from './state-directory.ts'
import { createSystemBackend } from './system.ts'
import { BUILD, ENGINE_VERSION } from './version.ts'
import { withVolumeEvents } from './volume-events.ts'

/** The services of one daemon, wired. */
export interface Engine extends AsyncDisposable {
  readonly api: ApiServerDeps
  readonly containers: ContainerService
}

export interface EngineOptions {
  state: StateDirectory
  /** Read at each use: a reload changes it. */
  config: () => DaemonConfig
  logger: Logger
  /** Path of the C program. */
  initBinary: string
  /** Script that worker threads run; it sees what it is by `isMainThread`. */
  workerEntry: URL
}

/**
 * Makes every service, brings them in line with the machine (restore) and returns them ready. Disposing ends the services in reverse; containers
 * keep running. Throws what stops the daemon: a data root in use, an unusable directory, no cgroups.
 */
export async function startEngine({ state, config, logger, initBinary, workerEntry }: EngineOptions): Promise<Engine> {
  await using undo = new AsyncDisposableStack()
  prepareDirectories(state)
  const files = createFiles()
  const reserveSpace = (path: string, bytes: number): void => files.reserveSpace(path, bytes)
  const metadata = undo.adopt(openMetadata(state.database, { reserveSpace }), (opened) => opened.close())
  files.spreadSubdirectories(state.containers) // they come and go, see docs/build.md, "Speed"
  const mounts = createMounts()
  const events = createEventBus()
  const host = probeHostFacts()
  const layout = detectCgroupLayout()
  const { cgroupParent } = config().containers
  prepareCgroupParent(layout, cgroupParent)
  const support = cgroupSupport(layout, cgroupParent)
  const seccomp = seccompDefault(config().containers.seccompProfile, host)
  const content = createContentStore({ root: state.content })
  const jobs = undo.use(createWorkerPool({ entry: workerEntry, size: availableParallelism() }))
  const snapshotter = createOverlaySnapshotter({
    paths: { root: state.dataRoot, layers: state.layers, snapshots: state.snapshots, temporary: state.temporary },
    metadata,
    content,
    files,
    mounts,
    jobs,
    layerBlobs: config().storage.layerBlobs,
    report: (error) => logger.warn('background work on layers failed', { error: describeError(error) }),
  })
  const remotes = undo.use(createRegistryClient(config))
  const images = createImageService({
    metadata,
    content,
    snapshotter,
    // The one circle among the services: containers are made from images, and images may not go while containers use them.
    users: { usersOf: (image) => containers.usersOf(image) },
    publish: (action, id, attributes) => events.publish('image', action, id, attributes),
    remotes,
    maxConcurrentDownloads: () => config().registries.maxConcurrentDownloads,
    maxConcurrentUploads: () => config().registries.maxConcurrentUploads,
    // A circle again: builds are made of images, and what their steps have left is kept with the images' layers.
    otherChains: () => builder.cachedChains(),
    report: (error) => logger.warn('cannot collect layers', { error: describeError(error) }),
  })
  const ownVolumes = createVolumeService({
    directory: state.volumes,
    repository: metadata.repository('volumes'),
    files,
    mounts,
    plugins: PLUGIN_DIRECTORIES,
    report: (error) => logger.warn('a volume driver failed', { error: describeError(error) }),
  })
  const volumes = withVolumeEvents(ownVolumes, events)
  const ownNetworks = createNetworkService({
    metadata,
    options: networkOptions(config()),
    route: undo.use(openRouteNetlink()),
    namespaces: createNetworkNamespaces(),
    nftables: undo.use(openNftables()),
    conntrack: undo.use(openConntrack()),
    sysctls: createSysctls(),
    probe: createPortProbe(),
    nameServer: (directory) => createNameServer(directory),
  })
  undo.defer(() => ownNetworks.close())
  const networks = withNetworkEvents(ownNetworks, events)
  const warn = (message: string, fields: Record<string, unknown>): void => logger.warn(message, fields)
  const runtime = createRuntime({ binary: initBinary, socket: state.launcherSocket, compileSeccomp: seccomp.compile, warn })
  undo.defer(async () => {
    await runtime.dismissLauncher()
    await runtime.close()
  })
  const devices = createCdiRegistry({ directories: config().cdiSpecDirectories, warn })
  const description = describeHost()
  const control = createCgroupControl(layout)
  const defaults = (): ContainerDefaults =>
    containerDefaults(config(), { cgroupVersion: layout.version, defaultSeccomp: seccomp.defaultFor, cpus: description.cpus })
  const containers = createContainerService({
    metadata,
    runtime,
    snapshotter,
    images,
    volumes,
    networks,
    events,
    logs: createLogReader(),
    files,
    mounts,
    cgroups: layout,
    support,
    cgroupControl: control,
    host,
    devices,
    clock: systemClock,
    paths: state,
    defaults,
    warn,
  })
  undo.defer(() => containers.close())
  const builder: Builder = createBuilder({
    metadata,
    content,
    snapshotter,
    files,
    mounts,
    jobs,
    images,
    remotes,
    runtime,
    networks,
    cgroups: layout,
    support,
    cgroupControl: control,
    host,
    devices,
    defaults,
    settings: () => buildSettings(config().builder, state.dataRoot),
    paths: { build: state.build, steps: state.steps },
    proxies: proxyVariables(config()),
    builderId: '',
    freeSpace: () => diskSpace(state.dataRoot).free,
    // A circle again: who speaks with frontends that are programs does so for builds.
    frontendProtocol: () => doors.frontendProtocol(),
    now: () => performance.timeOrigin + performance.now(),
    warn,
    report: (error) => logger.warn('background work of builds failed', { error: describeError(error) }),
  })
  undo.use(builder)
  const id = daemonId(metadata.repository('settings'))
  const doors = createBuildDoors({
    builder,
    content,
    worker: {
      id,
      hostname: hostname(),
      version: ENGINE_VERSION,
      revision: BUILD.gitCommit,
      hostGatewayIps: () => hostGatewayIps(config(), networks),
    },
    history: {
      rows: metadata.repository('buildHistory'),
      directory: join(state.build, 'history'),
      report: (error) => logger.warn('the history of builds failed', { error: describeError(error) }),
    },
  })
  undo.use(doors)
  // What programs of an earlier daemon's builds hold (layers, addresses) must be free before it is restored.
  await builder.restoreSteps()
  // Layers first: what the others restore refers to them.
  await snapshotter.restore(recordedContainerIds(metadata))
  await volumes.restore()
  await builder.restore()
  await images.restore()
  await containers.restore()
  const system = createSystemBackend({
    config,
    containers,
    images,
    volumes,
    events,
    devices,
    host: description,
    cgroups: { version: layout.version, support },
    id,
    seccomp: seccomp.kind,
  })
  const fsck = createFsck({
    metadata,
    content,
    snapshotter,
    images,
    jobs,
    mounted: async () => {
      const running = await containers.list({ all: false, limit: 0, size: false, filters: {} })
      return new Set(running.map(({ container }) => container.id))
    },
    paths: state,
  })
  const kept = undo.move()
  return {
    api: {
      containers,
      images,
      networks,
      volumes,
      events,
      system,
      remotes,
      content,
      fsck,
      builds: builder.service,
      classicBuilder: doors.classic,
      buildkit: doors.buildkit,
      minApiVersion: config().minApiVersion,
      serverVersion: ENGINE_VERSION,
      experimental: config().experimental,
      onInternalError: (request, error) => logger.error(`handler for ${request} returned error`, { error: describeError(error) }),
    },
    containers,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** Plugins register where dockerd looks for them; sysadmins know no other place. */
const PLUGIN_DIRECTORIES = { sockets: ['/run/docker/plugins'], specs: ['/etc/docker/plugins', '/usr/lib/docker/plugins'] }

/** certs.d of dockerd: what was set up there for a registry holds here, too. */
const DOCKER_REGISTRIES = '/etc/docker/certs.d'

/** Mirrors, insecure registries and attempts are asked at each use: a reload changes them. */
function createRegistryClient(config: () => DaemonConfig): Remotes {
  const { configDirectory, proxy } = config().registries
  const hosts = createHostResolver({
    mirrors: () => config().registries.mirrors,
    insecure: () => config().registries.insecure,
    directories: [...new Set([configDirectory, DOCKER_REGISTRIES])],
  })
  return createRemotes({
    hosts,
    userAgent: `gantry/${ENGINE_VERSION}`,
    proxies: proxy,
    attempts: () => config().registries.maxDownloadAttempts,
  })
}

/** For programs that the daemon starts. */
function proxyVariables({ registries: { proxy } }: DaemonConfig): Record<string, string> {
  const variables = { http_proxy: proxy.http, https_proxy: proxy.https, no_proxy: proxy.no }
  return Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ''))
}

function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

function prepareDirectories(state: StateDirectory): void {
  // Nobody but root may look into images and volumes: setuid programs of an image must not be there for the host's users.
  mkdirSync(state.dataRoot, { recursive: true, mode: 0o710 })
  mkdirSync(state.execRoot, { recursive: true, mode: 0o711 })
  chmodSync(state.dataRoot, 0o710)
  // Not the trash: what is in it may be large, and the snapshotter's worker deletes it.
  for (const name of existsSync(state.temporary) ? readdirSync(state.temporary) : [])
    if (name !== 'trash') rmSync(join(state.temporary, name), { recursive: true, force: true })
  for (const directory of [state.containers, state.volumes, state.temporary, state.tasksDirectory])
    mkdirSync(directory, { recursive: true, mode: 0o711 })
}

/** What `host-gateway` stands for in `--add-host`: the setting, else the default bridge's own address. */
function hostGatewayIps({ network }: DaemonConfig, networks: Pick<NetworkService, 'list'>): string[] {
  if (network.hostGatewayIps.length > 0) return network.hostGatewayIps
  const gateway = networks.list().find(({ name }) => name === 'bridge')?.ipam.config[0]?.gateway
  return gateway === undefined ? [] : [gateway]
}

function networkOptions({ network }: DaemonConfig): Parameters<typeof createNetworkService>[0]['options'] {
  const { addressPools, bindAddress, defaultOptions } = network
  return { ...network, defaultAddressPools: addressPools, defaultBindAddress: bindAddress, defaultNetworkOptions: defaultOptions }
}

function containerDefaults(
  { containers, network }: DaemonConfig,
  machine: Pick<ContainerDefaults, 'cgroupVersion' | 'defaultSeccomp' | 'cpus'>,
): ContainerDefaults {
  const { cgroupnsMode, ...settings } = containers
  return {
    ...settings,
    ...machine,
    // As Docker: with v1 a container sees the host's hierarchy, which many programs expect.
    cgroupnsMode: cgroupnsMode ?? (machine.cgroupVersion === 2 ? 'private' : 'host'),
    runtimes: [settings.runtime],
    dns: network.dns,
    dnsOptions: network.dnsOptions,
    dnsSearch: network.dnsSearch,
    hostGatewayIps: network.hostGatewayIps,
  }
}
