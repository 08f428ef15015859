import { inSlices } from './tree/in-slices.ts'
import { walkTree } from './tree/walk-tree.ts'
import type { Usage } from './types.ts'

/** Bytes and nodes below a directory; a file with several names counts once, directories count no bytes (as Docker's SizeRw). */
export async function measureTree(path: string): Promise<Usage> {
  const seen = new Set<bigint>()
  const usage: Usage = { size: 0, inodes: 0 }
  for await (const { stat } of inSlices(walkTree(path))) {
    if (stat.nlink > 1n && !stat.isDirectory()) {
      if (seen.has(stat.ino)) continue
      seen.add(stat.ino)
    }
    usage.inodes++
    if (!stat.isDirectory()) usage.size += Number(stat.size)
  }
  return usage
}
