import type { Digest } from '#oci'
import type { StepResult } from '../../types.ts'
import { encodeCacheConfig } from './cache-config.ts'

/**
 * What an image tells about its own layers: which steps gave them. Steps whose layers the image does not have are not told. `built`: the image's chains as steps
 * know them.
 */
export function inlineCacheOf(
  steps: readonly StepResult[],
  { diffIds, built }: { diffIds: readonly Digest[]; built: readonly Digest[] },
): Uint8Array {
  const records = steps.flatMap(({ keys: [key, ...aliases], chain, description, createdAt }) => {
    const index = chain === undefined ? -1 : built.indexOf(chain)
    return index === -1 ? [] : [{ key, aliases, description, createdAt, layers: diffIds.slice(0, index + 1) }]
  })
  return encodeCacheConfig({ records }, undefined)
}
