/** Answers about containers. Source: Engine API 1.55 definitions and moby `api/types/container`. */

import type { Nullable, WireDescriptor } from './common.ts'
import type { ContainerConfig, EndpointSettings, HostConfig, PortMap } from './container-config.ts'

export interface ContainerCreateResponse {
  Id: string
  Warnings: string[]
}

export interface HealthcheckResult {
  Start: string
  End: string
  ExitCode: number
  Output: string
}

export interface Health {
  Status: string
  FailingStreak: number
  Log: Nullable<HealthcheckResult[]>
}

export type ContainerStatus = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead'

/** The flags overlap on purpose: a paused container is also running, a restarting one too. */
export interface ContainerState {
  Status: ContainerStatus
  Running: boolean
  Paused: boolean
  Restarting: boolean
  OOMKilled: boolean
  Dead: boolean
  Pid: number
  ExitCode: number
  Error: string
  /** RFC 3339 with nanoseconds; `0001-01-01T00:00:00Z` for never. */
  StartedAt: string
  FinishedAt: string
  Health?: Health
}

export interface MountPoint {
  Type: string
  Name?: string
  Source: string
  Destination: string
  Driver?: string
  Mode: string
  RW: boolean
  Propagation: string
}

/** From API 1.52 on only the first four. */
export interface NetworkSettings {
  SandboxID: string
  SandboxKey: string
  /** Empty while the container does not run; null for a port that is exposed but not published. */
  Ports: PortMap
  Networks: Record<string, EndpointSettings>
  Bridge?: string
  HairpinMode?: boolean
  LinkLocalIPv6Address?: string
  LinkLocalIPv6PrefixLen?: number
  SecondaryIPAddresses?: null
  SecondaryIPv6Addresses?: null
  EndpointID?: string
  Gateway?: string
  GlobalIPv6Address?: string
  GlobalIPv6PrefixLen?: number
  IPAddress?: string
  IPPrefixLen?: number
  IPv6Gateway?: string
  MacAddress?: string
}

export interface ContainerInspect {
  Id: string
  Created: string
  Path: string
  Args: string[]
  State: ContainerState
  Image: string
  ResolvConfPath: string
  HostnamePath: string
  HostsPath: string
  LogPath: string
  /** With leading slash. */
  Name: string
  RestartCount: number
  Driver: string
  Platform: string
  ImageManifestDescriptor?: WireDescriptor
  MountLabel: string
  ProcessLabel: string
  AppArmorProfile: string
  ExecIDs: Nullable<string[]>
  HostConfig: HostConfig
  /** Before API 1.52. */
  GraphDriver?: { Name: string; Data: Nullable<Record<string, string>> }
  /** From API 1.52 on. */
  Storage?: { RootFS: { Snapshot: { Name: string } } }
  SizeRw?: number
  SizeRootFs?: number
  Mounts: MountPoint[]
  Config: ContainerConfig
  NetworkSettings: NetworkSettings
}

export interface PortSummary {
  IP?: string
  PrivatePort: number
  PublicPort?: number
  Type: string
}

/** One element of `GET /containers/json`. */
export interface ContainerSummary {
  Id: string
  /** With leading slash. */
  Names: string[]
  Image: string
  ImageID: string
  ImageManifestDescriptor?: WireDescriptor
  Command: string
  /** Unix seconds. */
  Created: number
  Ports: PortSummary[]
  SizeRw?: number
  SizeRootFs?: number
  Labels: Record<string, string>
  State: ContainerStatus
  Status: string
  /** From API 1.52 on. */
  Health?: { Status: string; FailingStreak: number }
  HostConfig: { NetworkMode: string; Annotations?: Record<string, string> }
  NetworkSettings: { Networks: Record<string, EndpointSettings> }
  Mounts: MountPoint[]
}

export interface ContainerWaitResponse {
  StatusCode: number
  Error?: { Message: string }
}

export interface ContainerUpdateResponse {
  Warnings: Nullable<string[]>
}

export interface ContainerTopResponse {
  Titles: string[]
  Processes: string[][]
}

/** Kind: 0 modified, 1 added, 2 deleted. */
export interface FilesystemChange {
  Path: string
  Kind: 0 | 1 | 2
}

export interface ContainerPruneResponse {
  ContainersDeleted: Nullable<string[]>
  SpaceReclaimed: number
}

/** Content of the header `X-Docker-Container-Path-Stat`, base64 of JSON. */
export interface ContainerPathStat {
  name: string
  size: number
  /** Go's os.FileMode bits. */
  mode: number
  mtime: string
  linkTarget: string
}

export interface ExecCreateRequest {
  User?: string
  Privileged?: boolean
  Tty?: boolean
  ConsoleSize?: Nullable<[number, number]>
  AttachStdin?: boolean
  AttachStderr?: boolean
  AttachStdout?: boolean
  DetachKeys?: string
  Env?: Nullable<string[]>
  WorkingDir?: string
  Cmd: string[]
}

export interface ExecStartRequest {
  Detach?: boolean
  Tty?: boolean
  ConsoleSize?: Nullable<[number, number]>
}

export interface ExecInspect {
  ID: string
  Running: boolean
  /** null until the process has ended: this is how clients tell. */
  ExitCode: Nullable<number>
  ProcessConfig: { tty: boolean; entrypoint: string; arguments: string[]; privileged?: boolean; user?: string }
  OpenStdin: boolean
  OpenStderr: boolean
  OpenStdout: boolean
  CanRemove: boolean
  ContainerID: string
  DetachKeys: string
  Pid: number
}
