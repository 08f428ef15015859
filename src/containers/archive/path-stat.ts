import { constants, fstatSync } from 'node:fs'
import { formatNano } from '#lib'
import type { Files } from '#kernel'
import { O_PATH } from '#snapshots'
import type { PathStat } from '../types.ts'
import { archiveError, type ArchiveTarget } from './archive-error.ts'
import { baseName, cleanContainerPath, resolveLinks } from './container-path.ts'
import type { ContainerRoot } from './container-root.ts'
import { goFileMode } from '#lib'
import { Pinned } from './pinned.ts'

/** A file of a container, named but not opened, with what the API says about it. The caller closes `file`. */
export interface LocatedFile {
  file: Pinned
  /** Absolute, cleaned; see `cleanContainerPath`. */
  path: string
  stat: PathStat
}

/**
 * Finds a path inside the root. A link at its end is not followed unless a slash follows it. Throws NOT_FOUND `Could not find the file …`,
 * INVALID_ARGUMENT for a path through something that is no directory.
 */
export function locateFile(files: Files, root: ContainerRoot, target: ArchiveTarget): LocatedFile {
  const path = cleanContainerPath(target.path)
  try {
    using undo = new DisposableStack()
    const file = undo.use(new Pinned(files.openInRoot(root.fd, path, O_PATH | constants.O_NOFOLLOW)))
    const { mode, size, mtimeNs } = fstatSync(file.fd, { bigint: true })
    const isLink = (Number(mode) & constants.S_IFMT) === constants.S_IFLNK
    const stat: PathStat = {
      name: baseName(path),
      size: Number(size),
      mode: goFileMode(Number(mode)),
      mtime: formatNano(mtimeNs),
      linkTarget: isLink ? resolveLinks(files, root.fd, path) : '',
    }
    undo.move()
    return { file, path, stat }
  } catch (error) {
    throw archiveError(error, 'lstat', target)
  }
}

/** HEAD of the archive endpoint. */
export function statPath(files: Files, root: ContainerRoot, target: ArchiveTarget): PathStat {
  const { file, stat } = locateFile(files, root, target)
  file[Symbol.dispose]()
  return stat
}
