import { existsSync, lstatSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { inSlices } from './tree/in-slices.ts'
import { MAX_DEPTH, walkTree } from './tree/walk-tree.ts'
import type { DiskUsage } from './types.ts'

/** Bytes of one block as stat(2) counts them, whatever the file system's are. */
const BLOCK = 512n

/**
 * Bytes and nodes below a directory; a file with several names counts once, directories count no bytes (as Docker's SizeRw). `disk` is what all of it
 * takes of the disk, directories and the top included: holes take nothing, a byte takes a block. What a container has nested too deeply to be
 * walked is not counted: it may not make `system df` fail.
 */
export async function measureTree(path: string): Promise<DiskUsage> {
  const seen = new Set<bigint>()
  const usage: DiskUsage = { size: 0, inodes: 0, disk: 0 }
  if (!existsSync(path)) return usage
  usage.disk = blocksOf(lstatSync(path, { bigint: true }))
  for await (const { stat } of inSlices(walkTree(path, isReachable))) {
    if (isKnown(seen, stat)) continue
    usage.inodes++
    usage.disk += blocksOf(stat)
    if (!stat.isDirectory()) usage.size += Number(stat.size)
  }
  return usage
}

/** `disk` of {@link measureTree} in one go: for worker threads. */
export function diskSpace(path: string): number {
  const seen = new Set<bigint>()
  const top = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  if (top === undefined) return 0
  let sum = blocksOf(top)
  if (!top.isDirectory()) return sum
  for (const { stat } of walkTree(path, isReachable)) if (!isKnown(seen, stat)) sum += blocksOf(stat)
  return sum
}

/** Whether it is a further name of a file that was met. */
function isKnown(seen: Set<bigint>, stat: BigIntStats): boolean {
  if (stat.nlink === 1n || stat.isDirectory()) return false
  if (seen.has(stat.ino)) return true
  seen.add(stat.ino)
  return false
}

function blocksOf(stat: BigIntStats): number {
  return Number(stat.blocks * BLOCK)
}

function isReachable(path: string): boolean {
  return path.split('/').length < MAX_DEPTH
}
