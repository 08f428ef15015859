import type { BigIntStats } from 'node:fs'

/** Overlayfs's mark for what a layer deletes: seen where the layer lies alone, as that of a difference of file systems does. */
export function isWhiteout(stat: BigIntStats): boolean {
  return stat.isCharacterDevice() && stat.rdev === 0n
}
