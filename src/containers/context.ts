/** What the phase functions of `containers/` share: the dependencies, the store, and the doors between phases that would otherwise be cycles. */

import type { CdiRegistry } from '#cdi'
import type { EventBus } from '#events'
import type { ImageService } from '#images'
import type { CgroupLayout, CgroupLocation, CgroupPlan, CgroupSupport, Files, Mounts } from '#kernel'
import type { LogReader } from '#logs'
import type { Metadata } from '#metadata'
import type { NetworkService } from '#networks'
import type { ResourcesSpec } from '#oci'
import type { Runtime } from '#runtime'
import type { Snapshotter } from '#snapshots'
import type { VolumeService } from '#volumes'
import type { ContainerEntry } from './entry.ts'
import type { ContainerStore } from './container-store.ts'
import type { ExecStore } from './exec-store.ts'
import type { HostFacts, SpecDefaults } from './spec/index.ts'
import type { RecentEndings } from './recent-endings.ts'
import type { UserDirectory } from './user-directory.ts'

/** Time, injectable for tests. */
export interface Clock {
  /** Nanoseconds since the epoch. */
  now(): bigint
  /** Runs `work` once after `milliseconds`; disposing cancels. Must not keep the process alive. */
  after(milliseconds: number, work: () => void): Disposable
}

/** Absolute paths; drawn in `daemon/state-directory.ts`. */
export interface ContainerPaths {
  /**
   * Holds the log of one container, and its hosts, hostname and resolv.conf, written at each start; for a container with hooks also their bundle. Not below the
   * exec root, where a tmpfs would be faster: root in the container may write to them, and would fill it.
   */
  containerDirectory(id: string): string
  /** Directory of the task directories, and one of them: monitor socket and exit record. Containers and execs alike, by id. */
  tasksDirectory: string
  taskDirectory(id: string): string
  /** Where the tmpfs of a container with `--ipc shareable` is mounted. */
  sharedMemory(id: string): string
}

/** Settings of the daemon that new and starting containers take over; read at each use, so a reload takes effect. */
export interface ContainerDefaults {
  logConfig: { type: string; config: Record<string, string> }
  cgroupParent: string
  cgroupVersion: 1 | 2
  cgroupnsMode: 'private' | 'host'
  ipcMode: 'private' | 'shareable'
  /** Bytes. */
  shmSize: number
  /** PID 1 is our own init unless a container says otherwise. */
  init: boolean
  noNewPrivileges: boolean
  ulimits: { name: string; soft: number; hard: number }[]
  dns: string[]
  dnsOptions: string[]
  dnsSearch: string[]
  /** Addresses that `host-gateway` stands for; empty: the default bridge's. */
  hostGatewayIps: string[]
  runtime: string
  runtimes: string[]
  /** Filter of containers without a `seccomp=` of their own; undefined: unconfined. */
  defaultSeccomp: SpecDefaults['defaultSeccomp']
  /** Processors online, for the range of `--cpus`. */
  cpus: number
}

export type LogWarning = (message: string, fields: Record<string, unknown>) => void

/** What is done to cgroups from the daemon; everything else the runtime does by plan. */
export interface CgroupControl {
  /** Before each launch: the parent exists with its controllers handed down, the plan's device program is attached (v2). */
  prepare(parent: string, plan: CgroupPlan): void
  /** When the cgroup of a launch is gone, or there was none: a parent that was made for such, and that none is below any more, goes, too. */
  release(parent: string): void
  /** Resolves when every process is frozen. */
  freeze(location: CgroupLocation): Promise<void>
  thaw(location: CgroupLocation): void
  /** Writes new limits; throws when the kernel refuses one. */
  update(location: CgroupLocation, resources: ResourcesSpec): void
}

export interface ContainerDeps {
  metadata: Metadata
  runtime: Runtime
  snapshotter: Snapshotter
  images: Pick<ImageService, 'get' | 'resolve' | 'list' | 'commit'>
  volumes: VolumeService
  networks: NetworkService
  events: Pick<EventBus, 'publish'>
  logs: LogReader
  files: Files
  mounts: Pick<Mounts, 'mount' | 'unmount'>
  cgroups: CgroupLayout
  /** What the parent of all containers can limit. */
  support: CgroupSupport
  cgroupControl: CgroupControl
  host: HostFacts
  devices: Pick<CdiRegistry, 'directories' | 'list' | 'inject'>
  clock: Clock
  paths: ContainerPaths
  defaults: () => ContainerDefaults
  warn: LogWarning
}

export interface Context {
  readonly deps: ContainerDeps
  readonly store: ContainerStore
  readonly execs: ExecStore
  readonly users: UserDirectory
  readonly endings: RecentEndings
  /** The daemon is going down: containers stay as they are, nothing is restarted or removed any more. */
  closing: boolean
  /** Doors from exit handling to the phases before and after it. */
  readonly phases: {
    /** Starts under the lock the caller holds. */
    startLocked(entry: ContainerEntry): Promise<void>
    /** Removes with force and anonymous volumes; never throws. */
    autoRemove(entry: ContainerEntry): Promise<void>
  }
}
