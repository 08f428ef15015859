import { mkdirSync, rmSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { SIGKILL } from '#kernel'
import { formatGoDuration, formatNano, FrameReader, randomId } from '#lib'
import type { Task } from '#runtime'
import type { Context } from './context.ts'
import type { ContainerEntry } from './entry.ts'
import { probeTimeout } from './health-rules.ts'
import { execSpec } from './exec-spec.ts'
import { publishEvent } from './publish-event.ts'
import { execFailure } from './start-error.ts'
import { isActive, notRunning } from './state.ts'
import type { Exec, HealthResult } from './types.ts'

/** Bytes of output kept per probe. */
const MAX_OUTPUT = 4096

/** Runs the check once. Never throws: what goes wrong is a failed probe. An aborted one is killed. */
export async function runProbe(ctx: Context, entry: ContainerEntry, command: string[], signal: AbortSignal): Promise<HealthResult> {
  const now = (): string => formatNano(ctx.deps.clock.now())
  const start = now()
  try {
    const { exitCode, output } = await execute(ctx, entry, command, signal)
    return { start, end: now(), exitCode, output }
  } catch (error) {
    return { start, end: now(), exitCode: -1, output: execFailure(error).error.message }
  }
}

async function execute(
  ctx: Context,
  entry: ContainerEntry,
  command: string[],
  signal: AbortSignal,
): Promise<{ exitCode: number; output: string }> {
  const { record } = entry
  if (!isActive(record.state) || record.config.healthcheck === undefined) throw notRunning(entry.id)
  const exec = probeExec(entry, command)
  const stateDir = ctx.deps.paths.taskDirectory(exec.id)
  publishEvent(ctx, record, `exec_create: ${command.join(' ')}`, { execID: exec.id })
  publishEvent(ctx, record, `exec_start: ${command.join(' ')}`, { execID: exec.id })
  mkdirSync(stateDir, { mode: 0o700 })
  using _directory = { [Symbol.dispose]: () => rmSync(stateDir, { recursive: true, force: true }) }
  const task = await ctx.deps.runtime.exec(execSpec(ctx, entry, exec, { stateDir, pid: record.state.pid, consoleSize: undefined }))
  const stream = await task.startAttached({ stdin: false, stdout: true, stderr: true })
  const output = new FrameCollector(stream)
  const timeout = probeTimeout(record.config.healthcheck)
  const inTime = await endsInTime(ctx, task, timeout / 1e6, signal)
  const { exitCode } = await task.exited
  // The last bytes may still be on their way from the monitor.
  await output.ended
  stream.destroy()
  await task.delete()
  publishEvent(ctx, entry.record, 'exec_die', { execID: exec.id, exitCode: String(exitCode) })
  if (inTime) return { exitCode, output: output.text }
  const text = `Health check exceeded timeout (${formatGoDuration(timeout)})`
  return { exitCode: -1, output: output.text === '' ? text : `${text}: ${output.text}` }
}

function probeExec(entry: ContainerEntry, cmd: string[]): Exec {
  const { user, workingDir } = entry.record.config
  return {
    id: randomId(),
    containerId: entry.id,
    request: {
      cmd,
      env: [],
      user,
      workingDir,
      privileged: false,
      tty: false,
      attachStdin: false,
      attachStdout: true,
      attachStderr: true,
      detachKeys: '',
    },
    running: true,
    exitCode: null,
    pid: 0,
    canRemove: false,
    openStdin: false,
  }
}

/** Kills a probe that takes too long or is no longer wanted: dying probes must not pile up. */
async function endsInTime(ctx: Context, task: Task, milliseconds: number, signal: AbortSignal): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>()
  const giveUp = (): void => resolve(false)
  signal.addEventListener('abort', giveUp, { once: true })
  using _timer = ctx.deps.clock.after(milliseconds, giveUp)
  const inTime = await Promise.race([task.exited.then(() => true), late])
  signal.removeEventListener('abort', giveUp)
  if (!inTime) await task.kill(SIGKILL).catch(() => undefined)
  return inTime
}

/** Payloads of stdout and stderr frames in the order they came, the first 4,096 bytes. The rest is read and dropped. */
class FrameCollector {
  readonly ended: Promise<void>
  readonly #kept: Buffer[] = []
  #size = 0
  #cut = false

  constructor(stream: Readable) {
    const frames = new FrameReader((_, payload) => this.#keep(payload))
    stream.on('data', (chunk: Buffer) => frames.write(chunk))
    this.ended = finished(stream, { writable: false }).catch(() => undefined)
  }

  get text(): string {
    return Buffer.concat(this.#kept).toString('utf8') + (this.#cut ? '...' : '')
  }

  #keep(payload: Buffer): void {
    const room = MAX_OUTPUT - this.#size
    if (payload.length > room) this.#cut = true
    this.#kept.push(Buffer.from(payload.subarray(0, room)))
    this.#size += Math.min(payload.length, room)
  }
}
