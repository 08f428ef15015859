/** Contracts of `runtime/`: what a launch needs and what a running task offers. The manual is in `index.ts`. */

import type { Duplex } from 'node:stream'
import type { ProcessSpec, RuntimeSpec, SeccompSpec } from '#oci'
import type { CgroupPlan, NetnsPlan, OverlayPlan } from '#kernel'

/** A container to be launched. All paths are on the host unless said otherwise. */
export interface LaunchSpec {
  /** Container id, 64 hex digits. */
  id: string
  /** Directory owned by this task: monitor socket and exit record live here; it exists and is removed by the caller. */
  stateDir: string
  spec: RuntimeSpec
  rootfs: { overlay: OverlayPlan } | { directory: string }
  /**
   * File systems that mounts of the spec have as their source, read-only without an upper directory: mounted at `target`, an existing directory, in the
   * container's mount namespace alone and before its root is entered.
   */
  overlays?: readonly { target: string; overlay: OverlayPlan }[]
  cgroup: CgroupPlan
  network: NetnsPlan
  stdio: StdioSpec
  /** `--init`: our own init as PID 1, which forwards signals and reaps. */
  init?: boolean
  /** Of a spec with hooks: directory for its config.json, made when it is not there; the caller's to remove, after `delete`. */
  bundle?: string
}

/** How the monitor treats the process's standard streams. */
export interface StdioSpec {
  tty: boolean
  /** Keep a stdin open for attach clients; otherwise the process reads /dev/null. */
  openStdin: boolean
  /** Close stdin when the first attached client that has stdin ends it or goes away. */
  stdinOnce: boolean
  log: LogSink
}

/** json-file: lines `{"log":"…","stream":"stdout",…"time":"…"}` as Docker writes them; rotation by rename (`path.1`, `path.2` …). */
export type LogSink =
  | { driver: 'none' }
  | {
      driver: 'json-file'
      path: string
      /** Bytes; 0 for no limit. */
      maxSize: number
      /** Files kept in all, at least 1. */
      maxFile: number
      /** Extra JSON members put into each line, already encoded: `"attrs":{"a":"b"}`; empty for none. */
      extra: string
    }

/** What of a launch holds only its files. */
export type HoldSpec = Pick<LaunchSpec, 'id' | 'stateDir' | 'spec' | 'rootfs' | 'overlays'>

/** Further process in a running container. */
export interface ExecSpec {
  /** Exec id, 64 hex digits. */
  id: string
  stateDir: string
  /** Pid of the container's init, whose namespaces are joined. */
  targetPid: number
  process: ProcessSpec
  cgroup: { version: 1 | 2; join: string[]; into?: string }
  seccomp?: RuntimeSpec['linux']['seccomp']
  stdio: Omit<StdioSpec, 'log'>
}

/** How a process ended. */
export interface Exit {
  /** 0–255; 128+n when killed by signal n. */
  exitCode: number
  signal?: number
  oomKilled: boolean
  /** Milliseconds since the epoch, with fraction. */
  finishedAt: number
}

export interface AttachOptions {
  stdin: boolean
  stdout: boolean
  stderr: boolean
}

/**
 * A container's or exec's process as seen from the daemon. The monitor behind it outlives the daemon; a lost daemon is followed by
 * `Runtime.adopt`.
 */
export interface Task {
  readonly id: string
  /** Host pid of the process; 0 before `start`. */
  readonly pid: number
  /** Of the process that waits for `start` in the container's namespaces already; an exec's program has another. */
  readonly hostPid: number
  /** Milliseconds since the epoch at which execve succeeded; 0 before. */
  readonly startedAt: number
  /**
   * Lets the created process run its program. Resolves when execve has succeeded. Throws {@link LaunchError} when it fails; the task is
   * then gone and everything it made undone.
   */
  start(): Promise<void>
  /** `attach` and `start` in one trip to the monitor; nothing is missed. Throws as `start` does, NOT_FOUND when it cannot attach. */
  startAttached(options: AttachOptions): Promise<Duplex>
  /**
   * Settles when the process has ended and its output has been read to the end and logged; at most two seconds after the process when
   * something that outlives it holds its pipes (an exec's background child). Attached streams end by themselves, as fast as they are read.
   * Never rejects: a container whose monitor was killed died with it and counts as killed by SIGKILL.
   */
  readonly exited: Promise<Exit>
  /**
   * A stream to the monitor. Readable side: Docker's 8-byte frames without tty, raw bytes with tty; ends after the last output.
   * Writable side: stdin; `end()` half-closes it. Must be opened before `start` to miss nothing. A reader that does not read stops the
   * container once its buffers are full, as with Docker.
   */
  attach(options: AttachOptions): Promise<Duplex>
  /** signal number; throws NOT_FOUND when the process is gone. Race-free against pid reuse (pidfd in the monitor). */
  kill(signal: number): Promise<void>
  /** Characters. A task without tty answers FAILED: INVALID_ARGUMENT. */
  resize(height: number, width: number): Promise<void>
  /**
   * Forgets the task: removes its socket and exit record, and resolves when its cgroups are gone and its poststop hooks have run. Only after
   * `exited`, or before `start` to throw it away; throws CONFLICT otherwise.
   */
  delete(): Promise<void>
}

/** What a new daemon finds of a task started by an earlier one. */
export type Adopted =
  | { state: 'running'; task: Task }
  | { state: 'exited'; exit: Exit }
  /** Nothing there: the machine was restarted, or monitor and record are gone. */
  | { state: 'lost' }

/** Array of `struct sock_filter` for a profile; the daemon passes one that remembers its results. */
export type CompileSeccomp = (spec: SeccompSpec) => Buffer

/** Which step of the plan failed, so that the daemon can tell a missing program from a refused mount. */
export class LaunchError extends Error {
  /** Operation as the plan names it: `mount`, `execve`, `chdir`, `bind-port` … */
  readonly operation: string
  readonly errno: number
  /** `ENOENT` … */
  readonly code: string
  /** The operation's object, e.g. the mount target or the program. */
  readonly subject: string

  constructor(operation: string, subject: string, errno: number, code: string, message: string) {
    super(message)
    this.name = 'LaunchError'
    this.operation = operation
    this.subject = subject
    this.errno = errno
    this.code = code
  }
}

/** The container runtime: one per daemon. Interface of `createRuntime` in `index.ts`. */
export interface Runtime {
  /** Prepares everything up to, not including, the program: namespaces, mounts, cgroup, network. */
  create(spec: LaunchSpec): Promise<Task>
  /** Resolves when the process is on its way: what fails in its preparation may be thrown by the task's start. */
  exec(spec: ExecSpec): Promise<Task>
  /** Looks for a monitor or an exit record in `stateDir`. The task of a daemon that died before its `start` is thrown away: `lost`. */
  adopt(id: string, stateDir: string): Promise<Adopted>
  /**
   * A process that holds the container's mounts without running its program (stopped containers: archive, export). Its root is at
   * `/proc/<pid>/root`. Disposing ends it.
   */
  hold(spec: HoldSpec): Promise<AsyncDisposable & { pid: number }>
  /** Ends the launcher unless a task of ours runs: a daemon that stops in order and leaves no container leaves no process. */
  dismissLauncher(): Promise<void>
  /** Stops using the launcher; containers keep running. */
  close(): Promise<void>
}
