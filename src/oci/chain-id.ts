import { digestOf } from './digest.ts'
import type { Digest } from './image-spec.ts'

/** The chain id of layer `diffId` on top of `parent`. Source: image-spec v1.1.1 config.md, "Layer ChainID". */
export function chainId(parent: Digest | undefined, diffId: Digest): Digest {
  return parent === undefined ? diffId : digestOf(`${parent} ${diffId}`)
}

/** The chain id of each layer, lowest first: `result[i]` stands for `diffIds[0..i]`. */
export function chainIds(diffIds: readonly Digest[]): Digest[] {
  const chains: Digest[] = []
  for (const diffId of diffIds) chains.push(chainId(chains.at(-1), diffId))
  return chains
}
