import { deferred, formatNano, parseNano } from '#lib'
import type { Exit, Task } from '#runtime'
import type { Context } from './context.ts'
import type { ContainerEntry, Run } from './entry.ts'
import { endHealth } from './health.ts'
import { removeDirectory } from './remove-directory.ts'
import { releaseMountSources } from './mount-sources.ts'
import { cgroupParentOf } from './pause.ts'
import { publishEvent, publishNetworkEvents, publishVolumeEvents } from './publish-event.ts'
import { nextBackoff, shouldRestart } from './restart-policy.ts'
import { unmountSharedMemory } from './shared-memory.ts'
import { isActive, transition, type Ending } from './state.ts'

/** Milliseconds (with fraction) to nanoseconds, without losing the microseconds to a float multiplication. */
export function nanoOf(milliseconds: number): bigint {
  return BigInt(Math.trunc(milliseconds)) * 1_000_000n + BigInt(Math.round((milliseconds % 1) * 1e6))
}

export function newRun(task: Task): Run {
  return { task, settled: deferred(), outputEnded: task.exited.then(() => undefined) }
}

/** Lets the exit of `run` change the container when it comes. */
export function watchExit(ctx: Context, entry: ContainerEntry, run: Run): void {
  void run.task.exited
    .then((exit) => settleExit(ctx, entry, run, exit))
    .catch((error: unknown) => ctx.deps.warn('cannot settle the exit of a container', { container: entry.id, error: String(error) }))
}

/**
 * The process has ended: gives back what it held, records how it ended, and does what policy says: restart, remove, or nothing.
 * Not under way while the daemon closes: the next daemon finds the exit record and settles it then.
 */
export async function settleExit(ctx: Context, entry: ContainerEntry, run: Run, exit: Exit): Promise<void> {
  if (ctx.closing) return
  let removeNow = false
  {
    using _lock = await entry.mutex.lock()
    if (entry.run !== run || entry.removed) return
    try {
      removeNow = await recordExit(ctx, entry, run, exit)
    } finally {
      run.settled.resolve()
    }
  }
  if (removeNow) await ctx.phases.autoRemove(entry)
}

/** Under the lock. Returns whether the container is to be removed now. */
async function recordExit(ctx: Context, entry: ContainerEntry, run: Run, exit: Exit): Promise<boolean> {
  const { deps, store } = ctx
  endHealth(ctx, entry)
  ctx.execs.forget(entry)
  if (!isActive(entry.record.state)) return false
  if (exit.oomKilled) publishEvent(ctx, entry.record, 'oom')
  await giveBack(ctx, entry)
  const finished = nanoOf(exit.finishedAt)
  const runMs = Number(finished - parseNano(entry.record.state.startedAt)) / 1e6
  const ending: Ending = { exitCode: exit.exitCode, oomKilled: exit.oomKilled, finishedAt: formatNano(finished), error: '' }
  const { restartPolicy, autoRemove } = entry.record.hostConfig
  const { record } = entry
  const { restartCount, hasBeenManuallyStopped, state } = record
  const restart =
    !entry.exitOnNext && shouldRestart(restartPolicy, { exitCode: exit.exitCode, manuallyStopped: hasBeenManuallyStopped, restartCount })
  store.save(entry, {
    state: transition(entry.id, state, { to: restart ? 'restarting' : 'exited', ...ending }),
    restartCount: restart ? restartCount + 1 : restartCount,
    endpoints: [],
    execIds: [],
  })
  entry.run = undefined
  publishNetworkEvents(ctx, record, 'disconnect')
  publishVolumeEvents(ctx, entry.record, 'unmount')
  publishEvent(ctx, entry.record, 'die', {
    execDuration: String(Math.max(0, Math.trunc(runMs / 1000))),
    exitCode: String(exit.exitCode),
  })
  entry.notify(['not-running', 'next-exit'], { exitCode: exit.exitCode })
  if (restart) scheduleRestart(ctx, entry, runMs)
  // Only now, when the row has it, may the exit record go. Nobody but the next start waits for it: the kernel takes its time with mounts and cgroups.
  entry.teardown = run.task
    .delete()
    .then(() => deps.cgroupControl.release(cgroupParentOf(ctx, record.hostConfig)))
    .then(() => removeDirectory(deps.paths.taskDirectory(entry.id)))
    .catch((error: unknown) => deps.warn('cannot delete a task', { container: entry.id, error: String(error) }))
  return autoRemove && !restart && entry.manualRestarts === 0
}

/** What cannot be given back must not keep the container from having ended. */
async function giveBack(ctx: Context, entry: ContainerEntry): Promise<void> {
  const steps: (() => void | Promise<void>)[] = [
    () => unmountSharedMemory(ctx, entry.record),
    () => releaseMountSources(ctx, entry.record),
    () => ctx.deps.networks.stopNames(entry.id),
    () => ctx.deps.networks.release(entry.id),
  ]
  for (const step of steps) {
    try {
      await step()
    } catch (error) {
      ctx.deps.warn('cannot give back what a container held', { container: entry.id, error: String(error) })
    }
  }
}

function scheduleRestart(ctx: Context, entry: ContainerEntry, runMs: number): void {
  entry.backoff = nextBackoff(entry.backoff, runMs)
  entry.restartTimer = ctx.deps.clock.after(entry.backoff.delayMs, () => {
    void restartNow(ctx, entry).catch((error: unknown) =>
      ctx.deps.warn('cannot restart a container', { container: entry.id, error: String(error) }),
    )
  })
}

/** A start by policy. One that fails ends the restarting, as with Docker. */
export async function restartNow(ctx: Context, entry: ContainerEntry): Promise<void> {
  {
    using _lock = await entry.mutex.lock()
    if (ctx.closing || entry.removed || entry.record.state.status !== 'restarting') return
    try {
      await ctx.phases.startLocked(entry)
      return
    } catch (error) {
      ctx.deps.warn('restart by policy failed', { container: entry.id, error: String(error) })
    }
  }
  if (entry.record.hostConfig.autoRemove) await ctx.phases.autoRemove(entry)
}

/** Stop or kill of a container between two runs: there is no process, only a timer. Under the lock. */
export function cancelRestart(ctx: Context, entry: ContainerEntry): void {
  entry.restartTimer?.[Symbol.dispose]()
  entry.restartTimer = undefined
  const { state } = entry.record
  if (state.status !== 'restarting') return
  const { exitCode, oomKilled, finishedAt, error } = state
  ctx.store.save(entry, { state: transition(entry.id, state, { to: 'exited', exitCode, oomKilled, finishedAt, error }) })
}
