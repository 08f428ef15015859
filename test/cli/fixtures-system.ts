/** What the fake engine says about itself, its events and its statistics. */
import { RUNNING_ID } from './fixtures-ids.ts'

export const VERSION: object = {
  Platform: { Name: 'Fake Engine' },
  Components: [
    {
      Name: 'Engine',
      Version: '28.2.2',
      Details: {
        ApiVersion: '1.50',
        Arch: 'amd64',
        BuildTime: '2025-05-30T12:07:14.000000000+00:00',
        Experimental: 'false',
        GitCommit: 'fake',
        GoVersion: 'go1.24.3',
        KernelVersion: '6.18.0',
        MinAPIVersion: '1.24',
        Os: 'linux',
      },
    },
    { Name: 'runtime', Version: '1.0', Details: { GitCommit: 'abc', Other: 'x' } },
  ],
  Version: '28.2.2',
  ApiVersion: '1.50',
  MinAPIVersion: '1.24',
  GitCommit: 'fake',
  GoVersion: 'go1.24.3',
  Os: 'linux',
  Arch: 'amd64',
  KernelVersion: '6.18.0',
  BuildTime: '2025-05-30T12:07:14.000000000+00:00',
}

export const INFO: object = {
  ID: 'fake-engine',
  Containers: 2,
  ContainersRunning: 1,
  ContainersPaused: 0,
  ContainersStopped: 1,
  Images: 2,
  Driver: 'overlay2',
  DriverStatus: [
    ['Backing Filesystem', 'extfs'],
    ['Supports d_type', 'true'],
  ],
  Plugins: { Volume: ['local'], Network: ['bridge', 'host', 'null'], Authorization: null, Log: ['json-file', 'none'] },
  MemoryLimit: true,
  SwapLimit: true,
  CpuCfsPeriod: true,
  CpuCfsQuota: true,
  CPUShares: true,
  CPUSet: true,
  PidsLimit: true,
  IPv4Forwarding: true,
  Debug: false,
  NFd: 22,
  OomKillDisable: true,
  NGoroutines: 33,
  SystemTime: '2025-05-30T12:07:14Z',
  LoggingDriver: 'json-file',
  CgroupDriver: 'cgroupfs',
  CgroupVersion: '1',
  NEventsListener: 0,
  KernelVersion: '6.18.0',
  OperatingSystem: 'Debian GNU/Linux 12 (bookworm)',
  OSVersion: '12',
  OSType: 'linux',
  Architecture: 'x86_64',
  IndexServerAddress: 'https://index.docker.io/v1/',
  RegistryConfig: {
    InsecureRegistryCIDRs: ['127.0.0.0/8', '::1/128'],
    IndexConfigs: { 'docker.io': { Name: 'docker.io', Mirrors: [], Secure: true, Official: true } },
    Mirrors: null,
  },
  NCPU: 2,
  MemTotal: 4123456789,
  GenericResources: null,
  DockerRootDir: '/var/lib/engine',
  HttpProxy: '',
  HttpsProxy: '',
  NoProxy: '',
  Name: 'host',
  Labels: ['zone=a'],
  ExperimentalBuild: false,
  ServerVersion: '28.2.2',
  Runtimes: { native: { path: 'native' } },
  DefaultRuntime: 'native',
  Swarm: { NodeID: '', NodeAddr: '', LocalNodeState: 'inactive', ControlAvailable: false, Error: '', RemoteManagers: null },
  LiveRestoreEnabled: true,
  Isolation: '',
  InitBinary: 'init',
  ContainerdCommit: { ID: '' },
  RuncCommit: { ID: '' },
  InitCommit: { ID: '' },
  SecurityOptions: ['name=seccomp,profile=builtin', 'name=cgroupns'],
  FirewallBackend: { Driver: 'nftables' },
  CDISpecDirs: ['/etc/cdi'],
  Warnings: ['WARNING: a warning of the daemon'],
}

function event(type: string, action: string, id: string, attributes: Record<string, string>, nano: number): object {
  const time = 1714979289
  return {
    status: action,
    id,
    Type: type,
    Action: action,
    Actor: { ID: id, Attributes: attributes },
    scope: 'local',
    time,
    timeNano: time * 1e9 + nano,
  }
}

const cpu = (total: number, system: number): object => ({
  cpu_usage: { total_usage: total, usage_in_kernelmode: 0, usage_in_usermode: total },
  system_cpu_usage: system,
  online_cpus: 2,
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
})

export const EVENTS: object[] = [
  event('container', 'create', RUNNING_ID, { image: 'busybox:latest', name: 'web' }, 123456789),
  event('container', 'exec_start: sh -c ls', RUNNING_ID, { execID: 'e'.repeat(64), image: 'busybox:latest', name: 'web' }, 500000000),
  event('network', 'connect', 'b'.repeat(64), { container: RUNNING_ID, name: 'bridge', type: 'bridge' }, 7),
]

export const STATS: object = {
  id: RUNNING_ID,
  name: '/web',
  os_type: 'linux',
  read: '2024-05-06T07:08:10Z',
  preread: '2024-05-06T07:08:09Z',
  pids_stats: { current: 3, limit: 4096 },
  blkio_stats: {
    io_service_bytes_recursive: [
      { major: 8, minor: 0, op: 'Read', value: 1234567 },
      { major: 8, minor: 0, op: 'Write', value: 89 },
    ],
  },
  num_procs: 0,
  storage_stats: {},
  cpu_stats: cpu(2_000_000_000, 100_000_000_000),
  precpu_stats: cpu(1_500_000_000, 98_000_000_000),
  memory_stats: { usage: 12345678, stats: { total_inactive_file: 345678 }, limit: 268435456 },
  networks: {
    eth0: { rx_bytes: 1048, rx_packets: 1, rx_errors: 0, rx_dropped: 0, tx_bytes: 999999, tx_packets: 1, tx_errors: 0, tx_dropped: 0 },
  },
}
