import { mkdirSync, rmSync } from 'node:fs'
import { EngineError } from '#errors'
import { SIGKILL } from '#kernel'
import { formatNano } from '#lib'
import type { Task } from '#runtime'
import { prepareNameFiles } from './network/name-files.ts'
import type { Context } from './context.ts'
import type { ContainerEntry } from './entry.ts'
import { newRun, nanoOf, watchExit } from './exit.ts'
import { startHealth } from './health.ts'
import { launchSpec } from './launch-spec.ts'
import { prepareMountSources, releaseMountSources } from './mount-sources.ts'
import { attachNetwork, openResolver, settleNetworks } from './network/attach-network.ts'
import { linkedVariables, tellLinkingContainers } from './network/links.ts'
import { cgroupParentOf } from './pause.ts'
import { publishEvent, publishNetworkEvents, publishVolumeEvents } from './publish-event.ts'
import { mountSharedMemory, unmountSharedMemory } from './shared-memory.ts'
import { startFailure } from './start-error.ts'
import { transition } from './state.ts'

/** Starts by hand: `docker start`. Throws NOT_MODIFIED when it runs already. */
export async function startContainer(ctx: Context, ref: string): Promise<void> {
  await startByHand(ctx, ctx.store.find(ref), { restartCount: 0 })
}

/** As {@link startLocked}, for one who does not hold the lock. */
export async function startByHand(ctx: Context, entry: ContainerEntry, change: { restartCount?: number } = {}): Promise<void> {
  let removeNow = false
  try {
    using _lock = await entry.mutex.lock()
    // A container that waits for its next start by policy is started now instead.
    entry.restartTimer?.[Symbol.dispose]()
    entry.restartTimer = undefined
    entry.backoff = undefined
    await startLocked(ctx, entry, change)
  } catch (error) {
    removeNow = entry.record.hostConfig.autoRemove && error instanceof FailedStart
    throw error
  } finally {
    // Docker removes an AutoRemove container whose start came to nothing before it answers.
    if (removeNow) await ctx.phases.autoRemove(entry)
  }
}

/** A start that was tried and undone, unlike one that was refused. */
export class FailedStart extends EngineError {
  constructor(failure: EngineError) {
    super(failure.code, failure.message, { cause: failure })
    this.name = 'FailedStart'
  }
}

/**
 * Starts under the entry's lock. The task directory is the durable intent: `restore` looks at it and finds what came of the start.
 * When a step fails everything made is undone, the record tells code and text, and {@link FailedStart} is thrown.
 */
export async function startLocked(ctx: Context, entry: ContainerEntry, change: { restartCount?: number } = {}): Promise<void> {
  // Refuses what cannot be started before anything is touched.
  transition(entry.id, entry.record.state, { to: 'running', pid: 0, startedAt: '' })
  entry.exitOnNext = false
  try {
    await launch(ctx, entry, change)
  } catch (error) {
    const failure = startFailure(error)
    entry.dropPendingAttaches()
    ctx.store.save(entry, {
      state: transition(entry.id, entry.record.state, {
        to: 'start-failed',
        exitCode: failure.exitCode,
        error: failure.error.message,
      }),
    })
    throw new FailedStart(failure.error)
  }
}

async function launch(ctx: Context, entry: ContainerEntry, change: { restartCount?: number }): Promise<void> {
  const { deps, store } = ctx
  const { id } = entry
  await entry.teardown
  await using undo = new AsyncDisposableStack()
  const stateDir = deps.paths.taskDirectory(id)
  makeFresh(stateDir)
  undo.defer(() => rmSync(stateDir, { recursive: true, force: true }))

  undo.defer(() => releaseMountSources(ctx, entry.record))
  const mounts = await prepareMountSources(ctx, entry.record)
  undo.defer(() => deps.networks.release(id))
  const network = await attachNetwork(ctx, entry.record)
  const files = prepareNameFiles(ctx, entry.record, network.endpoints)
  mountSharedMemory(ctx, entry.record)
  undo.defer(() => unmountSharedMemory(ctx, entry.record))
  const spec = await launchSpec(
    ctx,
    { ...entry.record, ...files, mounts },
    { stateDir, network: network.plan, links: linkedVariables(ctx, entry.record) },
  )
  const parent = cgroupParentOf(ctx, entry.record.hostConfig)
  undo.defer(() => deps.cgroupControl.release(parent))
  deps.cgroupControl.prepare(parent, spec.cgroup)
  const task = await deps.runtime.create(spec)
  undo.defer(() => discardTask(task))

  // Before the program runs: its first question may be its first act.
  undo.defer(() => deps.networks.stopNames(id))
  await openResolver(ctx, entry.record, task.hostPid)
  await connectPendingAttaches(entry, task)
  await task.start()
  const startedAt = formatNano(nanoOf(task.startedAt))
  store.save(entry, {
    state: transition(id, entry.record.state, { to: 'running', pid: task.pid, startedAt }),
    networks: settleNetworks(entry.record, network.endpoints),
    endpoints: deps.networks.endpointsOf(id),
    ...files,
    mounts,
    hasBeenStartedBefore: true,
    hasBeenManuallyStopped: false,
    execIds: [],
    ...change,
  })
  undo.move()
  const run = newRun(task)
  entry.run = run
  connectLateAttaches(entry, task)
  startHealth(ctx, entry)
  tellLinkingContainers(ctx, entry.record)
  publishNetworkEvents(ctx, entry.record, 'connect')
  publishVolumeEvents(ctx, entry.record, 'mount')
  publishEvent(ctx, entry.record, 'start')
  watchExit(ctx, entry, run)
}

/** A directory of an earlier life (its removal was cut off) must not be taken for this one. */
function makeFresh(directory: string): void {
  try {
    mkdirSync(directory, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    rmSync(directory, { recursive: true, force: true })
    mkdirSync(directory, { mode: 0o700 })
  }
}

/** A task that is not wanted after all, at whatever point its start broke off. */
export async function discardTask(task: Task): Promise<void> {
  if (task.startedAt > 0) {
    await task.kill(SIGKILL).catch(() => undefined)
    await task.exited
  }
  await task.delete()
}

/** Those that came while the program was being started, too late to see all of it. */
function connectLateAttaches(entry: ContainerEntry, task: Task): void {
  for (const { options, resolve } of entry.pendingAttaches) {
    // A task that ended this moment has no more to say.
    task.attach(options).then(resolve, () => resolve(undefined))
  }
  entry.pendingAttaches.clear()
}

/** Between create and start, so that an attach that was there first misses nothing. */
async function connectPendingAttaches(entry: ContainerEntry, task: Task): Promise<void> {
  const pending = [...entry.pendingAttaches]
  entry.pendingAttaches.clear()
  for (const { options, resolve } of pending) resolve(await task.attach(options))
}
