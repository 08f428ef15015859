import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readlinkSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { decodeName, systemPath } from '#archive'
import { invalidArgument } from '#errors'
import type { FilePath } from '#kernel'

/** Directories held open at once. A container could nest more, to use up the daemon's descriptors; paths end at 2,048. */
export const MAX_DEPTH = 1000

/** One node met on a walk. */
export interface TreeNode {
  /** Relative to where the walk began, without slash at either end. */
  path: string
  stat: BigIntStats
  /** For calls about the node itself that do not follow links; valid until the walk goes on. */
  systemPath: FilePath
  /** Of a regular file that the walk has opened for reading; the walk closes it when it goes on. */
  fd?: number
}

export interface WalkOptions {
  /** Absent: into all. */
  enters?: Enters
  /**
   * Regular files are opened, and looked at by their descriptors: for trees of which all files are read, as a way by name costs more than what is done at its
   * end. Nobody may change the tree meanwhile: opening what has taken a file's place may have effects.
   */
  opensFiles?: boolean
}

/**
 * Every node below a directory, parents before children, names in byte order. Directories are entered by descriptor with O_NOFOLLOW.
 * Attack: the tree belongs to a container that is running, and `a` becomes a link to /etc between the look and the step inside.
 * Nodes that vanish meanwhile are left out. Throws INVALID_ARGUMENT for a tree that is nested too deeply.
 */
export function* walkTree(root: FilePath, { enters = () => true, opensFiles = false }: WalkOptions = {}): Generator<TreeNode, void, void> {
  // Not /proc/self: following that link at every look makes it half as slow again.
  const descriptors = `/proc/${readlinkSync('/proc/self')}/fd`
  yield* walkDirectory(openDirectory(root, 0), '', 1, { enters, opensFiles, descriptors })
}

/** Whether to go into a directory that has been met and opened. */
export type Enters = (path: string, fd: number, parentFd: number) => boolean

interface Walk extends Required<WalkOptions> {
  /** Directory of this process's descriptors. */
  descriptors: string
}

function* walkDirectory(fd: number, prefix: string, depth: number, walk: Walk): Generator<TreeNode, void, void> {
  const directory = `${walk.descriptors}/${fd}`
  try {
    // latin1 keeps every byte of a name in one character, which also makes the order that of bytes.
    const entries = readdirSync(directory, { encoding: 'latin1', withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const entry of entries) {
      const name = decodeName(Buffer.from(entry.name, 'latin1'))
      const path = systemPath(`${directory}/${name}`)
      if (walk.opensFiles && entry.isFile()) {
        yield* openedFile(prefix + name, path)
        continue
      }
      const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false })
      if (stat === undefined) continue
      const node = { path: prefix + name, stat, systemPath: path }
      yield node
      if (!stat.isDirectory()) continue
      const child = tryOpenDirectory(path)
      if (child === undefined) continue
      if (!walk.enters(node.path, child, fd)) closeSync(child)
      else if (depth < MAX_DEPTH) yield* walkDirectory(child, `${node.path}/`, depth + 1, walk)
      else {
        closeSync(child)
        throw invalidArgument(`directories are nested deeper than ${MAX_DEPTH}`)
      }
    }
  } finally {
    closeSync(fd)
  }
}

function* openedFile(path: string, systemPath: FilePath): Generator<TreeNode, void, void> {
  const fd = openSync(systemPath, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    yield { path, stat: fstatSync(fd, { bigint: true }), systemPath, fd }
  } finally {
    closeSync(fd)
  }
}

function openDirectory(path: FilePath, extraFlags: number): number {
  return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | extraFlags)
}

function tryOpenDirectory(path: FilePath): number | undefined {
  try {
    return openDirectory(path, constants.O_NOFOLLOW)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes((error as { code?: string }).code ?? '')) return undefined
    throw error
  }
}
