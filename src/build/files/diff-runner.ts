import { invalidArgument } from '#errors'
import type { ChainId } from '#snapshots'
import { SCRATCH } from '../graph/ref.ts'
import type { Ref } from '../graph/ref.ts'
import type { DiffOp } from '../graph/types.ts'
import type { StepRunner } from '../types.ts'
import { layersFrom } from './layers-from.ts'
import { layerBetween, standAlone } from './moved-layers.ts'
import type { MovedLayersDeps } from './moved-layers.ts'

/**
 * Runs DiffOps. Where the upper file system was made on top of the lower one, the answer is the layers in between; else both are compared, and what differs
 * becomes a layer.
 */
export function createDiffRunner(deps: MovedLayersDeps): StepRunner {
  return {
    async run(inputs, step) {
      const op = step.vertex.op as DiffOp
      const lower = await layersFrom(deps, inputAt(inputs, op.lower), step)
      const upper = await layersFrom(deps, inputAt(inputs, op.upper), step)
      if (lower.chain === undefined) return [upper]
      const between = upper.chain === undefined ? undefined : layersBetween(deps, lower.chain, upper.chain)
      if (between === undefined) return [await layerBetween(deps, lower, upper, step)]
      let chain: ChainId | undefined
      for (const id of between) chain = deps.snapshotter.stack(chain, id, step.lease)
      if (chain === undefined || (await standAlone(deps, deps.snapshotter.layerPaths(chain), step.signal)))
        return [{ kind: 'layers', chain }]
      return [await layerBetween(deps, lower, upper, step)]
    },
  }
}

function inputAt(inputs: readonly Ref[], index: number): Ref {
  if (index === -1) return SCRATCH
  const input = inputs[index]
  if (input === undefined) throw invalidArgument(`invalid input index ${index}, ${inputs.length} provided`)
  return input
}

/** What lies on top of `lower` in `upper`; undefined: it is something else that lies below. */
function layersBetween({ snapshotter }: MovedLayersDeps, lower: ChainId, upper: ChainId): `sha256:${string}`[] | undefined {
  const [below, all] = [snapshotter.layersOf(lower), snapshotter.layersOf(upper)]
  return below.every(({ id }, index) => all[index]?.id === id) ? all.slice(below.length).map(({ id }) => id) : undefined
}
