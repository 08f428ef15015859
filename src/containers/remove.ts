import { statSync } from 'node:fs'
import { unlink } from 'node:fs/promises'
import { basename } from 'node:path'
import { codeOf, conflict, internal } from '#errors'
import { SIGKILL } from '#kernel'
import type { Context } from './context.ts'
import type { ContainerEntry } from './entry.ts'
import { sendSignal } from './kill.ts'
import { anonymousVolumes, volumesOf } from './mount-points.ts'
import { removeLink } from './network/links.ts'
import { NAME_FILES } from './network/name-files.ts'
import { publishEvent } from './publish-event.ts'
import { removeDirectory } from './remove-directory.ts'
import { isActive, transition } from './state.ts'
import { cancelRestart } from './exit.ts'
import { endingOf } from './wait.ts'
import { whenSettled } from './when-settled.ts'

/** What a monitor may have left in its directory. */
const TASK_FILES = ['monitor.sock', 'exit.json']
/** Bytes of a log whose freeing takes a file system its time. */
const LARGE_LOG = 1 << 20

export interface RemoveOptions {
  force: boolean
  /** Its anonymous volumes too. */
  volumes: boolean
  /** Not the container, but the link that `ref` names: `web/db`. */
  link: boolean
}

/** `docker rm`. Throws CONFLICT for a container that runs or restarts without `force`, and while another removal is under way. */
export async function removeContainer(ctx: Context, ref: string, options: RemoveOptions): Promise<void> {
  const entry = ctx.store.find(ref)
  if (options.link) return await removeLink(ctx, ref)
  if (entry.removing) throw conflict(`removal of container ${ref} is already in progress`)
  await removeEntry(ctx, entry, options)
}

/** The daemon's part of `--rm`. Its failure is logged: nobody waits for an answer. */
export async function autoRemove(ctx: Context, entry: ContainerEntry): Promise<void> {
  if (entry.removing || entry.removed || ctx.closing) return
  try {
    await removeEntry(ctx, entry, { force: true, volumes: true })
  } catch (error) {
    ctx.deps.warn('cannot remove an AutoRemove container', { container: entry.id, error: String(error) })
  }
}

/**
 * State `removing` is the durable intent; after it the removal only goes forward, in this process or in the next. A step that fails leaves
 * the container `dead`: it can be removed again.
 */
export async function removeEntry(ctx: Context, entry: ContainerEntry, options: { force: boolean; volumes: boolean }): Promise<void> {
  entry.removing = true
  try {
    if (!options.force) refuseActive(entry)
    for (;;) {
      if (options.force) await endProcess(ctx, entry)
      using _lock = await entry.mutex.lock()
      if (entry.removed) return
      // A start was under way when the lock was asked for: by hand, or by policy.
      if (options.force && isActive(entry.record.state)) continue
      if (!options.force) refuseActive(entry)
      cancelRestart(ctx, entry)
      ctx.store.save(entry, { state: transition(entry.id, entry.record.state, { to: 'removing' }) })
      return await finishRemoval(ctx, entry, options.volumes)
    }
  } finally {
    entry.removing = false
  }
}

async function endProcess(ctx: Context, entry: ContainerEntry): Promise<void> {
  if (!isActive(entry.record.state)) return
  let { run } = entry
  try {
    run = await sendSignal(ctx, entry, SIGKILL)
  } catch (error) {
    if (codeOf(error) !== 'CONFLICT')
      throw internal(`cannot remove container "/${entry.record.name}": could not kill container: ${String(error)}`, error)
  }
  if (run !== undefined) await whenSettled(ctx, entry, run)
}

function refuseActive(entry: ContainerEntry): void {
  const { name, state } = entry.record
  if (!isActive(state) && state.status !== 'restarting') return
  throw conflict(
    state.status === 'paused'
      ? `cannot remove container "/${name}": container is paused and must be unpaused first`
      : `cannot remove container "/${name}": container is ${state.status}: stop the container before removing or force remove`,
  )
}

/** Everything of a container in state `removing`, to the row. Under the lock; `restore` calls it for what the last daemon began. */
export async function finishRemoval(ctx: Context, entry: ContainerEntry, withVolumes: boolean): Promise<void> {
  const { deps, store } = ctx
  const { id, record } = entry
  entry.dropPendingAttaches()
  ctx.execs.forget(entry)
  // Hooks that come after the end of a container are told where its bundle is.
  if (record.hostConfig.deviceRequests.length > 0) await entry.teardown
  try {
    await Promise.all([
      deps.networks.release(id),
      deps.snapshotter.remove(id),
      removeFiles(deps.paths.containerDirectory(id), record.logPath),
      // The monitor may still be taking down what it made; what it has there by now is of no use to anybody.
      removeDirectory(deps.paths.taskDirectory(id), TASK_FILES),
    ])
  } catch (error) {
    const text = `unable to remove filesystem for ${id}: ${error instanceof Error ? error.message : String(error)}`
    store.save(entry, { state: transition(id, entry.record.state, { to: 'dead', error: text }) })
    throw internal(text, error)
  }
  for (const name of volumesOf(record)) deps.volumes.dereference(name, id)
  if (withVolumes) await removeVolumes(ctx, record)
  const { exitCode } = endingOf(entry)
  store.delete(entry)
  // Without the text of a start that failed: the client that started has it already, and shows what a wait says as one more error.
  entry.notify(['not-running', 'next-exit', 'removed'], { exitCode })
  if (record.hostConfig.autoRemove) ctx.endings.add(id, { exitCode })
  publishEvent(ctx, record, 'destroy')
}

/** A large log goes in another thread; all else on the spot, where it costs a third of the trips there. */
async function removeFiles(directory: string, logPath: string): Promise<void> {
  const log = statSync(logPath, { throwIfNoEntry: false })
  if (log !== undefined && log.size >= LARGE_LOG) await unlink(logPath).catch(() => undefined)
  await removeDirectory(directory, [...NAME_FILES, ...(logPath === '' ? [] : [basename(logPath)])])
}

async function removeVolumes(ctx: Context, record: ContainerEntry['record']): Promise<void> {
  for (const name of anonymousVolumes(record)) {
    try {
      await ctx.deps.volumes.remove(name, { force: true })
    } catch (error) {
      // Shared by --volumes-from: it goes with its last user.
      if (codeOf(error) !== 'CONFLICT') ctx.deps.warn('cannot remove a volume', { volume: name, error: String(error) })
    }
  }
}
