import type { ChainId, DraftLayers, Snapshotter } from '#snapshots'
import type { Ref } from '../graph/ref.ts'
import type { StepRunner } from '../types.ts'
import { layersFrom } from './layers-from.ts'
import type { LayersFromDeps } from './layers-from.ts'

/** Runs MergeOps: the layers of all inputs on top of each other, none of them copied. Throws CONFLICT past 125 layers. */
export function createMergeRunner(
  deps: LayersFromDeps & { snapshotter: Pick<DraftLayers, 'layersOf'> & Pick<Snapshotter, 'stack'> },
): StepRunner {
  const { snapshotter } = deps
  return {
    async run(inputs: readonly Ref[], step) {
      let merged: ChainId | undefined
      for (const input of inputs) {
        const { chain } = await layersFrom(deps, input, step)
        if (merged === undefined) merged = chain
        else if (chain !== undefined) for (const { id } of snapshotter.layersOf(chain)) merged = snapshotter.stack(merged, id, step.lease)
      }
      if (merged !== undefined) step.lease.hold(merged)
      return [{ kind: 'layers', chain: merged }]
    },
  }
}
