import { mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { describeLaunchError, lookUpUser, programSpec, UserDirectory, type ProgramRequest } from '#containers'
import { conflict, invalidArgument } from '#errors'
import { randomId } from '#lib'
import { LaunchError, type Task } from '#runtime'
import type { DebugRequest } from '../build-deps.ts'
import { PLAIN_EXEC } from '../graph/plain-exec.ts'
import { SCRATCH, type Ref } from '../graph/ref.ts'
import type { ExecOp } from '../graph/types.ts'
import { checkEntitlements } from '../solver/entitlements.ts'
import type { DebugContainer, DebugProcess, Step } from '../types.ts'
import { layeredInputs } from './layered-inputs.ts'
import { openSandbox, type Sandbox } from './sandbox.ts'
import { networkModeOf } from './step-network.ts'
import type { RunDeps } from './types.ts'

const ALL = { stdin: true, stdout: true, stderr: true }

/**
 * Containers in which a person looks around: the state before a step that failed, with its mounts, secrets and network, or file systems by name. The first
 * program is the container's own: with its end the others end, and no more can be run. Nothing of what they write is kept.
 */
export function createDebugContainers(deps: RunDeps): (request: DebugRequest, step: Step) => Promise<DebugContainer> {
  const users = new UserDirectory(deps.files, deps.snapshotter)
  return async (request, step) => {
    const { op, inputs } = stateOf(request)
    const network = networkModeOf(deps, op) === 'host' ? 'host' : op.network
    checkEntitlements({ ...step.vertex, op: { ...op, network } }, step.entitlements)
    return new OpenContainer(deps, users, { op, inputs: await layeredInputs(deps, op, inputs, step), step })
  }
}

/** What the container is to be, as the step it could have been. */
function stateOf({ step, mounts = [], network, hostname, extraHosts, limits }: DebugRequest): { op: ExecOp; inputs: readonly Ref[] } {
  if (step === undefined) {
    const inputs = mounts.map(({ ref }) => ref ?? SCRATCH)
    const binds = mounts.map(({ target, readonly, selector }, input) => ({ ...BIND, target, input, readonly, selector }))
    return { op: { ...PLAIN_EXEC, ...limits, mounts: binds, network, hostname, extraHosts }, inputs }
  }
  const { op } = step.vertex
  if (op.kind !== 'exec') throw invalidArgument(`a step of kind ${op.kind} has no container`)
  // A client knows of three networks only: that of the step is kept unless it asks for another.
  const wanted = {
    ...(network !== 'default' && { network }),
    ...(hostname !== '' && { hostname }),
    ...(extraHosts.length > 0 && { extraHosts }),
  }
  return { op: { ...op, ...wanted }, inputs: step.inputs }
}

type Process = Awaited<ReturnType<DebugContainer['run']>>

class OpenContainer implements DebugContainer {
  readonly #deps: RunDeps
  readonly #users: UserDirectory
  readonly #state: { op: ExecOp; inputs: readonly Ref[]; step: Step }
  readonly #owned: AsyncDisposableStack = new AsyncDisposableStack()
  #sandbox: Promise<Sandbox> | undefined
  #ending: Promise<void> | undefined

  constructor(deps: RunDeps, users: UserDirectory, state: { op: ExecOp; inputs: readonly Ref[]; step: Step }) {
    this.#deps = deps
    this.#users = users
    this.#state = state
    const { signal } = state.step
    const end = (): void =>
      void this[Symbol.asyncDispose]().catch((error: unknown) => deps.warn('cannot end a container', { error: String(error) }))
    signal.addEventListener('abort', end, { once: true })
    this.#owned.defer(() => signal.removeEventListener('abort', end))
  }

  async run(process: DebugProcess): Promise<Process> {
    if (this.#owned.disposed) throw ended()
    try {
      if (this.#sandbox !== undefined) return await this.#runBeside(await this.#sandbox, process)
      this.#sandbox = this.#open(process)
      const { task } = await this.#sandbox
      return await started(task, async () => undefined)
    } catch (error) {
      throw error instanceof LaunchError
        ? invalidArgument(`unable to start container process: ${describeLaunchError(error)}`, error)
        : error
    }
  }

  async #open({ args, env, cwd, user, tty }: DebugProcess): Promise<Sandbox> {
    const { op, inputs, step } = this.#state
    const wanted = { ...op, args, env, user, cwd: posix.resolve('/', op.cwd, cwd) }
    const sandbox = await openSandbox(this.#deps, this.#users, { op: wanted, inputs, step, tty, openStdin: true })
    if (this.#owned.disposed) {
      await sandbox[Symbol.asyncDispose]()
      throw ended()
    }
    return this.#owned.use(sandbox)
  }

  async #runBeside({ task: first, program, directory }: Sandbox, process: DebugProcess): Promise<Process> {
    const { runtime, defaults } = this.#deps
    if (first.pid === 0) throw conflict('the container has not been started')
    const user = lookUpUser(this.#users.ofProcess(first.pid), process.user)
    const { args, env, cwd, tty } = process
    const wanted: ProgramRequest = {
      ...program,
      args,
      env: ['HOSTNAME', ...env],
      workingDir: posix.resolve(program.workingDir, cwd),
      tty,
      user,
    }
    const { spec, cgroup } = programSpec(wanted, { ...this.#deps, defaults: defaults() })
    const { seccomp } = spec.linux
    const id = randomId()
    const stateDir = join(directory, `exec-${id.slice(0, 12)}`)
    mkdirSync(stateDir, { mode: 0o700 })
    const task = await runtime.exec({
      id,
      stateDir,
      targetPid: first.pid,
      process: spec.process,
      cgroup: { version: cgroup.version, join: cgroup.join, ...(cgroup.into !== undefined && { into: cgroup.into }) },
      ...(seccomp !== undefined && { seccomp }),
      stdio: { tty, openStdin: true, stdinOnce: !tty },
    })
    return await started(task, async () => {
      await task.delete()
      await rm(stateDir, { recursive: true, force: true })
    })
  }

  /** Who comes second waits for the end of what is going on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending ??= this.#end()
    await this.#ending
  }

  async #end(): Promise<void> {
    await this.#owned.disposeAsync()
    // One that is just being made ends itself when it is.
    await this.#sandbox?.catch(() => undefined)
  }
}

/** `afterwards` is done before anybody hears of the end. */
async function started(task: Task, afterwards: () => Promise<void>): Promise<Process> {
  const stream = await task.startAttached(ALL)
  return {
    stream,
    exited: task.exited.then(async ({ exitCode }) => {
      await afterwards()
      return exitCode
    }),
    kill: (signal) => task.kill(signal),
    resize: (rows, columns) => task.resize(rows, columns),
  }
}

function ended(): Error {
  return conflict('the container has ended')
}

const BIND = { type: 'bind', output: -1, contentKey: false } as const
