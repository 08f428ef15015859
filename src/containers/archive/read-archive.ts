import { constants } from 'node:fs'
import { posix } from 'node:path'
import { Readable } from 'node:stream'
import type { Files } from '#kernel'
import type { Container, PathStat } from '../types.ts'
import { archiveError, type ArchiveTarget } from './archive-error.ts'
import { baseName, resolveLinks } from './container-path.ts'
import type { ContainerRoot } from './container-root.ts'
import { packTree, type PackedFile } from './pack-tree.ts'
import { locateFile, type LocatedFile } from './path-stat.ts'
import { O_PATH, Pinned } from './pinned.ts'

/** Bytes prepared ahead of the client. */
const AHEAD = 2 * 1024 * 1024

/**
 * GET of the archive endpoint: a file, or a directory with all in it, under the base name of the path asked for. That also where the path went
 * through a link with another name; `/` is called `/`, and `dir/.` gives the contents as `./…`. The root must stay open until the stream is closed; the
 * caller reads the stream to its end or destroys it.
 */
export function readArchive(
  files: Files,
  root: ContainerRoot,
  target: ArchiveTarget,
  container: Pick<Container, 'mounts' | 'hostConfig'>,
): { stat: PathStat; tar: Readable } {
  using undo = new DisposableStack()
  const located = locateFile(files, root, target)
  undo.use(located.file)
  const packed = nameForArchive(files, root, located, target, undo)
  const tar = Readable.from(
    packTree(files, packed, (location) => isOwnMount(container, location)),
    { objectMode: false, highWaterMark: AHEAD },
  )
  const resources = undo.move()
  // Not a `finally` in the generator: one that was never started is ended without running it.
  tar.once('close', () => resources.dispose())
  return { stat: located.stat, tar }
}

function nameForArchive(files: Files, root: ContainerRoot, located: LocatedFile, target: ArchiveTarget, undo: DisposableStack): PackedFile {
  const name = baseName(located.path)
  const path = name === '/' ? '' : name
  const location = resolveLinks(files, root.fd, located.path).replace(/^\/$/, '')
  if (isDirectory(located)) return { file: located.file, path, contents: `${path}/`, location }
  try {
    const directory = undo.use(new Pinned(files.openInRoot(root.fd, posix.dirname(located.path), O_PATH | constants.O_DIRECTORY)))
    return { file: undo.use(directory.pin(name)), place: { directory, name }, path, contents: `${path}/`, location }
  } catch (error) {
    throw archiveError(error, 'lstat', target)
  }
}

function isDirectory({ stat }: LocatedFile): boolean {
  return stat.mode >= 2 ** 31
}

/** What the user mounted; the rest is the kernel's, and not part of any image or volume. */
function isOwnMount({ mounts, hostConfig }: Pick<Container, 'mounts' | 'hostConfig'>, location: string): boolean {
  return mounts.some(({ destination }) => destination === location) || Object.hasOwn(hostConfig.tmpfs, location)
}
