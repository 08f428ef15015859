import type { Readable } from 'node:stream'
import type { Files } from '#kernel'
import type { Container, ContainerService, PathStat } from '../types.ts'
import type { ArchiveTarget } from './archive-error.ts'
import { openContainerRoot } from './container-root.ts'
import { statPath } from './path-stat.ts'
import { readArchive } from './read-archive.ts'
import { writeArchive } from './write-archive.ts'

/** A process in whose root the container's files are seen, for as long as it is not disposed. */
export interface FileHolder extends AsyncDisposable {
  pid: number
  /** Held for this purpose (`Runtime.hold`); else it is the container's own process, which may end at any time. */
  held: boolean
}

export interface ArchiveDeps {
  files: Files
  /** A running container's process, or one that holds the mounts of a stopped container. */
  holdFiles(container: Container): Promise<FileHolder>
  /** Owner of what is copied in with `copyUidGid`: the container's user. */
  userOf(container: Container): { uid: number; gid: number }
}

type WriteOptions = Parameters<ContainerService['writeArchive']>[3]

/** See `ContainerService.statPath`; `target.ref` is for messages only. */
export async function statContainerPath(deps: ArchiveDeps, container: Container, target: ArchiveTarget): Promise<PathStat> {
  await using holder = await deps.holdFiles(container)
  using root = openContainerRoot(deps.files, holder.pid, holder.held ? undefined : container.id)
  return statPath(deps.files, root, target)
}

/** See `ContainerService.readArchive`. The holder is given up when the stream is closed: read it to the end or destroy it. */
export async function readContainerArchive(
  deps: ArchiveDeps,
  container: Container,
  target: ArchiveTarget,
): Promise<{ stat: PathStat; tar: Readable }> {
  await using undo = new AsyncDisposableStack()
  const holder = undo.use(await deps.holdFiles(container))
  const root = undo.use(openContainerRoot(deps.files, holder.pid, holder.held ? undefined : container.id))
  const result = readArchive(deps.files, root, target, container)
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
  await using holder = await deps.holdFiles(container)
  using root = openContainerRoot(deps.files, holder.pid, holder.held ? undefined : container.id)
  const owner = options.copyUidGid && container.config.user !== '' ? deps.userOf(container) : undefined
  await writeArchive(deps.files, root, target, container, tar, { noOverwriteDirNonDir: options.noOverwriteDirNonDir, owner })
}
