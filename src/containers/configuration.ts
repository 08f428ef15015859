/** What a container is asked to be: its process (`ContainerConfig`) and how it is run on this host (`HostConfig`). */

import type { PortRequest } from '#networks'

/** Durations in nanoseconds, as everywhere on the wire. */
export interface Healthcheck {
  test: string[]
  interval: number
  timeout: number
  startPeriod: number
  startInterval: number
  retries: number
}

/** What runs: image defaults already merged in. */
export interface ContainerConfig {
  hostname: string
  domainname: string
  user: string
  attachStdin: boolean
  attachStdout: boolean
  attachStderr: boolean
  /** `80/tcp`. */
  exposedPorts: string[]
  tty: boolean
  openStdin: boolean
  stdinOnce: boolean
  env: string[]
  cmd: string[] | null
  entrypoint: string[] | null
  healthcheck?: Healthcheck
  argsEscaped: boolean
  /** As the user wrote it. */
  image: string
  /** Paths declared by VOLUME or `-v /path`. */
  volumes: string[]
  workingDir: string
  networkDisabled: boolean
  onBuild: string[] | null
  labels: Record<string, string>
  stopSignal: string
  /** Seconds; undefined: the daemon's default (10). */
  stopTimeout?: number
  shell: string[] | null
}

export type RestartPolicyName = 'no' | 'always' | 'on-failure' | 'unless-stopped'

export type MountType = 'bind' | 'volume' | 'tmpfs' | 'image' | 'npipe' | 'cluster'

/** One entry of `--mount`. */
export interface MountRequest {
  type: MountType
  source: string
  target: string
  readOnly: boolean
  consistency: string
  bind?: {
    propagation: string
    nonRecursive: boolean
    createMountpoint: boolean
    readOnlyNonRecursive: boolean
    readOnlyForceRecursive: boolean
    /** See `parseIdMap`. Empty or absent: owners as they are. */
    idmap?: string
  }
  volume?: { noCopy: boolean; labels: Record<string, string>; driver: string; driverOptions: Record<string, string>; subpath: string }
  tmpfs?: { sizeBytes: number; mode: number; options: string[][] }
  image?: { subpath: string }
}

export interface ThrottleRequest {
  path: string
  rate: number
}

/** Limits that `update` can change too. Zero or empty: not set. Bytes, nano-CPUs, microseconds. */
export interface Resources {
  cpuShares: number
  memory: number
  nanoCpus: number
  cgroupParent: string
  blkioWeight: number
  blkioWeightDevice: { path: string; weight: number }[]
  blkioDeviceReadBps: ThrottleRequest[]
  blkioDeviceWriteBps: ThrottleRequest[]
  blkioDeviceReadIOps: ThrottleRequest[]
  blkioDeviceWriteIOps: ThrottleRequest[]
  cpuPeriod: number
  cpuQuota: number
  cpuRealtimePeriod: number
  cpuRealtimeRuntime: number
  cpusetCpus: string
  cpusetMems: string
  devices: { pathOnHost: string; pathInContainer: string; cgroupPermissions: string }[]
  deviceCgroupRules: string[]
  deviceRequests: DeviceRequest[]
  memoryReservation: number
  memorySwap: number
  memorySwappiness?: number
  oomKillDisable?: boolean
  /** undefined: not asked for; 0 or -1: unlimited. */
  pidsLimit?: number
  ulimits: { name: string; soft: number; hard: number }[]
}

/** Devices by a driver's names or by what they can do: `--gpus`, and CDI's `--device vendor.com/class=name`. Absent members came as null. */
export interface DeviceRequest {
  /** Empty: whichever has the capabilities. */
  driver: string
  /** -1: all; 0: those named. */
  count: number
  deviceIds?: string[]
  /** Alternatives, of each of which all are wanted. */
  capabilities?: string[][]
  options?: Record<string, string>
}

/** How it is run on this host. */
export interface HostConfig extends Resources {
  binds: string[]
  containerIDFile: string
  logConfig: { type: string; config: Record<string, string> }
  /** `default`, `bridge`, `host`, `none`, `container:<ref>`, or a network's name. */
  networkMode: string
  /** Key `80/tcp`. */
  portBindings: PortRequest[]
  restartPolicy: { name: RestartPolicyName; maximumRetryCount: number }
  autoRemove: boolean
  volumeDriver: string
  volumesFrom: string[]
  mounts: MountRequest[]
  /** rows, columns. */
  consoleSize: [number, number]
  annotations: Record<string, string>
  capAdd: string[]
  capDrop: string[]
  cgroupnsMode: '' | 'private' | 'host'
  dns: string[]
  dnsOptions: string[]
  dnsSearch: string[]
  extraHosts: string[]
  groupAdd: string[]
  ipcMode: string
  cgroup: string
  links: string[]
  oomScoreAdj: number
  pidMode: string
  privileged: boolean
  publishAllPorts: boolean
  readonlyRootfs: boolean
  securityOpt: string[]
  storageOpt: Record<string, string>
  tmpfs: Record<string, string>
  utsMode: string
  usernsMode: string
  /** Bytes. */
  shmSize: number
  sysctls: Record<string, string>
  runtime: string
  isolation: string
  init?: boolean
  /** undefined: the defaults. */
  maskedPaths?: string[]
  readonlyPaths?: string[]
}
