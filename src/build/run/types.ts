/** What steps that run programs are run with. The manual is in `index.ts`. */

import type { CdiRegistry } from '#cdi'
import type { CgroupControl, ContainerDefaults, HostFacts } from '#containers'
import type { CgroupLayout, CgroupSupport, Files, Mounts } from '#kernel'
import type { NetworkService } from '#networks'
import type { Runtime } from '#runtime'
import type { DraftLayers, JobRunner, Snapshotter } from '#snapshots'
import type { CacheRecordInfo } from '../cache/types.ts'
import type { Ref } from '../graph/ref.ts'
import type { CacheMount } from '../graph/types.ts'

export interface RunDeps {
  runtime: Pick<Runtime, 'create' | 'exec' | 'adopt'>
  snapshotter: Snapshotter & DraftLayers
  networks: NetworkService
  files: Files
  jobs: JobRunner
  mounts: Pick<Mounts, 'mount' | 'unmount'>
  cgroups: CgroupLayout
  /** What the parent of all steps can limit. */
  support: CgroupSupport
  cgroupControl: Pick<CgroupControl, 'prepare' | 'release'>
  host: HostFacts
  /** Of containers: a step has the same. Read at each use. */
  defaults: () => ContainerDefaults
  cacheMounts: CacheMounts
  devices: Pick<CdiRegistry, 'edits'>
  paths: RunPaths
  /** Where binfmt_misc is mounted; `/proc/sys/fs/binfmt_misc` unless a test says otherwise. */
  binfmt?: string
  warn: (message: string, fields: Record<string, unknown>) => void
}

/** Absolute; made when they are needed, and owned by this folder alone. */
export interface RunPaths {
  /** Below the exec root. One directory per running program: monitor socket, sockets of agents. */
  steps: string
  /** Below the data root, on the file system of the layers. Per running program: mount points that its root file system lacks, files with names. */
  stubs: string
  /** Below the data root. One directory per cache mount. */
  cacheMounts: string
}

/** What a step wants of a cache mount; `mount` says which and how it is shared. */
export interface CacheMountRequest {
  mount: CacheMount
  /** What it holds at first; undefined: nothing. */
  base: Ref | undefined
  /** Two mounts of the same cache in one step are one use of it. */
  user: string
  /** For people: `/bin/sh -c make`. */
  step: string
  signal: AbortSignal
}

/** Directories that outlive the steps that use them: `RUN --mount=type=cache`. */
export interface CacheMounts {
  /** Waits for a locked cache in use. Disposing gives it back. Throws the signal's reason. */
  acquire(request: CacheMountRequest): Promise<Disposable & { path: string }>
  /** Whoever wants one with such an id (`CacheMount.id`) gets a new one from now on. Steps that have one keep it. */
  retire(ids: ReadonlySet<string>): void
  /** Their records, measured; `inUse` while a step has them. */
  list(): Promise<CacheRecordInfo[]>
  /** Deletes one with its files, which go in the background. Throws NOT_FOUND; CONFLICT when a step has it. */
  remove(id: string): void
  /** Reconciles directories with rows after a crash. Before anything else is called. */
  restore(): Promise<void>
  /** Waits for background deletions. */
  settled(): Promise<void>
}
