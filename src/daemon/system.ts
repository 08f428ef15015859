import { readdirSync, readFileSync, statfsSync } from 'node:fs'
import { hostname } from 'node:os'
import { formatVersion, MAX_API_VERSION, MIN_API_VERSION, type SystemInfo } from '#api'
import type { CdiRegistry } from '#cdi'
import type { ContainerService } from '#containers'
import type { EventBus } from '#events'
import type { ImageService } from '#images'
import type { CgroupSupport } from '#kernel'
import { formatNano, nowNano } from '#lib'
import type { SystemBackend } from '#server'
import type { VolumeService } from '#volumes'
import type { DaemonConfig } from './config/daemon-config.ts'
import { maskCredentials } from './config/registry-values.ts'
import type { HostDescription } from './host-description.ts'
import { BUILD, ENGINE_VERSION } from './version.ts'

/** The C program: runtime and init process in one. */
const INIT_BINARY = 'gantry-init'

export interface SystemDeps {
  /** Read at each call: a reload changes it. */
  config: () => DaemonConfig
  containers: Pick<ContainerService, 'list'>
  images: Pick<ImageService, 'list'>
  volumes: Pick<VolumeService, 'drivers'>
  events: Pick<EventBus, 'subscribers'>
  devices: Pick<CdiRegistry, 'directories' | 'list' | 'problems'>
  host: HostDescription
  cgroups: { version: 1 | 2; support: CgroupSupport }
  id: string
  seccomp: 'builtin' | 'unconfined' | 'custom'
}

/** What `docker info` and `docker version` tell about engine and host. */
export function createSystemBackend(deps: SystemDeps): SystemBackend {
  return { info: () => info(deps), version: () => Promise.resolve(version(deps)) }
}

/** Go's version where clients show one: there is none, and an empty line in `docker version` looks like a fault. */
const NO_GO = 'none'

function version({ host, config }: SystemDeps): Awaited<ReturnType<SystemBackend['version']>> {
  return {
    Platform: { Name: 'Gantry' },
    Components: [
      {
        Name: 'Engine',
        Version: ENGINE_VERSION,
        // The keys that `docker version` prints for a component of this name.
        Details: {
          ApiVersion: formatVersion(MAX_API_VERSION),
          Arch: host.goArchitecture,
          BuildTime: BUILD.time,
          Experimental: String(config().experimental),
          GitCommit: BUILD.gitCommit,
          GoVersion: NO_GO,
          KernelVersion: host.kernelVersion,
          MinAPIVersion: config().minApiVersion ?? formatVersion(MIN_API_VERSION),
          Os: 'linux',
        },
      },
      // Of any other component all details are printed.
      { Name: 'node', Version: process.versions.node, Details: { V8: process.versions.v8 } },
      { Name: INIT_BINARY, Version: ENGINE_VERSION, Details: { GitCommit: BUILD.gitCommit } },
    ],
    Version: ENGINE_VERSION,
    GitCommit: BUILD.gitCommit,
    GoVersion: NO_GO,
    Os: 'linux',
    Arch: host.goArchitecture,
    KernelVersion: host.kernelVersion,
    Experimental: config().experimental,
    BuildTime: BUILD.time,
  }
}

async function info(deps: SystemDeps): ReturnType<SystemBackend['info']> {
  const { host, cgroups } = deps
  const { support } = cgroups
  const config = deps.config()
  const [discovered, problems] = await Promise.all([deps.devices.list(), deps.devices.problems()])
  return {
    ID: deps.id,
    ...(await counts(deps)),
    Driver: 'overlay2',
    // By this type buildx knows that images of several platforms, and their attestations, can be loaded.
    DriverStatus: [
      ['Backing Filesystem', fileSystemName(config.dataRoot)],
      ['driver-type', 'io.containerd.snapshotter.v1'],
    ],
    Plugins: { Volume: deps.volumes.drivers(), Network: ['bridge', 'host', 'null'], Authorization: null, Log: ['json-file', 'none'] },
    MemoryLimit: support.memory,
    SwapLimit: support.swap,
    CpuCfsPeriod: support.cpuCfs,
    CpuCfsQuota: support.cpuCfs,
    CPUShares: support.cpuShares,
    CPUSet: support.cpuset,
    PidsLimit: support.pids,
    IPv4Forwarding: readSysctl('net/ipv4/ip_forward') === '1',
    Debug: config.debug,
    NFd: readdirSync('/proc/self/fd').length,
    OomKillDisable: support.oomKillDisable,
    NGoroutines: 0,
    SystemTime: formatNano(nowNano()),
    LoggingDriver: config.containers.logConfig.type,
    CgroupDriver: 'cgroupfs',
    CgroupVersion: String(cgroups.version),
    NEventsListener: deps.events.subscribers(),
    KernelVersion: host.kernelVersion,
    OperatingSystem: host.operatingSystem,
    OSVersion: host.osVersion,
    OSType: 'linux',
    Architecture: host.architecture,
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: registryConfig(config.registries),
    NCPU: host.cpus,
    MemTotal: host.memory,
    GenericResources: null,
    DockerRootDir: config.dataRoot,
    HttpProxy: maskCredentials(config.registries.proxy.http),
    HttpsProxy: maskCredentials(config.registries.proxy.https),
    NoProxy: config.registries.proxy.no,
    Name: hostname(),
    Labels: config.labels,
    ExperimentalBuild: config.experimental,
    ServerVersion: ENGINE_VERSION,
    Runtimes: { [config.containers.runtime]: { path: INIT_BINARY } },
    DefaultRuntime: config.containers.runtime,
    Swarm: { NodeID: '', NodeAddr: '', LocalNodeState: 'inactive', ControlAvailable: false, Error: '', RemoteManagers: null },
    LiveRestoreEnabled: true,
    Isolation: '',
    InitBinary: INIT_BINARY,
    // dockerd's word for a program it cannot ask.
    ContainerdCommit: { ID: 'N/A' },
    RuncCommit: { ID: 'N/A' },
    InitCommit: { ID: ENGINE_VERSION },
    SecurityOptions: securityOptions(deps),
    DefaultAddressPools: config.network.addressPools.map(({ base, size }) => ({ Base: base, Size: size })),
    FirewallBackend: { Driver: config.network.firewall ? 'nftables' : 'none' },
    CDISpecDirs: [...deps.devices.directories],
    ...(discovered.length > 0 && { DiscoveredDevices: discovered.map(({ name }) => ({ Source: 'cdi', ID: name })) }),
    Warnings: [...warnings(support), ...problems.map(({ path, message }) => `CDI: Error associated with spec file ${path}: ${message}`)],
  }
}

/** Registries on the machine itself are never checked, as with dockerd. */
const LOOPBACK = ['::1/128', '127.0.0.0/8']
const HUB = 'docker.io'

function registryConfig({ mirrors, insecure }: DaemonConfig['registries']): SystemInfo['RegistryConfig'] {
  const networks = insecure.filter((name) => name.includes('/'))
  const hosts = insecure.filter((name) => !name.includes('/') && name !== HUB)
  return {
    InsecureRegistryCIDRs: [...new Set([...networks, ...LOOPBACK])],
    IndexConfigs: {
      [HUB]: { Name: HUB, Mirrors: mirrors, Secure: true, Official: true },
      ...Object.fromEntries(hosts.map((name) => [name, { Name: name, Mirrors: [], Secure: false, Official: false }])),
    },
    Mirrors: mirrors,
  }
}

type Counts = 'Containers' | 'ContainersRunning' | 'ContainersPaused' | 'ContainersStopped' | 'Images'

async function counts({ containers, images }: SystemDeps): Promise<Pick<Awaited<ReturnType<SystemBackend['info']>>, Counts>> {
  const all = await containers.list({ all: true, limit: 0, size: false, filters: {} })
  const count = (status: string): number => all.filter(({ container }) => container.state.status === status).length
  // As Docker counts: a container between two restarts is running, one that never ran is stopped.
  const running = count('running') + count('restarting')
  const paused = count('paused')
  return {
    Containers: all.length,
    ContainersRunning: running,
    ContainersPaused: paused,
    ContainersStopped: all.length - running - paused,
    Images: images.list({ all: true, filters: { reference: [], label: [], labelNot: [] } }).length,
  }
}

function securityOptions({ seccomp, config, cgroups }: SystemDeps): string[] {
  const options =
    seccomp === 'unconfined' ? [] : [`name=seccomp,profile=${seccomp === 'custom' ? config().containers.seccompProfile : 'builtin'}`]
  const cgroupns = config().containers.cgroupnsMode ?? (cgroups.version === 2 ? 'private' : 'host')
  if (cgroups.support.cgroupNamespaces && cgroupns === 'private') options.push('name=cgroupns')
  if (config().containers.noNewPrivileges) options.push('name=no-new-privileges')
  return options
}

/** dockerd's texts for limits the kernel cannot enforce. */
function warnings(support: CgroupSupport): string[] {
  const missing: [boolean, string][] = [
    [support.memory, 'WARNING: No memory limit support'],
    [support.swap, 'WARNING: No swap limit support'],
    [support.cpuCfs, 'WARNING: No cpu cfs quota support'],
    [support.cpuShares, 'WARNING: No cpu shares support'],
    [support.cpuset, 'WARNING: No cpuset support'],
    [support.pids, 'WARNING: No pids limit support'],
  ]
  return missing.filter(([there]) => !there).map(([, text]) => text)
}

/** File system types by their magic number, named as Docker names them. Source: statfs(2). */
const FILE_SYSTEMS: Record<number, string> = {
  0x0000_ef53: 'extfs',
  0x0102_1994: 'tmpfs',
  0x2fc1_2fc1: 'zfs',
  0x5846_5342: 'xfs',
  0x794c_7630: 'overlayfs',
  0x9123_683e: 'btrfs',
  0xf2f5_2010: 'f2fs',
}

/** What the layers lie on. */
function fileSystemName(directory: string): string {
  const { type } = statfsSync(directory)
  return FILE_SYSTEMS[type] ?? `unknown (0x${type.toString(16)})`
}

function readSysctl(name: string): string {
  try {
    return readFileSync(`/proc/sys/${name}`, 'utf8').trim()
  } catch {
    return ''
  }
}
