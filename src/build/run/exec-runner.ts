import { describeLaunchError, UserDirectory } from '#containers'
import { EngineError, internal } from '#errors'
import { SIGKILL } from '#kernel'
import { formatPlatform } from '#oci'
import { LaunchError, type Exit } from '#runtime'
import type { Ref, LayerRef } from '../graph/ref.ts'
import type { ExecOp } from '../graph/types.ts'
import { BuildError } from '../build-error.ts'
import { checkEntitlements } from '../solver/entitlements.ts'
import type { Step, StepRunner } from '../types.ts'
import { failureText } from './failure-text.ts'
import { layeredInputs } from './layered-inputs.ts'
import { isRunnable } from './platforms.ts'
import { openSandbox, type Sandbox } from './sandbox.ts'
import { carryOutput } from './step-log.ts'
import type { StepOutput } from './step-mounts.ts'
import { networkModeOf } from './step-network.ts'
import type { RunDeps } from './types.ts'

/** What a program that could not be started counts as having ended with; BuildKit's (runc's own code). */
const NOT_STARTED = 1

/**
 * {@link StepRunner} for {@link ExecOp}: a container that nobody sees, whose writable layer becomes the step's result. Throws {@link BuildError}: the client reads
 * what it says, and a debugger may enter the state before the step.
 */
export function createExecRunner(deps: RunDeps): StepRunner {
  const users = new UserDirectory(deps.files, deps.snapshotter)
  return {
    async run(given, step) {
      const op = execOf(step)
      checkAllowed(deps, op, step)
      const inputs = await layeredInputs(deps, op, given, step)
      await using sandbox = await open(deps, users, inputs, step)
      const exit = await runToEnd(sandbox, step, inputs)
      checkExit(exit, op, step, inputs)
      // Its processes are gone, and with them its mount namespace: what it has written is committed while its cgroups still go.
      const commits = sandbox.outputs.map((output) => commit(deps, output, step))
      const [results] = await Promise.all([Promise.all(commits), sandbox.finish()])
      return results
    },
  }
}

function execOf({ vertex }: Step): ExecOp {
  if (vertex.op.kind !== 'exec') throw internal(`vertex ${vertex.id} runs no program`)
  return vertex.op
}

/** A network is judged by what it is: the solver has only seen what it is called. */
function checkAllowed(deps: RunDeps, op: ExecOp, { vertex, entitlements }: Step): void {
  if (networkModeOf(deps, op) === 'host') checkEntitlements({ ...vertex, op: { ...op, network: 'host' } }, entitlements)
  else checkEntitlements(vertex, entitlements)
  if (isRunnable(op.platform, { ...(deps.binfmt !== undefined && { binfmt: deps.binfmt }), machine: deps.host.machine })) return
  throw new EngineError(
    'NOT_IMPLEMENTED',
    `exec format error: this machine cannot run programs for ${formatPlatform(op.platform)}: binfmt_misc has no handler for them (with flag F)`,
  )
}

async function open(deps: RunDeps, users: UserDirectory, inputs: readonly Ref[], step: Step): Promise<Sandbox> {
  try {
    return await openSandbox(deps, users, { op: execOf(step), inputs, step, tty: false, openStdin: false })
  } catch (error) {
    step.signal.throwIfAborted()
    throw error instanceof LaunchError ? notStarted(error, step, inputs) : error
  }
}

/** Runs the program; one that is not wanted any more is killed, and with it all that it has started. */
async function runToEnd(sandbox: Sandbox, step: Step, inputs: readonly Ref[]): Promise<Exit> {
  const { task } = sandbox
  const { signal } = step
  signal.throwIfAborted()
  const kill = (): void => void task.kill(SIGKILL).catch(() => undefined) // It has just ended by itself.
  try {
    const stream = await task.startAttached({ stdin: false, stdout: true, stderr: true })
    signal.addEventListener('abort', kill, { once: true })
    if (signal.aborted) kill()
    await carryOutput(stream, (source, data) => step.log(source, data))
  } catch (error) {
    throw error instanceof LaunchError ? notStarted(error, step, inputs) : error
  } finally {
    signal.removeEventListener('abort', kill)
  }
  const exit = await task.exited
  signal.throwIfAborted()
  return exit
}

/** As with BuildKit the reason is in the log of the step. */
function notStarted(error: LaunchError, step: Step, inputs: readonly Ref[]): BuildError {
  step.log(2, Buffer.from(`unable to start container process: ${describeLaunchError(error)}\n`))
  return failed(step, inputs, NOT_STARTED, `exit code: ${NOT_STARTED}`, error)
}

function checkExit({ exitCode, oomKilled }: Exit, op: ExecOp, step: Step, inputs: readonly Ref[]): void {
  if ((op.validExitCodes ?? [0]).includes(exitCode)) return
  throw failed(step, inputs, exitCode, oomKilled ? 'cannot allocate memory' : `exit code: ${exitCode}`)
}

function failed(step: Step, inputs: readonly Ref[], exitCode: number, reason: string, cause?: LaunchError): BuildError {
  const { vertex } = step
  const { source } = vertex.meta
  return new BuildError('INVALID_ARGUMENT', failureText(execOf(step).args, reason), {
    ...(source !== undefined && { source }),
    vertex: vertex.id,
    step: { vertex, inputs, exitCode },
    cause,
  })
}

async function commit({ snapshotter }: RunDeps, output: StepOutput, { lease }: Step): Promise<LayerRef> {
  return 'ref' in output ? output.ref : { kind: 'layers', chain: await snapshotter.commitStep(output.key, lease) }
}
