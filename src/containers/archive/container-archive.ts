import type { Readable } from 'node:stream'
import { codeOf } from '#errors'
import type { Files } from '#kernel'
import type { Container, ContainerService, PathStat } from '../types.ts'
import type { ArchiveTarget } from './archive-error.ts'
import { openContainerRoot, type ContainerRoot } from './container-root.ts'
import { statPath } from './path-stat.ts'
import { readArchive } from './read-archive.ts'
import { writeArchive } from './write-archive.ts'

/** A process in whose root the container's files are seen, for as long as it is not disposed. */
export interface FileHolder extends AsyncDisposable {
  pid: number
  /**
   * Of the container's own process, which may end at any time: resolves when its end is in the record. undefined: held for this purpose
   * (`Runtime.hold`).
   */
  ended?: () => Promise<void>
}

export interface ArchiveDeps {
  files: Files
  /** A running container's process, or one that holds the mounts of a stopped container. */
  holdFiles(container: Container): Promise<FileHolder>
  /** Owner of what is copied in with `copyUidGid`: the container's user, looked up in its root. */
  userOf(container: Container, root: ContainerRoot): { uid: number; gid: number }
}

type WriteOptions = Parameters<ContainerService['writeArchive']>[3]

/** See `ContainerService.statPath`; `target.ref` is for messages only. */
export async function statContainerPath(deps: ArchiveDeps, container: Container, target: ArchiveTarget): Promise<PathStat> {
  await using held = await openFiles(deps, container)
  return statPath(deps.files, held.root, target)
}

/** See `ContainerService.readArchive`. The holder is given up when the stream is closed: read it to the end or destroy it. */
export async function readContainerArchive(
  deps: ArchiveDeps,
  container: Container,
  target: ArchiveTarget,
): Promise<{ stat: PathStat; tar: Readable }> {
  await using undo = new AsyncDisposableStack()
  const result = readArchive(deps.files, undo.use(await openFiles(deps, container)).root, target, container)
  const resources = undo.move()
  result.tar.once('close', () => void resources.disposeAsync())
  return result
}

/** See `ContainerService.writeArchive`. */
export async function writeContainerArchive(
  deps: ArchiveDeps,
  container: Container,
  target: ArchiveTarget,
  tar: Readable,
  options: WriteOptions,
): Promise<void> {
  await using held = await openFiles(deps, container)
  const { root } = held
  const owner = options.copyUidGid && container.config.user !== '' ? deps.userOf(container, root) : undefined
  await writeArchive(deps.files, root, target, container, tar, { noOverwriteDirNonDir: options.noOverwriteDirNonDir, owner })
}

/** The container's root, through its process or through one that is made for it. A container that ends this moment is looked at as one that has ended. */
async function openFiles(deps: ArchiveDeps, container: Container): Promise<{ root: ContainerRoot } & AsyncDisposable> {
  for (;;) {
    await using undo = new AsyncDisposableStack()
    const holder = undo.use(await deps.holdFiles(container))
    try {
      const root = undo.use(openContainerRoot(deps.files, holder.pid, holder.ended === undefined ? undefined : container.id))
      const owned = undo.move()
      return { root, [Symbol.asyncDispose]: () => owned.disposeAsync() }
    } catch (error) {
      if (holder.ended === undefined || codeOf(error) !== 'CONFLICT') throw error
      await holder.ended()
    }
  }
}
