/**
 * The part of the OCI runtime configuration (config.json) that Gantry writes and reads.
 * Field names are the specification's. Source: opencontainers/runtime-spec v1.2.1, config.md and config-linux.md.
 */

export interface RuntimeSpec {
  ociVersion: string
  process: ProcessSpec
  root: { path: string; readonly?: boolean }
  hostname?: string
  domainname?: string
  mounts: MountSpec[]
  annotations?: Record<string, string>
  hooks?: HooksSpec
  linux: LinuxSpec
}

/** Programs of the host that are run beside a container's life (`startContainer`: of the container). Source: config.md, "POSIX-platform Hooks". */
export interface HooksSpec {
  prestart?: HookSpec[]
  createRuntime?: HookSpec[]
  createContainer?: HookSpec[]
  startContainer?: HookSpec[]
  poststart?: HookSpec[]
  poststop?: HookSpec[]
}

export interface HookSpec {
  /** Absolute. */
  path: string
  /** With the program's name first; empty: nothing but that. */
  args?: string[]
  env?: string[]
  /** Seconds. */
  timeout?: number
}

export interface ProcessSpec {
  terminal?: boolean
  consoleSize?: { height: number; width: number }
  user: { uid: number; gid: number; additionalGids?: number[]; umask?: number }
  /** At least one element; `args[0]` without a slash is looked up in PATH of `env`, inside the root. */
  args: string[]
  env: string[]
  /** Absolute, inside the root. */
  cwd: string
  capabilities?: CapabilitySets
  rlimits?: { type: string; soft: number; hard: number }[]
  noNewPrivileges?: boolean
  oomScoreAdj?: number
  apparmorProfile?: string
}

/** Names like `CAP_NET_ADMIN`. */
export interface CapabilitySets {
  bounding: string[]
  effective: string[]
  permitted: string[]
  inheritable: string[]
  ambient: string[]
}

/** `type` bind when options hold `bind` or `rbind`; options as mount(8) spells them, propagation (`rprivate` …) included. */
export interface MountSpec {
  destination: string
  type: string
  source: string
  options: string[]
  /** Bind only: owner `containerID` of the source is shown as `hostID` (config.md, "Idmapped mounts"); with `rbind` on the mounts below it, too. */
  uidMappings?: IdMapping[]
  gidMappings?: IdMapping[]
  /** Bind only, and not the specification's: what is mounted is this path below `source`, whose links lead nowhere outside `source`. */
  subpath?: string
}

export type NamespaceType = 'pid' | 'network' | 'mount' | 'ipc' | 'uts' | 'user' | 'cgroup'

export interface LinuxSpec {
  /** A namespace that is absent is shared with the host; one with `path` is joined. */
  namespaces: { type: NamespaceType; path?: string }[]
  uidMappings?: IdMapping[]
  gidMappings?: IdMapping[]
  devices?: DeviceSpec[]
  sysctl?: Record<string, string>
  seccomp?: SeccompSpec
  rootfsPropagation?: 'shared' | 'slave' | 'private' | 'unbindable'
  maskedPaths?: string[]
  readonlyPaths?: string[]
  cgroupsPath?: string
  resources?: ResourcesSpec
}

export interface IdMapping {
  containerID: number
  hostID: number
  size: number
}

export interface DeviceSpec {
  type: 'c' | 'b' | 'p' | 'u'
  path: string
  major: number
  minor: number
  fileMode?: number
  uid?: number
  gid?: number
}

/** Bytes for memory, microseconds for cpu quota and period. */
export interface ResourcesSpec {
  devices?: { allow: boolean; type?: 'a' | 'b' | 'c'; major?: number; minor?: number; access?: string }[]
  memory?: {
    limit?: number
    reservation?: number
    /** Memory plus swap; -1 for unlimited. */
    swap?: number
    swappiness?: number
    disableOOMKiller?: boolean
  }
  cpu?: {
    shares?: number
    quota?: number
    period?: number
    realtimeRuntime?: number
    realtimePeriod?: number
    cpus?: string
    mems?: string
  }
  pids?: { limit: number }
  blockIO?: {
    weight?: number
    weightDevice?: { major: number; minor: number; weight: number }[]
    throttleReadBpsDevice?: ThrottleDevice[]
    throttleWriteBpsDevice?: ThrottleDevice[]
    throttleReadIOPSDevice?: ThrottleDevice[]
    throttleWriteIOPSDevice?: ThrottleDevice[]
  }
}

export interface ThrottleDevice {
  major: number
  minor: number
  rate: number
}

export interface SeccompSpec {
  defaultAction: string
  defaultErrnoRet?: number
  architectures?: string[]
  flags?: string[]
  syscalls?: SeccompRule[]
}

export interface SeccompRule {
  names: string[]
  action: string
  errnoRet?: number
  /** Operands are 64 bits wide: a bigint where a number would lose bits. */
  args?: { index: number; value: number | bigint; valueTwo?: number | bigint; op: string }[]
}
