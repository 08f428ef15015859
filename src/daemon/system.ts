import { readdirSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { formatVersion, MAX_API_VERSION, MIN_API_VERSION } from '#api'
import type { ContainerService } from '#containers'
import type { EventBus } from '#events'
import type { ImageService } from '#images'
import type { CgroupSupport } from '#kernel'
import { formatNano, nowNano } from '#lib'
import type { SystemBackend } from '#server'
import type { DaemonConfig } from './config/daemon-config.ts'
import type { HostDescription } from './host-description.ts'
import { ENGINE_VERSION } from './version.ts'

export interface SystemDeps {
  /** Read at each call: a reload changes it. */
  config: () => DaemonConfig
  containers: Pick<ContainerService, 'list'>
  images: Pick<ImageService, 'list'>
  events: Pick<EventBus, 'subscribers'>
  host: HostDescription
  cgroups: { version: 1 | 2; support: CgroupSupport }
  id: string
  seccomp: 'builtin' | 'unconfined' | 'custom'
}

/** What `docker info` and `docker version` tell about engine and host. */
export function createSystemBackend(deps: SystemDeps): SystemBackend {
  return { info: () => info(deps), version: () => Promise.resolve(version(deps)) }
}

function version({ host, config }: SystemDeps): Awaited<ReturnType<SystemBackend['version']>> {
  return {
    Platform: { Name: 'Gantry' },
    Components: [
      {
        Name: 'Engine',
        Version: ENGINE_VERSION,
        // The keys that `docker version` prints.
        Details: {
          ApiVersion: formatVersion(MAX_API_VERSION),
          Arch: host.goArchitecture,
          BuildTime: '',
          Experimental: String(config().experimental),
          GitCommit: '',
          GoVersion: '',
          KernelVersion: host.kernelVersion,
          MinAPIVersion: formatVersion(MIN_API_VERSION),
          NodeVersion: process.version,
          Os: 'linux',
        },
      },
    ],
    Version: ENGINE_VERSION,
    GitCommit: '',
    GoVersion: '',
    Os: 'linux',
    Arch: host.goArchitecture,
    KernelVersion: host.kernelVersion,
    Experimental: config().experimental,
    BuildTime: '',
  }
}

async function info(deps: SystemDeps): ReturnType<SystemBackend['info']> {
  const { host, cgroups } = deps
  const { support } = cgroups
  const config = deps.config()
  return {
    ID: deps.id,
    ...(await counts(deps)),
    Driver: 'overlay2',
    DriverStatus: [['Layers', 'unpacked directories, mounted inside the container']],
    Plugins: { Volume: ['local'], Network: ['bridge', 'host', 'null'], Authorization: null, Log: ['json-file', 'none'] },
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
    RegistryConfig: {
      InsecureRegistryCIDRs: ['::1/128', '127.0.0.0/8'],
      IndexConfigs: { 'docker.io': { Name: 'docker.io', Mirrors: [], Secure: true, Official: true } },
      Mirrors: null,
    },
    NCPU: host.cpus,
    MemTotal: host.memory,
    GenericResources: null,
    DockerRootDir: config.dataRoot,
    HttpProxy: '',
    HttpsProxy: '',
    NoProxy: '',
    Name: hostname(),
    Labels: config.labels,
    ExperimentalBuild: config.experimental,
    ServerVersion: ENGINE_VERSION,
    Runtimes: { gantry: { path: 'gantry-init' } },
    DefaultRuntime: config.containers.runtime,
    Swarm: { NodeID: '', NodeAddr: '', LocalNodeState: 'inactive', ControlAvailable: false, Error: '', RemoteManagers: null },
    LiveRestoreEnabled: true,
    Isolation: '',
    InitBinary: 'gantry-init',
    ContainerdCommit: { ID: '' },
    RuncCommit: { ID: '' },
    InitCommit: { ID: ENGINE_VERSION },
    SecurityOptions: securityOptions(deps),
    DefaultAddressPools: config.network.addressPools.map(({ base, size }) => ({ Base: base, Size: size })),
    FirewallBackend: { Driver: config.network.firewall ? 'nftables' : 'none' },
    CDISpecDirs: [],
    Warnings: warnings(support),
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

function readSysctl(name: string): string {
  try {
    return readFileSync(`/proc/sys/${name}`, 'utf8').trim()
  } catch {
    return ''
  }
}
