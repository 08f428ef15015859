/**
 * Contracts of `containers/`: the container as the engine keeps it, and the service that `server/` calls. The manual is in `index.ts`.
 * These are domain types: `server/` maps them from and to Docker's wire names with one table, and they are what SQLite stores.
 * What a container is asked to be is in `configuration.ts`.
 */

import type { Duplex, Readable } from 'node:stream'
import type { ImageProcessConfig } from '#oci'
import type { EndpointRequest, Endpoint } from '#networks'
import type { Change } from '#snapshots'
import type { LogReadOptions } from '#logs'
import type { ContainerConfig, HostConfig, MountRequest, MountType, Resources } from './configuration.ts'

/** State is a union, change is a table: `containers/state.ts` holds the only transition function. Times: RFC 3339 with nanoseconds. */
export type ContainerState =
  /** `exitCode` and `error` are those of a failed start (126, 127, 128), absent before the first attempt. */
  | { status: 'created'; exitCode?: number; error?: string }
  | { status: 'running'; pid: number; startedAt: string }
  | { status: 'paused'; pid: number; startedAt: string }
  | { status: 'restarting'; startedAt: string; finishedAt: string; exitCode: number; oomKilled: boolean; error: string }
  | { status: 'exited'; startedAt: string; finishedAt: string; exitCode: number; oomKilled: boolean; error: string }
  | { status: 'removing'; startedAt: string; finishedAt: string; exitCode: number; oomKilled: boolean; error: string }
  | { status: 'dead'; startedAt: string; finishedAt: string; exitCode: number; oomKilled: boolean; error: string }

/** A mount as it is (inspect `Mounts`). Of an image: `name` as written, its id in `spec.source`, and where the engine mounts it in `source`. */
export interface MountPoint {
  type: MountType
  name: string
  source: string
  destination: string
  driver: string
  mode: string
  rw: boolean
  propagation: string
  /** Owners as the container sees them, see `parseIdMap`. Absent: as they are. */
  idmap?: string
  /** What it was made from; only in the record. */
  spec: MountRequest
}

/** A network of a container as asked for at create or by connect. */
export interface ContainerNetwork extends EndpointRequest {
  /** Known since the container was on it: from then on a network made anew under that name is another one. */
  networkId?: string
}

/** The container `containerId` is known as `alias` in the one that has the link. */
export interface ContainerLink {
  containerId: string
  alias: string
}

export interface HealthResult {
  start: string
  end: string
  exitCode: number
  output: string
}

export interface Health {
  status: 'none' | 'starting' | 'healthy' | 'unhealthy'
  failingStreak: number
  log: HealthResult[]
}

/** The aggregate's record, the whole of it. */
export interface Container {
  id: string
  /** Without leading slash. */
  name: string
  created: string
  /** Program and arguments after entrypoint and cmd are joined. */
  path: string
  args: string[]
  /** Image id; empty for an image-less container. */
  imageId: string
  config: ContainerConfig
  hostConfig: HostConfig
  /** By the network's name; by what the user wrote while no such network exists. */
  networks: Record<string, ContainerNetwork>
  /** `--link` on the default bridge. Absent: none. */
  links?: ContainerLink[]
  state: ContainerState
  /** Endpoints while running; kept for inspect. */
  endpoints: Endpoint[]
  mounts: MountPoint[]
  restartCount: number
  hasBeenStartedBefore: boolean
  hasBeenManuallyStopped: boolean
  health?: Health
  platform: string
  logPath: string
  hostnamePath: string
  hostsPath: string
  resolvConfPath: string
  apparmorProfile: string
  execIds: string[]
}

export interface CreateRequest {
  /** Empty: a name is made up. */
  name: string
  platform: string
  /** undefined members: not given, the image's or the daemon's defaults apply. */
  config: Partial<ContainerConfig>
  hostConfig: Partial<HostConfig>
  networks: Record<string, EndpointRequest>
}

export interface ListFilters {
  [key: string]: string[]
}

export interface ExecRequest {
  cmd: string[]
  env: string[]
  user: string
  workingDir: string
  privileged: boolean
  tty: boolean
  attachStdin: boolean
  attachStdout: boolean
  attachStderr: boolean
  detachKeys: string
  consoleSize?: [number, number]
}

export interface Exec {
  id: string
  containerId: string
  request: ExecRequest
  running: boolean
  /** null while not ended. */
  exitCode: number | null
  pid: number
  canRemove: boolean
  openStdin: boolean
}

/** Raw counters; the CLI and server compute percentages. Bytes, nanoseconds. */
export interface StatsSample {
  id: string
  name: string
  /** RFC 3339 with nanoseconds. */
  read: string
  osType: 'linux'
  running: boolean
  cgroupVersion: 1 | 2
  pids: { current: number; limit: number }
  cpu: {
    totalUsage: number
    perCpuUsage: number[]
    kernel: number
    user: number
    /** Host's cpu time, all cores. */
    systemUsage: number
    onlineCpus: number
    throttling: { periods: number; throttledPeriods: number; throttledTime: number }
  }
  memory: { usage: number; maxUsage: number; failcnt: number; limit: number; stats: Record<string, number> }
  blkio: Record<string, { major: number; minor: number; op: string; value: number }[]>
  /** By interface name inside. */
  networks: Record<
    string,
    {
      rxBytes: number
      rxPackets: number
      rxErrors: number
      rxDropped: number
      txBytes: number
      txPackets: number
      txErrors: number
      txDropped: number
    }
  >
}

export interface WaitResult {
  exitCode: number
  error?: string
}

export interface AttachRequest {
  stdin: boolean
  stdout: boolean
  stderr: boolean
  /** Attach to the live streams. */
  stream: boolean
  /** Replay the log first. */
  logs: boolean
  detachKeys: string
}

/** Result of attach and exec start: what flows between client and process. Framing is done already where there is no tty. */
export interface AttachedIo {
  tty: boolean
  /** Runs until the output has ended, the client detached by keys, or either side broke. `client`: the hijacked connection. */
  pipe(client: Duplex): Promise<void>
}

export interface PathStat {
  name: string
  /** Bytes. */
  size: number
  /** Go's os.FileMode bits, as the header wants them. */
  mode: number
  mtime: string
  linkTarget: string
}

export interface UpdateRequest {
  resources: Partial<Resources>
  restartPolicy?: HostConfig['restartPolicy']
}

/**
 * Everything the API does with containers. `ref` is a full id, a unique id prefix, a name or `/name`.
 * All methods throw NOT_FOUND `No such container: x` for an unknown ref; texts are Docker's.
 */
export interface ContainerService {
  get(ref: string): Container
  /** Newest first. `size` fills SizeRw/SizeRootFs. */
  list(options: { all: boolean; limit: number; size: boolean; filters: ListFilters }): Promise<ContainerSummary[]>
  create(request: CreateRequest): Promise<{ id: string; warnings: string[] }>
  start(ref: string): Promise<void>
  /** Throws NOT_MODIFIED when not running. `timeout` seconds, -1 for ever, undefined: the container's. */
  stop(ref: string, options: { timeout?: number; signal?: string }): Promise<void>
  restart(ref: string, options: { timeout?: number; signal?: string }): Promise<void>
  /** Signal name or number as the user wrote it; empty: SIGKILL. */
  kill(ref: string, signal: string): Promise<void>
  /** The first await resolves when the wait is registered (headers may be flushed), the inner one when it is over. */
  wait(ref: string, condition: 'not-running' | 'next-exit' | 'removed', signal?: AbortSignal): Promise<{ result: Promise<WaitResult> }>
  attach(ref: string, request: AttachRequest): Promise<AttachedIo>
  logs(ref: string, options: Omit<LogReadOptions, 'framed'>, signal?: AbortSignal): Promise<{ tty: boolean; stream: AsyncIterable<Buffer> }>
  resize(ref: string, height: number, width: number): Promise<void>
  remove(ref: string, options: { force: boolean; volumes: boolean; link: boolean }): Promise<void>
  pause(ref: string): Promise<void>
  unpause(ref: string): Promise<void>
  rename(ref: string, name: string): Promise<void>
  /** `network`: name or id. A running container gets an interface more. Throws FORBIDDEN when it is on it already. */
  connectNetwork(ref: string, network: string, endpoint: EndpointRequest): Promise<void>
  /** `force`: also from a network that is no more. */
  disconnectNetwork(ref: string, network: string, options: { force: boolean }): Promise<void>
  update(ref: string, request: UpdateRequest): Promise<{ warnings: string[] }>
  top(ref: string, psArgs: string): Promise<{ titles: string[]; processes: string[][] }>
  /** One sample, or one about every second until the container is removed or the signal aborts. */
  stats(
    ref: string,
    options: { stream: boolean; oneShot: boolean },
    signal?: AbortSignal,
  ): AsyncIterable<{ current: StatsSample; previous?: StatsSample }>
  changes(ref: string): Promise<Change[]>
  export(ref: string): Promise<Readable>
  statPath(ref: string, path: string): Promise<PathStat>
  readArchive(ref: string, path: string): Promise<{ stat: PathStat; tar: Readable }>
  writeArchive(ref: string, path: string, tar: Readable, options: { noOverwriteDirNonDir: boolean; copyUidGid: boolean }): Promise<void>
  commit(ref: string, options: CommitRequest): Promise<{ id: string }>
  prune(filters: { until?: number; label: string[]; labelNot: string[] }): Promise<{ deleted: string[]; reclaimed: number }>
  /** Host directories of the container's layers, for inspect; topmost first. undefined: they are gone. */
  directories(ref: string): { lower: string[]; upper: string; work: string } | undefined
  /** Bytes of the writable layer, and of everything the container sees. */
  usage(ref: string): Promise<{ sizeRw: number; sizeRootFs: number }>

  createExec(ref: string, request: ExecRequest): Promise<{ id: string }>
  getExec(id: string): Exec
  startExec(id: string, options: { detach: boolean; tty: boolean; consoleSize?: [number, number] }): Promise<AttachedIo | undefined>
  resizeExec(id: string, height: number, width: number): Promise<void>

  /** After a start of the daemon: adopt what runs, settle what ended, clean what is half made. */
  restore(): Promise<void>
  /** Daemon stops; containers keep running. */
  close(): Promise<void>
}

export interface CommitRequest {
  repo: string
  tag: string
  comment: string
  author: string
  pause: boolean
  changes: string[]
  config?: ImageProcessConfig
}

export interface ContainerSummary {
  container: Container
  /** Name the image is shown under: a tag, else the id. */
  imageName: string
  /** What other containers call it by a link on the default bridge: `app/store`. Absent: nobody has one. */
  linkNames?: string[]
  /** `Up 3 minutes (healthy)`, `Exited (0) 2 hours ago`. */
  status: string
  sizeRw?: number
  sizeRootFs?: number
  /** What the writable layer takes of the disk: whole blocks, holes not counted. */
  disk?: number
}
