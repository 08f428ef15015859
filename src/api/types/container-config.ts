/** `Config`, `HostConfig` and `NetworkingConfig`: what create takes and inspect gives back. Source: Engine API 1.55 definitions. */

import type { Nullable } from './common.ts'

/** Durations in nanoseconds; 0 means inherit. */
export interface HealthConfig {
  /** `['CMD', …]`, `['CMD-SHELL', line]`, `['NONE']`; empty: inherit. */
  Test?: Nullable<string[]>
  Interval?: number
  Timeout?: number
  StartPeriod?: number
  StartInterval?: number
  Retries?: number
}

/** Portable part of a container's configuration. */
export interface ContainerConfig {
  Hostname: string
  Domainname: string
  User: string
  AttachStdin: boolean
  AttachStdout: boolean
  AttachStderr: boolean
  /** Key `80/tcp`. */
  ExposedPorts?: Record<string, object>
  Tty: boolean
  OpenStdin: boolean
  StdinOnce: boolean
  Env: Nullable<string[]>
  Cmd: Nullable<string[]>
  Healthcheck?: HealthConfig
  ArgsEscaped?: boolean
  Image: string
  Volumes: Nullable<Record<string, object>>
  WorkingDir: string
  Entrypoint: Nullable<string[]>
  NetworkDisabled?: boolean
  /** Only before API 1.52. */
  MacAddress?: string
  OnBuild?: Nullable<string[]>
  Labels: Record<string, string>
  StopSignal?: string
  /** Seconds. */
  StopTimeout?: number
  Shell?: string[]
}

export interface RestartPolicy {
  Name: string
  MaximumRetryCount: number
}

export interface ThrottleDevice {
  Path: string
  Rate: number
}

export interface DeviceMapping {
  PathOnHost: string
  PathInContainer: string
  CgroupPermissions: string
}

export interface DeviceRequest {
  Driver: string
  Count: number
  DeviceIDs: Nullable<string[]>
  Capabilities: Nullable<string[][]>
  Options: Nullable<Record<string, string>>
}

export interface Ulimit {
  Name: string
  Soft: number
  Hard: number
}

/** Limits; zero, empty or null: none. Bytes, nano-CPUs, microseconds. */
export interface Resources {
  CpuShares: number
  Memory: number
  NanoCpus: number
  CgroupParent: string
  BlkioWeight: number
  BlkioWeightDevice: Nullable<{ Path: string; Weight: number }[]>
  BlkioDeviceReadBps: Nullable<ThrottleDevice[]>
  BlkioDeviceWriteBps: Nullable<ThrottleDevice[]>
  BlkioDeviceReadIOps: Nullable<ThrottleDevice[]>
  BlkioDeviceWriteIOps: Nullable<ThrottleDevice[]>
  CpuPeriod: number
  CpuQuota: number
  CpuRealtimePeriod: number
  CpuRealtimeRuntime: number
  CpusetCpus: string
  CpusetMems: string
  Devices: Nullable<DeviceMapping[]>
  DeviceCgroupRules: Nullable<string[]>
  DeviceRequests: Nullable<DeviceRequest[]>
  MemoryReservation: number
  MemorySwap: number
  MemorySwappiness: Nullable<number>
  OomKillDisable: Nullable<boolean>
  PidsLimit: Nullable<number>
  Ulimits: Nullable<Ulimit[]>
}

export interface PortBinding {
  HostIp: string
  /** A number or a range, as text; empty: any. */
  HostPort: string
}

export type PortMap = Record<string, Nullable<PortBinding[]>>

/** One `--mount`. */
export interface Mount {
  Type: string
  Source?: string
  Target: string
  ReadOnly?: boolean
  Consistency?: string
  BindOptions?: {
    Propagation?: string
    NonRecursive?: boolean
    CreateMountpoint?: boolean
    ReadOnlyNonRecursive?: boolean
    ReadOnlyForceRecursive?: boolean
    /** Not Docker's: owners as the container sees them, see docs/volumes.md. */
    'x-gantry-idmap'?: string
  }
  VolumeOptions?: {
    NoCopy?: boolean
    Labels?: Record<string, string>
    Subpath?: string
    DriverConfig?: { Name?: string; Options?: Record<string, string> }
  }
  ImageOptions?: { Subpath?: string }
  TmpfsOptions?: { SizeBytes?: number; Mode?: number; Options?: string[][] }
}

/** Host-dependent part of a container's configuration. */
export interface HostConfig extends Resources {
  Binds: Nullable<string[]>
  ContainerIDFile: string
  LogConfig: { Type: string; Config: Nullable<Record<string, string>> }
  NetworkMode: string
  PortBindings: Nullable<PortMap>
  RestartPolicy: RestartPolicy
  AutoRemove: boolean
  VolumeDriver: string
  VolumesFrom: Nullable<string[]>
  /** Rows, columns. */
  ConsoleSize: [number, number]
  Annotations?: Record<string, string>
  CapAdd: Nullable<string[]>
  CapDrop: Nullable<string[]>
  CgroupnsMode: string
  Dns: Nullable<string[]>
  DnsOptions: Nullable<string[]>
  DnsSearch: Nullable<string[]>
  ExtraHosts: Nullable<string[]>
  GroupAdd: Nullable<string[]>
  IpcMode: string
  Cgroup: string
  Links: Nullable<string[]>
  OomScoreAdj: number
  PidMode: string
  Privileged: boolean
  PublishAllPorts: boolean
  ReadonlyRootfs: boolean
  SecurityOpt: Nullable<string[]>
  StorageOpt?: Record<string, string>
  Tmpfs?: Record<string, string>
  UTSMode: string
  UsernsMode: string
  ShmSize: number
  Sysctls?: Record<string, string>
  Runtime: string
  Isolation: string
  Mounts?: Mount[]
  MaskedPaths: Nullable<string[]>
  ReadonlyPaths: Nullable<string[]>
  Init?: boolean
}

export interface EndpointIpamConfig {
  IPv4Address?: string
  IPv6Address?: string
  LinkLocalIPs?: string[]
}

/** A container's side of one network: the upper part is asked for, the rest is what came of it. */
export interface EndpointSettings {
  IPAMConfig: Nullable<EndpointIpamConfig>
  Links: Nullable<string[]>
  Aliases: Nullable<string[]>
  MacAddress: string
  DriverOpts: Nullable<Record<string, string>>
  GwPriority: number
  NetworkID: string
  EndpointID: string
  Gateway: string
  IPAddress: string
  IPPrefixLen: number
  IPv6Gateway: string
  GlobalIPv6Address: string
  GlobalIPv6PrefixLen: number
  DNSNames: Nullable<string[]>
}

export interface NetworkingConfig {
  EndpointsConfig: Record<string, Partial<EndpointSettings>>
}

/** Body of `POST /containers/create`. */
export interface ContainerCreateRequest extends Partial<ContainerConfig> {
  HostConfig?: Partial<HostConfig>
  NetworkingConfig?: NetworkingConfig
}
