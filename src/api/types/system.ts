/** Answers about the engine itself. Source: Engine API 1.55, SystemVersion, SystemInfo and `GET /system/df`. */

import type { Nullable } from './common.ts'
import type { BuildCacheRecord } from './build.ts'
import type { ContainerSummary } from './container.ts'
import type { ImageSummary } from './image.ts'
import type { Volume } from './volume.ts'

export interface SystemVersion {
  Platform: { Name: string }
  Components: { Name: string; Version: string; Details?: Record<string, string> }[]
  Version: string
  ApiVersion: string
  MinAPIVersion: string
  GitCommit: string
  GoVersion: string
  Os: string
  Arch: string
  KernelVersion: string
  Experimental?: boolean
  BuildTime: string
}

export interface CommitInfo {
  ID: string
  /** Only before API 1.49. */
  Expected?: string
}

export interface IndexInfo {
  Name: string
  Mirrors: string[]
  Secure: boolean
  Official: boolean
}

export interface SystemInfo {
  ID: string
  Containers: number
  ContainersRunning: number
  ContainersPaused: number
  ContainersStopped: number
  Images: number
  Driver: string
  DriverStatus: [string, string][]
  Plugins: { Volume: string[]; Network: string[]; Authorization: Nullable<string[]>; Log: string[] }
  MemoryLimit: boolean
  SwapLimit: boolean
  CpuCfsPeriod: boolean
  CpuCfsQuota: boolean
  CPUShares: boolean
  CPUSet: boolean
  PidsLimit: boolean
  IPv4Forwarding: boolean
  /** Only before API 1.50. */
  BridgeNfIptables?: boolean
  BridgeNfIp6tables?: boolean
  Debug: boolean
  NFd: number
  OomKillDisable: boolean
  NGoroutines: number
  SystemTime: string
  LoggingDriver: string
  CgroupDriver: string
  CgroupVersion: string
  NEventsListener: number
  KernelVersion: string
  OperatingSystem: string
  OSVersion: string
  OSType: string
  Architecture: string
  IndexServerAddress: string
  RegistryConfig: {
    InsecureRegistryCIDRs: string[]
    IndexConfigs: Record<string, IndexInfo>
    Mirrors: Nullable<string[]>
    AllowNondistributableArtifactsCIDRs?: null
    AllowNondistributableArtifactsHostnames?: null
  }
  NCPU: number
  MemTotal: number
  GenericResources: null
  DockerRootDir: string
  HttpProxy: string
  HttpsProxy: string
  NoProxy: string
  Name: string
  Labels: string[]
  ExperimentalBuild: boolean
  ServerVersion: string
  Runtimes: Record<string, { path: string; runtimeArgs?: string[]; status?: Record<string, string> }>
  DefaultRuntime: string
  Swarm: {
    NodeID: string
    NodeAddr: string
    LocalNodeState: string
    ControlAvailable: boolean
    Error: string
    RemoteManagers: null
  }
  LiveRestoreEnabled: boolean
  Isolation: string
  InitBinary: string
  ContainerdCommit: CommitInfo
  RuncCommit: CommitInfo
  InitCommit: CommitInfo
  SecurityOptions: string[]
  DefaultAddressPools?: { Base: string; Size: number }[]
  /** From API 1.49 on. */
  FirewallBackend?: { Driver: string; Info?: [string, string][] }
  CDISpecDirs: string[]
  /** From API 1.50 on. */
  DiscoveredDevices?: { Source: string; ID: string }[]
  /** From API 1.53 on. */
  NRI?: { Info?: [string, string][] }
  Warnings: Nullable<string[]>
}

/** Totals of one kind of object, from API 1.52 on. Bytes. */
export interface DiskUsageTotals<Item> {
  ActiveCount: number
  TotalCount: number
  TotalSize: number
  Reclaimable: number
  /** Only with `verbose`. */
  Items?: Item[]
}

/** The flat lists are the form before API 1.52; from then on they come only when `verbose` is absent from the query. */
export interface SystemDiskUsage {
  ImageUsage?: DiskUsageTotals<ImageSummary>
  ContainerUsage?: DiskUsageTotals<ContainerSummary>
  VolumeUsage?: DiskUsageTotals<Volume>
  BuildCacheUsage?: DiskUsageTotals<BuildCacheRecord>
  LayersSize?: number
  Images?: ImageSummary[]
  Containers?: ContainerSummary[]
  Volumes?: Volume[]
  BuildCache?: BuildCacheRecord[]
  /** Up to API 1.41. */
  BuilderSize?: number
}
