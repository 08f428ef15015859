import { mkdirSync, readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import { codeOf } from '#errors'
import { formatNano } from '#lib'
import type { Adopted } from '#runtime'
import type { ContainerRow } from './container-store.ts'
import type { Context } from './context.ts'
import type { ContainerEntry } from './entry.ts'
import { nanoOf, newRun, restartNow, settleExit, watchExit } from './exit.ts'
import { startHealth } from './health.ts'
import { openResolver } from './network/attach-network.ts'
import { networksOf } from './network/connect-network.ts'
import { releaseMountSources } from './mount-sources.ts'
import { anonymousVolumes, volumesOf } from './mount-points.ts'
import { removeDirectory } from './remove-directory.ts'
import { autoRemove, finishRemoval } from './remove.ts'
import { shouldRestart } from './restart-policy.ts'
import { isActive, lastEnding, transition } from './state.ts'
import { networkOf } from './verify-config.ts'

/** Exit code of a container whose monitor and exit record are gone: the machine went down. Docker's code for it. */
const LOST_EXIT_CODE = 255

/**
 * Brings memory, rows and the machine together after the last daemon ended, at whatever moment that was.
 *
 * | row                    | task directory | what happened                        | what is done                              |
 * |------------------------|----------------|--------------------------------------|-------------------------------------------|
 * | `creating`             | –              | a creation was cut off               | everything the row names is deleted       |
 * | `removing`             | any            | a removal was cut off                | it is finished                            |
 * | running, paused        | alive          | nothing                              | adopted                                   |
 * | running, paused        | exit record    | it ended meanwhile                   | settled with its code; policy applies     |
 * | running, paused        | none           | the machine went down                | settled with code 255; policy applies     |
 * | created, exited, restarting | alive     | the start came through, its row not  | adopted, row caught up                    |
 * | created, exited, restarting | exit record | the same, and it ended meanwhile   | settled with its code; policy applies     |
 * | created, exited, restarting | none      | no start, or one that was cut off    | directory deleted; policy applies         |
 * | none                   | any            | an exec of the last daemon           | deleted when it has ended, else left alone |
 *
 * Layers, volumes and images are restored before; networks here, since only now it is known which containers live.
 */
export async function restoreContainers(ctx: Context): Promise<void> {
  const { deps, store } = ctx
  const halfMade: ContainerRow[] = []
  for (const row of store.rows()) {
    if (row.phase === 'creating') halfMade.push(row)
    else store.adopt(row.container)
  }
  const entries = store.all()
  for (const entry of entries) for (const name of volumesOf(entry.record)) deps.volumes.reference(name, entry.id)
  mkdirSync(deps.paths.tasksDirectory, { recursive: true, mode: 0o711 })
  const directories = new Set(readdirSync(deps.paths.tasksDirectory))

  const adopted = new Map<ContainerEntry, Adopted>()
  await Promise.all(
    entries.map(async (entry) => {
      if (!directories.delete(entry.id)) return
      adopted.set(entry, await deps.runtime.adopt(entry.id, deps.paths.taskDirectory(entry.id)))
    }),
  )
  const alive = entries.filter((entry) => adopted.get(entry)?.state === 'running')
  await deps.networks.restore(new Set(alive.map(({ id }) => id)))
  await Promise.all(halfMade.map((row) => discardHalfMade(ctx, row)))
  await Promise.all([...directories].map((id) => clearForeignTask(ctx, id)))
  await Promise.all(entries.map((entry) => settleEntry(ctx, entry, adopted.get(entry) ?? { state: 'lost' })))
  // After everything is known: a container may need another one's network.
  for (const entry of entries) applyPolicy(ctx, entry)
}

async function discardHalfMade(ctx: Context, { container }: ContainerRow): Promise<void> {
  const { deps, store } = ctx
  await Promise.all([
    rm(deps.paths.containerDirectory(container.id), { recursive: true, force: true }),
    deps.snapshotter.remove(container.id),
    ...anonymousVolumes(container).map((name) =>
      deps.volumes.remove(name, { force: true }).catch((error: unknown) => {
        if (codeOf(error) !== 'CONFLICT') deps.warn('cannot remove a volume of a cut off creation', { volume: name, error: String(error) })
      }),
    ),
  ])
  store.deleteRow(container.id)
}

/** A directory without a container is that of an exec, whose client is gone with the last daemon. */
async function clearForeignTask(ctx: Context, id: string): Promise<void> {
  const stateDir = ctx.deps.paths.taskDirectory(id)
  const found = await ctx.deps.runtime.adopt(id, stateDir)
  const clear = (): Promise<void> => rm(stateDir, { recursive: true, force: true })
  if (found.state !== 'running') await clear()
  else void found.task.exited.then(clear).catch((error: unknown) => ctx.deps.warn('cannot clear a task', { id, error: String(error) }))
}

async function settleEntry(ctx: Context, entry: ContainerEntry, found: Adopted): Promise<void> {
  const { store, deps } = ctx
  const { state } = entry.record
  if (state.status === 'removing' || state.status === 'dead') {
    using _lock = await entry.mutex.lock()
    if (found.state === 'running') await found.task.kill(9).catch(() => undefined)
    const removing = { state: transition(entry.id, state, { to: 'removing' }) }
    store.save(entry, removing)
    await finishRemoval(ctx, entry, entry.record.hostConfig.autoRemove).catch((error: unknown) =>
      deps.warn('cannot finish a removal', { container: entry.id, error: String(error) }),
    )
    return
  }
  if (found.state === 'running') {
    await adoptRunning(ctx, entry, found.task)
    return
  }
  if (found.state === 'exited') {
    catchUpStart(ctx, entry, 0, formatNano(nanoOf(found.exit.finishedAt)))
    await settleGone(ctx, entry, found.exit)
    return
  }
  // Most have none: to look costs less than to delete nothing.
  if (!isActive(state)) {
    await removeDirectory(deps.paths.taskDirectory(entry.id))
    // A plugin that was told of a start the daemon did not live to see, or was not told of the end.
    await releaseMountSources(ctx, entry.record)
  } else await settleGone(ctx, entry, { exitCode: LOST_EXIT_CODE, oomKilled: false, finishedAt: Number(deps.clock.now() / 1_000_000n) })
}

async function adoptRunning(ctx: Context, entry: ContainerEntry, task: Extract<Adopted, { state: 'running' }>['task']): Promise<void> {
  catchUpStart(ctx, entry, task.pid, formatNano(nanoOf(task.startedAt)))
  catchUpNetworks(ctx, entry)
  await countAsUser(ctx, entry)
  const run = newRun(task)
  entry.run = run
  await openResolver(ctx, entry.record, task.pid).catch((error: unknown) =>
    ctx.deps.warn('cannot answer names in a container', { container: entry.id, error: String(error) }),
  )
  startHealth(ctx, entry, { keep: true })
  watchExit(ctx, entry, run)
}

/**
 * Counts a running container as user of its volumes' mounts, which are there already. Its bind sources are not looked at: the process has what it was
 * started with, and a path or a plugin that is gone since may not keep the daemon from starting.
 */
async function countAsUser({ deps }: Context, { id, record }: ContainerEntry): Promise<void> {
  for (const name of volumesOf(record)) {
    await deps.volumes
      .activate(name, id)
      .catch((error: unknown) => deps.warn('cannot take over a volume', { container: id, volume: name, error: String(error) }))
  }
}

/** The daemon ended between the start of the process and its row. */
function catchUpStart(ctx: Context, entry: ContainerEntry, pid: number, startedAt: string): void {
  const { state } = entry.record
  if (isActive(state)) return
  ctx.store.save(entry, {
    state: transition(entry.id, state, { to: 'running', pid, startedAt }),
    hasBeenStartedBefore: true,
    hasBeenManuallyStopped: false,
  })
}

/** The daemon ended between a change of the container's networks and its row. */
function catchUpNetworks(ctx: Context, entry: ContainerEntry): void {
  const { record } = entry
  const endpoints = ctx.deps.networks.endpointsOf(entry.id)
  if (networkOf(record.hostConfig) === 'container' || isDeepStrictEqual(endpoints, record.endpoints)) return
  ctx.store.save(entry, { endpoints, networks: networksOf(record, endpoints) })
}

/** The same road as a live exit takes, with a stand-in for the task that is no more. */
async function settleGone(ctx: Context, entry: ContainerEntry, exit: Parameters<typeof settleExit>[3]): Promise<void> {
  const run = newRun({
    id: entry.id,
    pid: 0,
    hostPid: 0,
    startedAt: 0,
    exited: Promise.resolve(exit),
    start: () => Promise.resolve(),
    startAttached: () => Promise.reject(new Error('the process has ended')),
    attach: () => Promise.reject(new Error('the process has ended')),
    kill: () => Promise.resolve(),
    resize: () => Promise.resolve(),
    delete: () => rm(ctx.deps.paths.taskDirectory(entry.id), { recursive: true, force: true }),
  })
  entry.run = run
  await settleExit(ctx, entry, run, exit)
}

/** What `always` and its like mean across daemons: also what was not running when the last one ended. */
function applyPolicy(ctx: Context, entry: ContainerEntry): void {
  if (entry.removed || entry.removing) return
  const { state, hostConfig, hasBeenStartedBefore, hasBeenManuallyStopped, restartCount } = entry.record
  const fail = (error: unknown): void => ctx.deps.warn('cannot start a container by policy', { container: entry.id, error: String(error) })
  if (state.status === 'restarting') {
    // settleExit of this daemon has set a timer already; a row of the last daemon has none.
    if (entry.restartTimer === undefined) void restartNow(ctx, entry).catch(fail)
    return
  }
  if (state.status !== 'exited') return
  const { exitCode } = lastEnding(state)
  const ending = { exitCode, manuallyStopped: hasBeenManuallyStopped, restartCount }
  if (hasBeenStartedBefore && shouldRestart(hostConfig.restartPolicy, ending)) {
    ctx.store.save(entry, { state: { ...state, status: 'restarting' } })
    void restartNow(ctx, entry).catch(fail)
  } else if (hostConfig.autoRemove) {
    void autoRemove(ctx, entry)
  }
}
