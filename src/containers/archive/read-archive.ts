import { constants, lstatSync } from 'node:fs'
import { posix } from 'node:path'
import { Readable } from 'node:stream'
import type { FilePath, Files } from '#kernel'
import { O_PATH, packTree } from '#snapshots'
import type { Container, PathStat } from '../types.ts'
import { archiveError, type ArchiveTarget } from './archive-error.ts'
import { baseName, resolveLinks } from './container-path.ts'
import type { ContainerRoot } from './container-root.ts'
import { locateFile, type LocatedFile } from './path-stat.ts'
import { Pinned } from './pinned.ts'

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
  const name = baseName(located.path)
  const location = resolveLinks(files, root.fd, located.path).replace(/^\/$/, '')
  const packed = packTree(files, pathOf(files, root, located, target, undo), {
    whiteouts: 'none',
    name: name === '/' ? '' : name,
    plain: true,
    isOwnMount: (path) => isOwnMount(container, `${location}/${path}`),
  })
  const tar = Readable.from(packed, { objectMode: false, highWaterMark: AHEAD })
  const resources = undo.move()
  // Not a `finally` in the generator: one that was never started is ended without running it.
  tar.once('close', () => resources.dispose())
  return { stat: located.stat, tar }
}

/** What to pack, by descriptor: a directory itself, for anything else its name in its directory. */
function pathOf(files: Files, root: ContainerRoot, located: LocatedFile, target: ArchiveTarget, undo: DisposableStack): FilePath {
  if (isDirectory(located)) return `${located.file.path}/.`
  try {
    const directory = undo.use(new Pinned(files.openInRoot(root.fd, posix.dirname(located.path), O_PATH | constants.O_DIRECTORY)))
    const path = directory.child(baseName(located.path))
    lstatSync(path)
    return path
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
