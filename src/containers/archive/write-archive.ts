import { constants } from 'node:fs'
import type { Readable } from 'node:stream'
import { decompress } from '#archive'
import { invalidArgument } from '#errors'
import type { Files } from '#kernel'
import { O_PATH, extractTree } from '#snapshots'
import type { Container } from '../types.ts'
import { archiveError, type ArchiveTarget } from './archive-error.ts'
import { cleanContainerPath, resolveLinks } from './container-path.ts'
import type { ContainerRoot } from './container-root.ts'
import { errorCode, Pinned } from './pinned.ts'

export interface UnpackOptions {
  /** A directory may not become something else, nor something else a directory. */
  noOverwriteDirNonDir: boolean
  /** Instead of the owners in the archive. */
  owner: { uid: number; gid: number } | undefined
}

/**
 * PUT of the archive endpoint: unpacks `tar` (plain, gzip, bzip2, xz, zstd) into an existing directory; links on the way to it are followed.
 * Throws NOT_FOUND `Could not find the file …`, INVALID_ARGUMENT `extraction point is not a directory`, `container rootfs is marked read-only`,
 * `mounted volume is marked read-only`, or about the archive.
 */
export async function writeArchive(
  files: Files,
  root: ContainerRoot,
  target: ArchiveTarget,
  container: Pick<Container, 'mounts' | 'hostConfig'>,
  tar: Readable,
  options: UnpackOptions,
): Promise<void> {
  const path = resolveLinks(files, root.fd, cleanContainerPath(target.path))
  using top = openDestination(files, root, target)
  refuseReadOnly(container, path)
  try {
    const { chunks } = await decompress(tar as AsyncIterable<Buffer>)
    await extractTree(files, { directoryFd: top.fd, rootFd: root.fd, path }, chunks, {
      whiteouts: 'none',
      keepKinds: options.noOverwriteDirNonDir,
      container: { target: path },
      ...(options.owner && { owner: options.owner }),
    })
  } catch (error) {
    throw archiveError(error, 'extract', target)
  }
}

function openDestination(files: Files, root: ContainerRoot, target: ArchiveTarget): Pinned {
  const path = cleanContainerPath(target.path)
  try {
    return new Pinned(files.openInRoot(root.fd, path, O_PATH | constants.O_DIRECTORY))
  } catch (error) {
    if (errorCode(error) === 'ENOTDIR') throw invalidArgument('extraction point is not a directory', error)
    throw archiveError(error, 'lstat', target)
  }
}

/**
 * Docker's words for what the kernel would refuse with EROFS anyway: the container's own mounts are read-only, whatever its links did between this
 * look and the writing.
 */
function refuseReadOnly({ mounts, hostConfig }: Pick<Container, 'mounts' | 'hostConfig'>, path: string): void {
  const isAt = (destination: string): boolean =>
    path === destination || path.startsWith(destination.endsWith('/') ? destination : `${destination}/`)
  const mount = mounts.filter(({ destination }) => isAt(destination)).sort((a, b) => b.destination.length - a.destination.length)[0]
  if (mount !== undefined) {
    if (!mount.rw) throw invalidArgument('mounted volume is marked read-only')
  } else if (hostConfig.readonlyRootfs && !Object.keys(hostConfig.tmpfs).some(isAt))
    throw invalidArgument('container rootfs is marked read-only')
}
