/**
 * The protocol between daemon, launcher, monitor and the process that becomes the container: drawn here once, for both languages.
 * `tools/gen-protocol.ts` makes `native/init/protocol.h` from these tables; a unit test fails when that file is stale.
 *
 * ```text
 *   daemon                        launcher            monitor                          child (becomes the container)
 *     │── connect launcher.sock ────▶│
 *     │                              │── fork ─────────▶│ inherits the connection, closes every other descriptor
 *     │── hello ────────────────────────────────────────▶│
 *     │◀───────────────────────────────────────── hello ─│ (exits)
 *
 *     │── launch(plan) ─────────────────────────────────▶│ validates; stages `keep` and `prepare`
 *     │                                                  │── clone3 ─────────────────────▶│
 *     │                                                  │ stage `host` (netlink)         │ stage `child`: namespaces, mounts …
 *     │                                                  │── 'n' network is there ───────▶│ operation wait-host
 *     │                                                  │◀─────── terminal + descriptor ─│ operation terminal
 *     │                                                  │◀──────────────── ready(warn) ──│ operation wait-start
 *     │◀─────────────────────────────────── created(pid)─│
 *     │── start ────────────────────────────────────────▶│── 'g' go ─────────────────────▶│ user, capabilities, seccomp, execve
 *     │                                                  │◀─────────────────── forked(pid)│ operation fork: an exec's last steps are another's
 *     │                                                  │◀── end of file (close-on-exec)─│
 *     │◀───────────────────────────────────────  started │
 *     │── kill, resize ─────────────────────────────────▶│
 *     │◀───────────────────────────────────────── result │ one per kill and resize, in order
 *     │◀───────────────────────────────────────── exited │ exit record is written, output is read to its end
 *     │◀──────────────────────────────────── end of file │ control groups are removed
 *
 *   For an exec `created` comes as soon as there is a process, so that the daemon can attach meanwhile; a `start` that comes early is kept.
 *   `failed(operation index, errno)` takes the place of created or started; end of file follows when all is undone.
 *   The connection ending before `start` means: undo. After it: go on without the daemon.
 *
 *   Later connections go to `<state directory>/monitor.sock`:
 *     │── attach(flags) ────────────────────────────────▶│
 *     │◀──────────────────────────────────────  attached │ then bytes: output to the left, stdin to the right
 *     │── adopt ────────────────────────────────────────▶│
 *     │◀────────────────────────────────────────── state │ from now on this is the control connection; exited follows if it is over
 * ```
 *
 * A frame is 8 bytes of header (u32 payload length, u16 type, u16 protocol version), then the payload. Everything is native-endian:
 * both ends are on one machine.
 */

/** Raised whenever a table below changes its meaning; a daemon starts a launcher of its own version beside one that differs. */
export const PROTOCOL_VERSION = 3

/** Bytes; larger frames are refused by both sides. */
export const MAX_FRAME = 0x400000

/** Names under the state directory of a task. */
export const MONITOR_SOCKET = 'monitor.sock'
export const EXIT_RECORD = 'exit.json'

export type Scalar = 'u32' | 'i32' | 'u64'

/** Fixed-size payloads. Order the fields by falling size: the C struct must have no padding. */
export const MESSAGES = {
  hello: { type: 1, fields: { pid: 'u32' } },
  /** Payload is the plan's bytes. */
  launch: { type: 2, fields: {} },
  start: { type: 3, fields: {} },
  kill: { type: 4, fields: { signal: 'u32' } },
  resize: { type: 5, fields: { height: 'u32', width: 'u32' } },
  attach: { type: 6, fields: { streams: 'u32' } },
  adopt: { type: 7, fields: {} },
  created: { type: 16, fields: { pid: 'u32', warnings: 'u32' } },
  /** Nanoseconds since the epoch. `pid` is the program's, which for an exec is another than that of `created`. */
  started: { type: 17, fields: { startedAt: 'u64', pid: 'u32', reserved: 'u32' } },
  /** errno is positive; `operation` counts from 0 in the order of the plan. */
  failed: { type: 18, fields: { operation: 'u32', errno: 'u32' } },
  /** errno 0: done. */
  result: { type: 19, fields: { errno: 'u32' } },
  exited: { type: 20, fields: { finishedAt: 'u64', exitCode: 'u32', signal: 'u32', oomKilled: 'u32', reserved: 'u32' } },
  attached: { type: 21, fields: {} },
  state: { type: 22, fields: { startedAt: 'u64', pid: 'u32', phase: 'u32' } },
} as const

/** What a monitor is at, in `state`. `starting`: execve is on its way, `started` or `failed` follows. */
export const PHASES = { preparing: 0, created: 1, starting: 2, running: 3, exited: 4 } as const

/** Bits of `attach.streams`. */
export const ATTACH = { stdin: 1, stdout: 2, stderr: 4 } as const

/** Bits of `created.warnings`: limits the kernel did not let us set, and what was done instead. */
export const WARNINGS = {
  /** Raised only as far as the present hard limit: no CAP_SYS_RESOURCE. */
  rlimitClamped: 1,
  /** oom_score_adj was left as inherited: lowering it needs CAP_SYS_RESOURCE. */
  oomScoreRefused: 2,
} as const

/** Bits of an operation's flags. */
export const OPERATION_FLAGS = {
  /** A failure does not fail the launch. */
  optional: 1,
} as const

/** Bits of the `stdio` operation. */
export const STDIO = { tty: 1, openStdin: 2, stdinOnce: 4 } as const

/** Bits of `mount.how` and `bind.how`. */
export const MOUNT_HOW = {
  /** Copy the tree below the source as well (rbind). */
  recursive: 1,
  /** Apply the attributes to the whole tree (rro and friends). */
  recursiveAttributes: 2,
  /** The target's path may not pass a symbolic link: /proc and /sys are trusted by later operations. */
  noSymlinks: 4,
  /** A tmpfs takes over the mode of the directory it covers, if there was one. */
  keepMode: 8,
} as const

/** Bits of `execve.flags`. */
export const EXECVE = {
  /** Keep our own init as the parent: forwards signals, reaps orphans, exits as the program does. */
  init: 1,
} as const

/**
 * Who executes an operation and when. `keep` operations describe what the monitor needs until the end; they come first so that the
 * rest of the plan's memory can be given back after the start.
 */
export const STAGES = ['keep', 'prepare', 'host', 'child'] as const
export type Stage = (typeof STAGES)[number]

/** `string`: NUL-terminated without inner NUL. `strings`: a list of them. `bytes`: opaque. */
export type FieldType = Scalar | 'string' | 'strings' | 'bytes'

/**
 * The operations of a plan. On the wire: u16 code, u16 flags, u32 size of the whole operation, then the fields; a string, list or
 * byte field is a u32 length followed by its bytes, padded to 4; a list holds its strings one after the other with their NULs.
 */
export const OPERATIONS = {
  /** Directory of socket and exit record; title is shown in the process list. */
  state: { code: 1, stage: 'keep', fields: { directory: 'string', title: 'string' } },
  stdio: { code: 2, stage: 'keep', fields: { flags: 'u32' } },
  /** json-file. Bytes; 0: no limit. `extra` is copied into each line as it is. */
  log: { code: 3, stage: 'keep', fields: { path: 'string', maxSize: 'u64', maxFile: 'u32', extra: 'string' } },
  /** Searched for `oom_kill N` after the exit. */
  'oom-file': { code: 4, stage: 'keep', fields: { path: 'string' } },
  /** cgroup.procs whose processes are killed after the exit: a container without a pid namespace leaves its orphans behind. */
  'kill-remaining': { code: 5, stage: 'keep', fields: { path: 'string' } },
  /** Directory removed after the exit, or when the launch fails. */
  'remove-cgroup': { code: 6, stage: 'keep', fields: { path: 'string' } },

  /** With parents; existing is fine. */
  'make-cgroup': { code: 16, stage: 'prepare', fields: { path: 'string' } },
  'write-cgroup': { code: 17, stage: 'prepare', fields: { path: 'string', value: 'string' } },
  /** `address` is a struct sockaddr. Bound for the monitor's life, never listening. */
  'bind-port': { code: 18, stage: 'prepare', fields: { type: 'u32', protocol: 'u32', address: 'bytes' } },
  /** CLONE_NEW… for clone3. */
  namespaces: { code: 19, stage: 'prepare', fields: { flags: 'u32' } },
  /** The child is born into this pid namespace. */
  'pid-namespace': { code: 20, stage: 'prepare', fields: { path: 'string' } },
  /** Process whose namespaces `join-target` enters. */
  target: { code: 21, stage: 'prepare', fields: { pid: 'u32' } },
  /** cgroup v2: CLONE_INTO_CGROUP. */
  'into-cgroup': { code: 22, stage: 'prepare', fields: { path: 'string' } },

  /** One rtnetlink send in the host's namespace; `pidOffsets` (u32 each) are where the child's pid goes. */
  'netlink-host': { code: 32, stage: 'host', fields: { bytes: 'bytes', pidOffsets: 'bytes' } },

  /**
   * One write(2) to a file of the host's proc or cgroup file systems, which show the namespaces of the writer; before `pivot` and
   * `join-target`. cgroup v1: `0` to a tasks file joins. `refused`: bits of `warnings` set when the kernel says EACCES or EPERM; 0: that
   * fails the launch.
   */
  write: { code: 48, stage: 'child', fields: { path: 'string', value: 'string', refused: 'u32' } },
  unshare: { code: 49, stage: 'child', fields: { flags: 'u32' } },
  'join-namespace': { code: 50, stage: 'child', fields: { path: 'string', type: 'u32' } },
  /** CLONE_NEW… of what is joined; the pid namespace by what `fork` makes. */
  'join-target': { code: 51, stage: 'child', fields: { flags: 'u32' } },
  /** mount(2) on the host's paths, in the child's mount namespace; empty strings are NULL. `cwd` is entered first, unless empty: relative layer paths keep overlay's options below one page. */
  'mount-host': {
    code: 52,
    stage: 'child',
    fields: { cwd: 'string', source: 'string', target: 'string', type: 'string', flags: 'u32', data: 'string' },
  },
  /** Makes the mount that holds `path` private, so that the root mounted there does not propagate. */
  'private-parent': { code: 53, stage: 'child', fields: { path: 'string' } },
  /** Paths of the following operations are resolved inside this directory, as if it were the root. */
  'enter-root': { code: 56, stage: 'child', fields: { path: 'string' } },
  /** mount(2); `propagation` is applied afterwards unless 0. */
  mount: {
    code: 57,
    stage: 'child',
    fields: { type: 'string', source: 'string', target: 'string', flags: 'u32', data: 'string', propagation: 'u32', how: 'u32' },
  },
  /**
   * open_tree, mount_setattr, move_mount. `set` and `clear` are MOUNT_ATTR_…; what the source's mount forbids stays forbidden. `subpath`, unless empty:
   * what lies there below the source, its links resolved inside the source. `idmap`, unless empty: path of a user namespace whose mapping
   * the mount shows owners through.
   */
  bind: {
    code: 58,
    stage: 'child',
    fields: {
      source: 'string',
      subpath: 'string',
      target: 'string',
      set: 'u32',
      clear: 'u32',
      propagation: 'u32',
      how: 'u32',
      idmap: 'string',
    },
  },
  /** With parents, inside the root; an existing directory keeps its mode. */
  mkdir: { code: 59, stage: 'child', fields: { path: 'string', mode: 'u32' } },
  symlink: { code: 60, stage: 'child', fields: { target: 'string', path: 'string' } },
  /** `mode` includes S_IF…; where mknod is refused the host's device of the same path is bound. */
  mknod: { code: 61, stage: 'child', fields: { path: 'string', mode: 'u32', major: 'u32', minor: 'u32', uid: 'u32', gid: 'u32' } },
  /** Covers a file with /dev/null, a directory with an empty read-only tmpfs; an absent path is fine. */
  mask: { code: 62, stage: 'child', fields: { path: 'string' } },
  /** Read-only: a mount as it is, anything else bound to itself; an absent path is fine. */
  readonly: { code: 63, stage: 'child', fields: { path: 'string' } },
  'readonly-root': { code: 64, stage: 'child', fields: {} },
  /** pivot_root into the entered root; the host's mounts are gone from here on. `propagation` for the new root unless 0. */
  pivot: { code: 65, stage: 'child', fields: { propagation: 'u32' } },
  /** Until the monitor's `host` stage is done. */
  'wait-host': { code: 69, stage: 'child', fields: {} },
  /** One rtnetlink send in the child's namespace. */
  netlink: { code: 70, stage: 'child', fields: { bytes: 'bytes' } },
  /** Opens a pseudo terminal in the root's devpts, hands the master to the monitor. `console`: bound to /dev/console. */
  terminal: { code: 71, stage: 'child', fields: { height: 'u32', width: 'u32', console: 'u32' } },
  rlimit: { code: 72, stage: 'child', fields: { resource: 'u32', soft: 'u64', hard: 'u64' } },
  /** After `join-target`: the rest of the plan is done by a child in the target's pid namespace, whose parent is the monitor. */
  fork: { code: 73, stage: 'child', fields: {} },
  /** New session keyring, so that the container cannot read the daemon's. */
  keyring: { code: 74, stage: 'child', fields: { name: 'string' } },
  /** Reports `created` and waits for `start`. */
  'wait-start': { code: 75, stage: 'child', fields: {} },
  'no-new-privileges': { code: 76, stage: 'child', fields: {} },
  /** `filter`: struct sock_filter[]. */
  seccomp: { code: 77, stage: 'child', fields: { flags: 'u32', filter: 'bytes' } },
  bounding: { code: 78, stage: 'child', fields: { mask: 'u64' } },
  chdir: { code: 79, stage: 'child', fields: { path: 'string' } },
  /** `groups`: u32 each. Standard streams that are pipes are given to the user. */
  user: { code: 80, stage: 'child', fields: { uid: 'u32', gid: 'u32', umask: 'u32', groups: 'bytes' } },
  capabilities: { code: 81, stage: 'child', fields: { effective: 'u64', permitted: 'u64', inheritable: 'u64', ambient: 'u64' } },
  /** A program without a slash is looked up in PATH of `environment`. */
  execve: { code: 82, stage: 'child', fields: { flags: 'u32', arguments: 'strings', environment: 'strings' } },
  /** In place of a program: report `created` and hold the mounts until killed. */
  hold: { code: 83, stage: 'child', fields: {} },
} as const

export type OperationName = keyof typeof OPERATIONS
export type MessageName = keyof typeof MESSAGES

interface FieldValues {
  u32: number
  i32: number
  u64: bigint
  string: string
  strings: string[]
  bytes: Buffer
}

/** What has to be given for the fields of an operation. */
export type OperationFields<N extends OperationName> = {
  [F in keyof (typeof OPERATIONS)[N]['fields']]: (typeof OPERATIONS)[N]['fields'][F] extends infer T extends FieldType
    ? FieldValues[T]
    : never
}

/** What a message carries. */
export type MessageFields<N extends MessageName> = {
  [F in keyof (typeof MESSAGES)[N]['fields']]: (typeof MESSAGES)[N]['fields'][F] extends infer T extends Scalar ? FieldValues[T] : never
}
