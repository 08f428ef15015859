/**
 * What the launch path needs to know of cgroups, network namespaces and overlays, as plain data.
 * Pure functions build these plans, `runtime/` carries them to the C program, which acts on them (design: TypeScript decides, C obeys).
 */

/** One overlay mount. Paths are absolute or relative to `cwd`; `lower[0]` is the topmost layer (overlayfs.rst, "Multiple lower layers"). */
export interface OverlayPlan {
  /** Directory the mounting process changes to first, so that many lower layers fit into one page of options. */
  cwd: string
  lower: string[]
  upper: string
  work: string
  /** Skip all syncing (overlayfs.rst, "Volatile mount"); only where a crash may lose the upper layer (`--rm`). */
  volatile?: boolean
}

/** Directories to make, values to write and files to join for one container, in order. */
export interface CgroupPlan {
  version: 1 | 2
  /** Absolute directories; made with parents; EEXIST is fine. On v1 one per controller hierarchy. */
  directories: string[]
  /** Values written after the directories exist and before the process joins. `optional` writes may fail (the daemon has warned already). */
  writes: { path: string; value: string; optional?: boolean }[]
  /** v1: the `tasks` files the child writes `0` to (52 µs; a pid into cgroup.procs costs an RCU grace period). Empty on v2. */
  join: string[]
  /** v2: the directory whose descriptor goes to clone3(CLONE_INTO_CGROUP). */
  into?: string
  /** v2: eBPF program that decides over device nodes; `prepareCgroup` attaches it to `into` before the launch. */
  deviceProgram?: Buffer
  /** Where `oom_kill N` is counted: v1 memory.oom_control, v2 memory.events. */
  oomFile?: string
  /** Removed after exit, deepest first; EBUSY is retried for a bounded time. */
  remove: string[]
}

/** How a container gets its network namespace; messages are complete rtnetlink requests. */
export type NetnsPlan =
  | { mode: 'host' }
  /** Join the network namespace of a running process. */
  | { mode: 'join'; path: string }
  | {
      mode: 'new'
      /**
       * Sent by the monitor in the host's namespace while the child mounts. `pidOffsets` are byte offsets of a native-endian u32
       * (IFLA_NET_NS_PID payload) that the monitor overwrites with the child's pid.
       */
      host: { bytes: Buffer; pidOffsets: number[] }[]
      /** Sent by the child inside its namespace once the host part is done: lo up, addresses, links up, routes. One send each. */
      inside: Buffer[]
      /** Written inside the namespace after `inside`, paths under /proc/sys/net. */
      sysctls: { path: string; value: string }[]
      /** Sockets bound (not listening) by the monitor for its lifetime: reserves published ports. EADDRINUSE fails the launch. */
      reserve: PortReservation[]
    }

export interface PortReservation {
  family: 4 | 6
  protocol: 'tcp' | 'udp' | 'sctp'
  /** Textual address, `0.0.0.0` or `::` for all. */
  address: string
  port: number
}
