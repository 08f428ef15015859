import { lstatSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { inSlices } from './tree/in-slices.ts'
import { MAX_DEPTH, walkTree, type TreeNode } from './tree/walk-tree.ts'
import type { DiskUsage } from './types.ts'

/** Bytes of one block as stat(2) counts them, whatever the file system's are. */
const BLOCK = 512n

/**
 * Bytes and nodes below a directory; a file with several names counts once, directories count no bytes (as Docker's SizeRw). `disk` is what all of it
 * takes of the disk, directories and the top included: holes take nothing, a byte takes a block. What a container has nested too deeply to be
 * walked is not counted: it may not make `system df` fail.
 */
export async function measureTree(path: string): Promise<DiskUsage> {
  const sum = createSum(path)
  if (sum.isDirectory) for await (const { stat } of inSlices(nodesBelow(path))) sum.add(stat)
  return sum.usage
}

/** {@link measureTree} in one go: for worker threads. */
export function measureNow(path: string): DiskUsage {
  const sum = createSum(path)
  if (sum.isDirectory) for (const { stat } of nodesBelow(path)) sum.add(stat)
  return sum.usage
}

/** Of a tree that goes meanwhile, what was there. */
function* nodesBelow(path: string): Generator<TreeNode, void, void> {
  try {
    yield* walkTree(path, { enters: isReachable })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

/** Nothing for what is not there. */
function createSum(path: string): { usage: DiskUsage; isDirectory: boolean; add: (stat: BigIntStats) => void } {
  const seen = new Set<bigint>()
  const usage: DiskUsage = { size: 0, inodes: 0, disk: 0 }
  const top = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  if (top !== undefined) usage.disk = diskSpace(top)
  function add(stat: BigIntStats): void {
    if (isKnown(seen, stat)) return
    usage.inodes++
    usage.disk += diskSpace(stat)
    if (!stat.isDirectory()) usage.size += Number(stat.size)
  }
  return { usage, isDirectory: top?.isDirectory() === true, add }
}

/** Whether it is a further name of a file that was met. */
function isKnown(seen: Set<bigint>, stat: BigIntStats): boolean {
  if (stat.nlink === 1n || stat.isDirectory()) return false
  if (seen.has(stat.ino)) return true
  seen.add(stat.ino)
  return false
}

function diskSpace(stat: BigIntStats): number {
  return Number(stat.blocks * BLOCK)
}

function isReachable(path: string): boolean {
  return path.split('/').length < MAX_DEPTH
}
