import { codeOf, EngineError } from '#errors'
import { parseSignal, SIGKILL, SIGTERM } from '#kernel'
import type { Context } from './context.ts'
import type { ContainerEntry, Run } from './entry.ts'
import { sendSignal } from './kill.ts'
import { publishEvent } from './publish-event.ts'
import { startByHand } from './start.ts'
import { isActive } from './state.ts'
import { whenSettled } from './when-settled.ts'

/** Seconds. */
const DEFAULT_STOP_TIMEOUT = 10

export interface StopOptions {
  /** Seconds; -1: never kill; undefined: the container's own or the default. */
  timeout?: number
  /** Empty or undefined: the container's stop signal. */
  signal?: string
}

/** `docker stop`. Throws NOT_MODIFIED when there is nothing to stop. */
export async function stopContainer(ctx: Context, ref: string, options: StopOptions): Promise<void> {
  const entry = ctx.store.find(ref)
  const { state } = entry.record
  if (!isActive(state) && state.status !== 'restarting') throw new EngineError('NOT_MODIFIED', 'Container is already stopped')
  await stopEntry(ctx, entry, options)
}

/** Stop signal, grace, SIGKILL. Does nothing for a container that does not run. Ends when the exit is settled. */
export async function stopEntry(ctx: Context, entry: ContainerEntry, options: StopOptions): Promise<void> {
  const { config } = entry.record
  const name = options.signal || config.stopSignal
  const signal = name === '' ? SIGTERM : parseSignal(name)
  const grace = options.timeout ?? config.stopTimeout ?? DEFAULT_STOP_TIMEOUT
  if (entry.run === undefined && entry.record.state.status !== 'restarting') return
  const run = await tolerateEnded(entry, sendSignal(ctx, entry, signal, { last: true }))
  if (run !== undefined) {
    if (!(await endsWithin(ctx, run.settled.promise, grace))) await tolerateEnded(entry, sendSignal(ctx, entry, SIGKILL))
    await whenSettled(ctx, entry, run)
  }
  publishEvent(ctx, entry.record, 'stop')
}

/** Gives the run that is ending: the one with the signal, or the one that needed none. */
async function tolerateEnded(entry: ContainerEntry, sending: Promise<Run | undefined>): Promise<Run | undefined> {
  const { run } = entry
  try {
    return await sending
  } catch (error) {
    if (error instanceof EngineError && error.code === 'CONFLICT') return run
    throw error
  }
}

async function endsWithin(ctx: Context, ended: Promise<void>, seconds: number): Promise<boolean> {
  if (seconds < 0) {
    await ended
    return true
  }
  const { promise: timeout, resolve } = Promise.withResolvers<boolean>()
  using _timer = ctx.deps.clock.after(seconds * 1000, () => resolve(false))
  return await Promise.race([ended.then(() => true), timeout])
}

/** `docker restart`: starts a container that did not run, too. An AutoRemove container lives on. One that somebody else has started meanwhile runs anew, too. */
export async function restartContainer(ctx: Context, ref: string, options: StopOptions): Promise<void> {
  const entry = ctx.store.find(ref)
  entry.manualRestarts++
  try {
    await stopEntry(ctx, entry, options)
    await startByHand(ctx, entry)
  } catch (error) {
    if (codeOf(error) !== 'NOT_MODIFIED') throw error
  } finally {
    entry.manualRestarts--
  }
  publishEvent(ctx, entry.record, 'restart')
}
