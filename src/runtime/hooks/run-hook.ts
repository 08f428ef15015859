import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HookSpec } from '#oci'

/** Bytes of each stream of a hook that an error shows. */
const MAX_OUTPUT = 16 * 1024

/** Milliseconds for the rest of what a hook that failed has said: others may hold its pipes. */
const OUTPUT_GRACE = 1000

/** Seconds of a hook that names none: one that hangs would keep its container, or a daemon that starts, waiting for ever. */
const DEFAULT_TIMEOUT = 300

/** Seconds; a longer timer of Node's ends at once. */
const MAX_TIMEOUT = 2_000_000

/** Of a hook that names no variables. */
const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** How a hook is started: as it is, or by a program that brings it where it belongs. */
export interface HookProgram {
  /** Program and arguments in front of the hook's own path and arguments; empty: the hook itself. */
  readonly through: readonly string[]
  readonly cwd: string
}

/**
 * Runs one hook with `state` on its standard input and waits for its end. Throws Error with runc's text: `exit status 1, stdout: …, stderr: …`.
 * One that leaves processes behind which hold its output is not waited for. One whose time is over ends with all that it has started.
 */
export async function runHook(hook: HookSpec, state: string, { through, cwd }: HookProgram): Promise<void> {
  const { path, args = [path], env = [] } = hook
  const timeout = Math.min(hook.timeout || DEFAULT_TIMEOUT, MAX_TIMEOUT)
  const given = args.length === 0 ? [path] : args
  const [program = path, ...before] = through
  const command = through.length === 0 ? given.slice(1) : [...before, path, ...given]
  const child = spawn(program, command, {
    cwd,
    env: environment(env),
    ...(through.length === 0 && { argv0: given[0] ?? path }),
    // A process group of its own.
    detached: true,
  })
  const output = collect(child)
  // It may end without having read a word.
  child.stdin.on('error', () => undefined)
  child.stdin.end(state)
  const closed = new Promise((resolve) => child.once('close', resolve))
  const { code, signal, isLate } = await endOf(child, timeout)
  if (code !== 0) await Promise.race([closed, sleep(OUTPUT_GRACE, undefined, { ref: false })])
  child.stdout.destroy()
  child.stderr.destroy()
  if (code === 0) return
  if (isLate) throw new Error(`hook ran past specified timeout of ${timeout.toFixed(1)}s`)
  const how = code === null ? `signal: ${signal}` : `exit status ${code}`
  throw new Error(`${how}, stdout: ${output.stdout()}, stderr: ${output.stderr()}`)
}

interface Ending {
  code: number | null
  signal: NodeJS.Signals | null
  /** It was ended here. */
  isLate: boolean
}

async function endOf(child: ChildProcessWithoutNullStreams, seconds: number): Promise<Ending> {
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    killGroup(child)
  }, seconds * 1000)
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    return { code, signal, isLate }
  } finally {
    clearTimeout(timer)
  }
}

/** Of a program whose end has not been told: until then the number is its own. */
function killGroup(child: ChildProcessWithoutNullStreams): void {
  try {
    // One that could not be started has no number.
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It has left its group for another.
    child.kill('SIGKILL')
  }
}

function collect(child: ChildProcessWithoutNullStreams): Record<'stdout' | 'stderr', () => string> {
  const keep = (name: 'stdout' | 'stderr'): (() => string) => {
    const chunks: Buffer[] = []
    let length = 0
    child[name].on('data', (chunk: Buffer) => {
      if (length < MAX_OUTPUT) chunks.push(chunk)
      length += chunk.length
    })
    return () => Buffer.concat(chunks).toString('utf8', 0, MAX_OUTPUT)
  }
  return { stdout: keep('stdout'), stderr: keep('stderr') }
}

function environment(env: readonly string[]): Record<string, string> {
  const entries = env.length === 0 ? [DEFAULT_PATH] : env
  return Object.fromEntries(entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]))
}
