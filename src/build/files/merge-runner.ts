import { chainIds } from '#oci'
import type { Digest } from '#oci'
import type { ChainId } from '#snapshots'
import type { LayerRef, Ref } from '../graph/ref.ts'
import type { Step, StepRunner } from '../types.ts'
import { layersFrom } from './layers-from.ts'
import { layerBetween, standAlone } from './moved-layers.ts'
import type { MovedLayersDeps } from './moved-layers.ts'

/** Runs MergeOps: the layers of all inputs on top of each other, none of them copied unless it would hide too much. Throws CONFLICT past 125 layers. */
export function createMergeRunner(deps: MovedLayersDeps): StepRunner {
  const { snapshotter } = deps
  return {
    async run(inputs: readonly Ref[], step) {
      let merged: ChainId | undefined
      for (const input of inputs) {
        const { chain } = await layersFrom(deps, input, step)
        if (merged === undefined) merged = chain
        else if (chain !== undefined)
          for (const id of await movableLayers(deps, chain, step)) merged = snapshotter.stack(merged, id, step.lease)
      }
      if (merged !== undefined) step.lease.hold(merged)
      return [{ kind: 'layers', chain: merged }]
    },
  }
}

/** The layers of a chain, lowest first, each as it can be put on top of anything. */
async function movableLayers(deps: MovedLayersDeps, chain: ChainId, step: Step): Promise<Digest[]> {
  const { snapshotter } = deps
  const ids = snapshotter.layersOf(chain).map(({ id }) => id)
  const chains = chainIds(ids)
  const movable: Digest[] = []
  for (const [index, id] of ids.entries()) {
    const lower: LayerRef = { kind: 'layers', chain: chains[index - 1] }
    const own: LayerRef = { kind: 'layers', chain: chains[index] }
    // The lowest one was made on top of nothing, without overlayfs.
    if (own.chain === undefined || lower.chain === undefined || (await isMovable(deps, own.chain, step))) movable.push(id)
    else movable.push(...layerIds(deps, await layerBetween(deps, lower, own, step)))
  }
  return movable
}

async function isMovable(deps: MovedLayersDeps, chain: ChainId, { signal }: Step): Promise<boolean> {
  return await standAlone(deps, deps.snapshotter.layerPaths(chain).slice(0, 1), signal)
}

/** Empty where nothing is different. */
function layerIds({ snapshotter }: MovedLayersDeps, { chain }: LayerRef): Digest[] {
  return chain === undefined ? [] : snapshotter.layersOf(chain).map(({ id }) => id)
}
