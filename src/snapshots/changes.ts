import { lstatSync, readdirSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { dirname } from 'node:path'
import { decodeName, systemPath } from '#archive'
import type { Files } from '#kernel'
import { inSlices } from './tree/in-slices.ts'
import { walkTree } from './tree/walk-tree.ts'
import type { TreeNode } from './tree/walk-tree.ts'
import { OPAQUE_VALUE, OPAQUE_XATTR } from './tree/whiteout.ts'
import type { Change } from './types.ts'

/**
 * What an upper directory of overlayfs changes against the merged layers below, mounted at `lower`. As Docker's diff: a directory is
 * reported when its own attributes differ or anything inside has changed; a file that was copied up but is the same is not.
 * Source: moby pkg/archive changes.go, addChanges and statDifferent.
 */
export async function listChanges(files: Files, upper: string, lower: string): Promise<Change[]> {
  const changes = new Map<string, Change['kind']>()
  /** Directories of the upper layer with one in the lower layers: only in these can something be modified or deleted. */
  const merged = new Set<string>([''])
  for await (const node of inSlices(walkTree(upper))) {
    const below = merged.has(parentOf(node.path))
      ? lstatSync(systemPath(`${lower}/${node.path}`), { bigint: true, throwIfNoEntry: false })
      : undefined
    if (node.stat.isDirectory() && below?.isDirectory() === true) {
      merged.add(node.path)
      for (const name of hiddenNames(files, node, lower)) changes.set(`${node.path}/${name}`, 'deleted')
    }
    const kind = compare(files, node, below, lower)
    if (kind !== undefined) changes.set(node.path, kind)
  }
  for (const path of changes.keys()) {
    for (let parent = parentOf(path); parent !== '' && !changes.has(parent); parent = parentOf(parent)) changes.set(parent, 'modified')
  }
  return [...changes].map(([path, kind]) => ({ path: `/${path}`, kind })).sort((a, b) => (a.path < b.path ? -1 : 1))
}

function compare(files: Files, node: TreeNode, below: BigIntStats | undefined, lower: string): Change['kind'] | undefined {
  if (node.stat.isCharacterDevice() && node.stat.rdev === 0n) return below === undefined ? undefined : 'deleted'
  if (below === undefined) return 'added'
  const { stat } = node
  const attributesDiffer = stat.mode !== below.mode || stat.uid !== below.uid || stat.gid !== below.gid || stat.rdev !== below.rdev
  // Size and time of a directory change with what is in it.
  const contentDiffers = !stat.isDirectory() && (stat.mtimeNs !== below.mtimeNs || stat.size !== below.size)
  return attributesDiffer || contentDiffers || !sameCapabilities(files, node, lower) ? 'modified' : undefined
}

function sameCapabilities(files: Files, node: TreeNode, lower: string): boolean {
  const above = files.getXattr(node.systemPath, 'security.capability')
  const below = files.getXattr(systemPath(`${lower}/${node.path}`), 'security.capability')
  return above === undefined ? below === undefined : below?.equals(above) === true
}

/** What an opaque directory hides: everything below it that it does not have itself. */
function hiddenNames(files: Files, node: TreeNode, lower: string): string[] {
  if (files.getXattr(node.systemPath, OPAQUE_XATTR)?.equals(OPAQUE_VALUE) !== true) return []
  const own = new Set(readdirSync(node.systemPath, { encoding: 'latin1' }))
  const below = readdirSync(systemPath(`${lower}/${node.path}`), { encoding: 'latin1' })
  return below.filter((name) => !own.has(name)).map((name) => decodeName(Buffer.from(name, 'latin1')))
}

function parentOf(path: string): string {
  const parent = dirname(path)
  return parent === '.' ? '' : parent
}
