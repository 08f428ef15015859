import { mkdirSync, rmSync } from 'node:fs'
import type { Duplex } from 'node:stream'
import { conflict, EngineError, invalidArgument } from '#errors'
import { randomId } from '#lib'
import { LaunchError, type Task } from '#runtime'
import { errorCode } from './archive/pinned.ts'
import type { Context } from './context.ts'
import { DEFAULT_DETACH_KEYS, parseDetachKeys } from './detach-keys.ts'
import type { ContainerEntry } from './entry.ts'
import type { ExecEntry } from './exec-store.ts'
import { execSpec } from './exec-spec.ts'
import { publishEvent } from './publish-event.ts'
import { pump } from './pump.ts'
import { removeDirectory } from './remove-directory.ts'
import { execFailure } from './start-error.ts'
import { isActive, isRestarting, notRunning } from './state.ts'
import type { AttachedIo, Exec, ExecRequest } from './types.ts'

const EXIT_AFTER_OUTPUT_MS = 2000

/** The docker exec of the API: `createExec` notes what is to run, `startExec` runs it. Throws CONFLICT when the container does not run. */
export function createExec(ctx: Context, ref: string, request: ExecRequest): { id: string } {
  const entry = ctx.store.find(ref)
  requireRunning(entry)
  if (request.cmd.length === 0) throw invalidArgument('No exec command specified')
  if (request.workingDir !== '' && !request.workingDir.startsWith('/')) {
    throw invalidArgument(`Cwd must be an absolute path: ${request.workingDir}`)
  }
  parseDetachKeys(request.detachKeys)
  const exec: Exec = {
    id: randomId(),
    containerId: entry.id,
    request,
    running: false,
    exitCode: null,
    pid: 0,
    canRemove: false,
    openStdin: request.attachStdin,
  }
  ctx.execs.add(entry, exec)
  ctx.store.touch(entry, { execIds: ctx.execs.liveOf(entry) })
  publishExecEvent(ctx, entry, exec, 'exec_create')
  return { id: exec.id }
}

function requireRunning(entry: ContainerEntry): void {
  const { state } = entry.record
  if (state.status === 'paused') throw conflict(`container ${entry.id} is paused, unpause the container before exec`)
  if (state.status === 'restarting') throw isRestarting(entry.id)
  if (state.status !== 'running') throw notRunning(entry.id)
}

export interface ExecStartOptions {
  detach: boolean
  tty: boolean
  /** rows, columns. */
  consoleSize?: [number, number]
}

/**
 * Attached, the process is started when the client's connection is piped: Docker answers first and tells a missing program in the stream,
 * with the code in inspect; its CLI counts on that. Detached, a failure is thrown.
 */
export async function startExec(ctx: Context, id: string, options: ExecStartOptions): Promise<AttachedIo | undefined> {
  const item = ctx.execs.get(id)
  const { exec, entry } = item
  if (exec.exitCode !== null) throw conflict(`Error: Exec command ${id} has already run`)
  if (exec.running) throw conflict(`Error: Exec command ${id} is already running`)
  requireRunning(entry)
  item.exec = { ...exec, running: true }
  if (options.detach) {
    await launch(ctx, item, options, false)
    return undefined
  }
  return { tty: exec.request.tty, pipe: (client) => runAttached(ctx, item, options, client) }
}

async function runAttached(ctx: Context, item: ExecEntry, options: ExecStartOptions, client: Duplex): Promise<void> {
  const { request } = item.exec
  let stream: Duplex | undefined
  try {
    stream = await launch(ctx, item, options, true)
  } catch (error) {
    client.end(errorOutput(error, request.tty))
    return
  }
  if (stream === undefined) {
    client.end()
    return
  }
  await pump(client, stream, {
    stdin: request.attachStdin,
    detachKeys: request.tty && request.attachStdin ? keysOf(request) : undefined,
    onStdinEnd: request.tty ? 'ignore' : 'close',
    onDetach: () => publishEvent(ctx, item.entry.record, 'exec_detach', { execID: item.exec.id }),
    beforeEnd: () => settledWithin(ctx, item, EXIT_AFTER_OUTPUT_MS),
  })
}

/**
 * The docker CLI asks for the exit code as soon as the stream ends. A process may end its output and go on: then the client is not kept, as with
 * Docker.
 */
async function settledWithin(ctx: Context, item: ExecEntry, milliseconds: number): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>()
  using _timer = ctx.deps.clock.after(milliseconds, resolve)
  await Promise.race([item.settled.promise, late])
}

function keysOf(request: ExecRequest): Buffer {
  return request.detachKeys === '' ? DEFAULT_DETACH_KEYS : parseDetachKeys(request.detachKeys)
}

/** The text as output of the process: a stdout frame (docs of POST /containers/{id}/attach, "Stream format") or bare for a tty. */
function errorOutput(error: unknown, tty: boolean): Buffer {
  const text = Buffer.from(`${error instanceof Error ? error.message : String(error)}\r\n`)
  if (tty) return text
  const header = Buffer.alloc(8)
  header[0] = 1
  header.writeUInt32BE(text.length, 4)
  return Buffer.concat([header, text])
}

/** Starts the process; returns its stream when `attach`. On failure the exec has ended with 126 or 127. */
async function launch(ctx: Context, item: ExecEntry, options: ExecStartOptions, attach: boolean): Promise<Duplex | undefined> {
  const { entry, exec } = item
  const stateDir = ctx.deps.paths.taskDirectory(exec.id)
  publishExecEvent(ctx, entry, exec, 'exec_start')
  try {
    const { state } = entry.record
    if (!isActive(state)) throw notRunning(entry.id)
    mkdirSync(stateDir, { mode: 0o700 })
    const spec = execSpec(ctx, entry, exec, { stateDir, pid: state.pid, consoleSize: options.consoleSize })
    const task = await ctx.deps.runtime.exec(spec)
    const { attachStdin, attachStdout, attachStderr } = exec.request
    const streams = { stdin: attachStdin, stdout: attachStdout, stderr: attachStderr }
    const stream = attach ? await task.startAttached(streams) : await task.start().then(() => undefined)
    item.task = task
    item.exec = { ...item.exec, pid: task.pid }
    watchExecExit(ctx, item, task, stateDir)
    return stream
  } catch (error) {
    const failure = execFailure(tellsOfEnd(error) ? notRunning(entry.id) : error)
    rmSync(stateDir, { recursive: true, force: true })
    settle(ctx, item, failure.exitCode)
    throw failure.error
  }
}

/** No process can be made in a pid namespace whose first one has ended, fork(2); ENODEV: a control group that goes while it is open. */
const END = ['fork ENOMEM', 'join-cgroup ENOENT', 'join-cgroup ENODEV']

/**
 * Between the end of a container's process and the record of it some milliseconds pass, in which the record says that it runs: what is done by the process's
 * pid then fails with errors that tell no user anything. Whether this is one of them.
 */
function tellsOfEnd(error: unknown): boolean {
  if (error instanceof LaunchError) return error.code === 'ESRCH' || END.includes(`${error.operation} ${error.code}`)
  return errorCode(error) === 'ENOENT' && /^\/proc\/\d+\//.test((error as NodeJS.ErrnoException).path ?? '')
}

function watchExecExit(ctx: Context, item: ExecEntry, task: Task, stateDir: string): void {
  void task.exited
    .then(async ({ exitCode }) => {
      settle(ctx, item, exitCode)
      publishEvent(ctx, item.entry.record, 'exec_die', { execID: item.exec.id, exitCode: String(exitCode) })
      await task.delete()
      await removeDirectory(stateDir)
    })
    .catch((error: unknown) => ctx.deps.warn('cannot settle the exit of an exec', { exec: item.exec.id, error: String(error) }))
}

function settle(ctx: Context, item: ExecEntry, exitCode: number): void {
  item.exec = { ...item.exec, running: false, exitCode, canRemove: true, pid: 0 }
  item.task = undefined
  ctx.execs.end(item)
  item.settled.resolve()
  ctx.store.touch(item.entry, { execIds: ctx.execs.liveOf(item.entry) })
}

export function getExec(ctx: Context, id: string): Exec {
  return ctx.execs.get(id).exec
}

export async function resizeExec(ctx: Context, id: string, height: number, width: number): Promise<void> {
  const { task, exec } = ctx.execs.get(id)
  if (task === undefined) throw new EngineError('INVALID_ARGUMENT', `cannot resize exec ${exec.id}: it is not running`)
  await task.resize(height, width)
}

function publishExecEvent(ctx: Context, entry: ContainerEntry, exec: Exec, action: string): void {
  publishEvent(ctx, entry.record, `${action}: ${exec.request.cmd.join(' ')}`, { execID: exec.id })
}
