import { codeOf } from '#errors'
import { parseSignal, requireKnownSignal, SIGKILL } from '#kernel'
import type { Context } from './context.ts'
import type { ContainerEntry, Run } from './entry.ts'
import { cancelRestart } from './exit.ts'
import { publishEvent } from './publish-event.ts'
import { isActive, notRunning } from './state.ts'
import { thaw } from './pause.ts'
import { whenSettled } from './when-settled.ts'

/** `docker kill`: SIGKILL (also for an empty signal) waits until the container has ended, any other signal is only sent. */
export async function killContainer(ctx: Context, ref: string, signal: string): Promise<void> {
  const entry = ctx.store.find(ref)
  const number = signal === '' ? SIGKILL : parseSignal(signal)
  requireKnownSignal(number)
  const run = await sendSignal(ctx, entry, number)
  if (number === SIGKILL && run !== undefined) await whenSettled(ctx, entry, run)
}

/**
 * Sends one signal. When it is one that ends the container (SIGKILL or its stop signal; any, where no stop signal is configured: Docker's
 * quirk), or `last` says so, this run is the last by policy, and a frozen container is thawed so that the signal arrives. Gives the run that has
 * the signal, which a caller cannot know before: a container between two runs has none, or has the next one by the time the lock is free. Then
 * its restarting ends here. Throws CONFLICT when not running.
 */
export async function sendSignal(
  ctx: Context,
  entry: ContainerEntry,
  signal: number,
  { last = false }: { last?: boolean } = {},
): Promise<Run | undefined> {
  using _lock = await entry.mutex.lock()
  const { record, run } = entry
  if (record.state.status === 'restarting') {
    ctx.store.save(entry, { hasBeenManuallyStopped: true })
    cancelRestart(ctx, entry)
    entry.notify(['not-running', 'next-exit'], { exitCode: record.state.exitCode })
    if (record.hostConfig.autoRemove) void ctx.phases.autoRemove(entry)
    return undefined
  }
  if (!isActive(record.state) || run === undefined) throw notRunning(entry.id)
  const { stopSignal } = record.config
  const ends = last || stopSignal === '' || signal === SIGKILL || parseSignal(stopSignal) === signal
  if (ends) entry.exitOnNext = true
  if (!record.hasBeenManuallyStopped) {
    // The one policy that asks for it must find it when the daemon dies before the exit is recorded; for the others the next change takes it along.
    const isAsked = record.hostConfig.restartPolicy.name === 'unless-stopped'
    ctx.store[isAsked ? 'save' : 'touch'](entry, { hasBeenManuallyStopped: true })
  }
  try {
    await run.task.kill(signal)
  } catch (error) {
    // Gone in the meantime: its exit is on the way.
    if (codeOf(error) !== 'NOT_FOUND') throw error
  }
  publishEvent(ctx, entry.record, 'kill', { signal: String(signal) })
  if (ends && entry.record.state.status === 'paused') thaw(ctx, entry)
  return run
}
