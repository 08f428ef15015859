import { closeSync, constants, createReadStream, fstatSync, readFileSync, readlinkSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { decodeName, systemPath } from '#archive'
import type { FilePath, Files } from '#kernel'
import { deviceOf } from '#lib'
import { inSlices, walkTree } from '#snapshots'
import type { Snapshotter } from '#snapshots'
import type { Ref } from '../../graph/ref.ts'
import type { FileStat } from '../../session.ts'
import { isWhiteout } from '../../files/is-whiteout.ts'

/** A file system to be given away: its entries as clients see them, and what its files hold. */
export interface ExportedTree extends Disposable {
  /** Parents before children, names in byte order; nothing for the top itself. Sockets are left out. */
  entries: FileStat[]
  /** Content of a regular file among the entries. */
  read(path: string): AsyncIterable<Uint8Array>
}

export interface TreeDeps {
  snapshotter: Pick<Snapshotter, 'view'>
  files: Pick<Files, 'openRoot' | 'openInRoot' | 'listXattr' | 'getXattr'>
}

/** `epoch` (milliseconds): the time of everything. Layers are read through a mount of their own, which goes with the tree. */
export async function exportedTree(deps: TreeDeps, ref: Ref, epoch: number | undefined): Promise<ExportedTree> {
  using undo = new DisposableStack()
  const root =
    ref.kind === 'directory'
      ? undo.use(deps.files.openRoot(ref.path))
      : ref.chain === undefined
        ? undefined
        : undo.use(deps.snapshotter.view({ chain: ref.chain }))
  const entries: FileStat[] = []
  if (root !== undefined) {
    const links = new Map<string, string>()
    for await (const node of inSlices(walkTree(`/proc/self/fd/${root.fd}`))) {
      const entry = describe(deps.files, node, links)
      if (entry !== undefined) entries.push(epoch === undefined ? entry : { ...entry, mtime: BigInt(epoch) * 1_000_000n })
    }
  }
  const held = undo.move()
  return { entries, read: (path) => readInRoot(deps.files, root?.fd ?? -1, path), [Symbol.dispose]: () => held.dispose() }
}

/** Files up to this size are read at once: a stream costs more than they do. */
const SMALL = 64 * 1024

/** Links are not followed, and nothing outside is reached: the walk has met a file there. */
async function* readInRoot(files: Pick<Files, 'openInRoot'>, root: number, path: string): AsyncGenerator<Uint8Array, void, void> {
  const fd = files.openInRoot(root, systemPath(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  if (fstatSync(fd).size > SMALL) {
    yield* createReadStream('', { fd, highWaterMark: 512 * 1024 }) as AsyncIterable<Uint8Array>
    return
  }
  try {
    yield readFileSync(fd)
  } finally {
    closeSync(fd)
  }
}

function describe(
  files: TreeDeps['files'],
  { path, stat, systemPath: place }: { path: string; stat: BigIntStats; systemPath: FilePath },
  links: Map<string, string>,
): FileStat | undefined {
  if (stat.isSocket() || isWhiteout(stat)) return undefined
  const entry = {
    path,
    mode: Number(stat.mode),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    size: stat.isFile() ? Number(stat.size) : 0,
    mtime: stat.mtimeNs,
    linkname: stat.isSymbolicLink() ? decodeName(readlinkSync(place, { encoding: 'buffer' })) : '',
    device: stat.isCharacterDevice() || stat.isBlockDevice() ? deviceOf(stat) : { major: 0, minor: 0 },
    xattrs: readXattrs(files, place),
  }
  if (stat.isDirectory() || stat.nlink === 1n) return entry
  const inode = `${stat.dev}:${stat.ino}`
  const first = links.get(inode)
  if (first === undefined) links.set(inode, path)
  return first === undefined || stat.isSymbolicLink() ? entry : { ...entry, size: 0, linkname: first }
}

/** What makes sense elsewhere: not the labels of this machine's SELinux. */
function readXattrs(files: TreeDeps['files'], place: FilePath): Record<string, Uint8Array> {
  const found: Record<string, Uint8Array> = {}
  for (const name of files.listXattr(place)) {
    const value = name === 'security.selinux' || name.startsWith('trusted.overlay.') ? undefined : files.getXattr(place, name)
    if (value !== undefined) found[name] = value
  }
  return found
}
