import { mkdirSync, rmSync } from 'node:fs'
import { notFound } from '#errors'
import { randomId } from '#lib'
import type { ArchiveDeps, FileHolder } from './archive/container-archive.ts'
import type { Context } from './context.ts'
import { holdSpec } from './launch-spec.ts'
import { releaseMountSources } from './mount-sources.ts'
import { isActive } from './state.ts'
import type { Container } from './types.ts'
import { lookUpUser } from './user-lookup.ts'
import { whenSettled } from './when-settled.ts'

/** How the archive functions reach a container's files: through its process, or through one that only holds its mounts. */
export function archiveDeps(ctx: Context): ArchiveDeps {
  return {
    files: ctx.deps.files,
    holdFiles: (container) => holdFiles(ctx, container),
    userOf: ({ config }, root) => lookUpUser(ctx.users.ofRoot(root.fd), config.user),
  }
}

/**
 * Holds a container's mounts for the caller. A stopped container must not be started or removed meanwhile: its overlay would be mounted twice, which
 * overlayfs forbids; the lock is held until the holder is disposed.
 */
async function holdFiles(ctx: Context, container: Container): Promise<FileHolder> {
  const entry = ctx.store.find(container.id)
  await using undo = new AsyncDisposableStack()
  if (!isActive(entry.record.state)) undo.use(await entry.mutex.lock())
  // It may have been started while we waited for the lock; then that is given back.
  const { state } = entry.record
  const { run } = entry
  if (isActive(state) && run !== undefined)
    return { pid: state.pid, ended: () => whenSettled(ctx, entry, run), [Symbol.asyncDispose]: () => Promise.resolve() }
  if (entry.removed || state.status === 'removing' || state.status === 'dead') throw notFound(`No such container: ${container.id}`)
  await entry.teardown
  // Not the container's own directory: what lies there says that it was started.
  const stateDir = ctx.deps.paths.taskDirectory(randomId())
  mkdirSync(stateDir, { recursive: true, mode: 0o700 })
  undo.defer(() => rmSync(stateDir, { recursive: true, force: true }))
  undo.defer(() => releaseMountSources(ctx, entry.record))
  const mounts = await Promise.all(
    entry.record.mounts.map(async (point) =>
      point.type === 'volume' ? { ...point, source: await ctx.deps.volumes.activate(point.name, entry.id) } : point,
    ),
  )
  const hold = undo.use(await ctx.deps.runtime.hold({ ...holdSpec(ctx, { ...entry.record, mounts }), stateDir }))
  const resources = undo.move()
  return { pid: hold.pid, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}
