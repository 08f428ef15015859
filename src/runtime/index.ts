/**
 * The container runtime: turns an OCI runtime specification into a running process, and stays in touch with it.
 *
 * TypeScript decides, C obeys. `compileLaunch` turns a {@link LaunchSpec} into a *launch plan*, a flat list of operations in a binary form
 * (`protocol.ts` draws it and the messages); the C program `native/init` checks the plan and carries it out, because nothing of ours could
 * run in JavaScript between clone and execve. Three kinds of C process:
 *
 * - **launcher**: one per machine, started by the first call that needs it, outlives the daemon. Forks monitors, reaps them, and kills what
 *   a killed monitor leaves behind. Ends by itself when its socket is deleted and nothing runs.
 * - **monitor**: one per container or exec. Makes cgroups, reserves ports, clones the process, writes its log, serves attached clients on
 *   `<stateDir>/monitor.sock`, records its exit in `<stateDir>/exit.json`. Needs the daemon for nothing between `start` and `delete`.
 * - **child**: the process that becomes the container; with `init`, our PID 1 stays as its parent. Of an exec there are two: the *joiner* joins the
 *   container's namespaces and takes on its rights where the container cannot see it, and forks what becomes the program (docs/adr/0003).
 *
 * **Life of a task.**
 *
 * ```text
 *   create ──▶ created ──start──▶ running ──▶ exited ──delete──▶ gone
 *     │           │ delete: undone    │
 *     └ LaunchError: undone           └ daemon dies: nothing changes; the next one calls adopt
 * ```
 *
 * `create` does everything up to the program: namespaces, cgroups, mounts, network. `start` lets it run and resolves when execve has
 * succeeded. Between the two, `attach` misses nothing. A daemon that dies before `start` leaves nothing: the monitor undoes the launch.
 * An exec is made the same way and leaves no exit record; `startAttached` saves it a trip, and what its preparation fails of is told by the start.
 * `exited` resolves when the output has been read to its end and logged; attached streams may still hold bytes that nobody has read.
 * `delete` then waits until the cgroups are gone, after which the same container may be created again; unmounting goes on behind it.
 *
 * **Failures.** {@link LaunchError} names the operation and its object, so that the engine finds Docker's words for it:
 *
 * | operation | subject |
 * |---|---|
 * | `execve`, `chdir` | program, directory |
 * | `mount`, `bind`, `overlay`, `readonly`, `mask` | `SOURCE on TARGET`, or the path |
 * | `bind-port` | `127.0.0.1:80/tcp`; code EADDRINUSE |
 * | `make-cgroup`, `write-cgroup`, `join-cgroup` | directory; `VALUE to FILE`; file |
 * | `netlink-host`, `netlink` | one rtnetlink batch |
 * | `sysctl`, `rlimit`, `hostname`, `seccomp`, `user` … | what was asked for |
 * | `hook` | a hook's program; the message says how it ended |
 * | `target`, `join-target`, `fork` | `process PID`, exec id: the exec's container is gone, or at its limit of processes (EAGAIN) |
 *
 * What an unprivileged daemon may not do is done as far as possible: hard limits are raised to the present one, `oom_score_adj` is left as
 * it is. User namespaces, idmapped mounts and `tmpcopyup` answer NOT_IMPLEMENTED.
 *
 * **Hooks.** Those of the specification are run by the daemon (`hooks/`): `prestart`, `createRuntime` and `createContainer` between `created` and the end of
 * `create`, when the process has its mounts and has not entered its root; `poststart` after `start`; `poststop` at `delete`, or when a later daemon adopts what
 * is over. `startContainer` answers NOT_IMPLEMENTED: it would run a program of the image.
 *
 * **Words.** *Plan*: bytes plus the names of its operations. *Stage*: who carries an operation out and when (`keep`, `prepare`, `host`,
 * `child`). *Hold*: a process that keeps a stopped container's file system mounted for archive and export, at `/proc/<pid>/root`.
 * *Control connection*: daemon to monitor; the last daemon to adopt a task has it.
 *
 * ```ts
 * const runtime = createRuntime({ binary: 'native/init/build/gantry-init', socket: '/run/gantry/launcher.sock', compileSeccomp: filters.program })
 * const task = await runtime.create({ id, stateDir, spec, rootfs, cgroup, network, stdio })
 * const stream = await task.attach({ stdin: false, stdout: true, stderr: true })
 * await task.start()
 * stream.pipe(client)
 * const { exitCode } = await task.exited
 * await task.delete()
 * ```
 *
 * Needs Linux 5.12 (mount_setattr; openat2, close_range and CLONE_INTO_CGROUP are older).
 */
export type {
  Adopted,
  AttachOptions,
  CompileSeccomp,
  ExecSpec,
  Exit,
  HoldSpec,
  LaunchSpec,
  LogSink,
  Runtime,
  StdioSpec,
  Task,
} from './types.ts'
export { LaunchError } from './types.ts'
export { createRuntime, type RuntimeDeps } from './runtime.ts'
