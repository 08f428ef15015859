import { existsSync } from 'node:fs'
import { inSlices } from './tree/in-slices.ts'
import { MAX_DEPTH, walkTree } from './tree/walk-tree.ts'
import type { Usage } from './types.ts'

/**
 * Bytes and nodes below a directory; a file with several names counts once, directories count no bytes (as Docker's SizeRw). What a container
 * has nested too deeply to be walked is not counted: it may not make `system df` fail.
 */
export async function measureTree(path: string): Promise<Usage> {
  const seen = new Set<bigint>()
  const usage: Usage = { size: 0, inodes: 0 }
  if (!existsSync(path)) return usage
  for await (const { stat } of inSlices(walkTree(path, isReachable))) {
    if (stat.nlink > 1n && !stat.isDirectory()) {
      if (seen.has(stat.ino)) continue
      seen.add(stat.ino)
    }
    usage.inodes++
    if (!stat.isDirectory()) usage.size += Number(stat.size)
  }
  return usage
}

function isReachable(path: string): boolean {
  return path.split('/').length < MAX_DEPTH
}
