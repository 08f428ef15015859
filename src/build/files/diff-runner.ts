import { invalidArgument } from '#errors'
import type { ChainId, DraftLayers, Snapshotter } from '#snapshots'
import { SCRATCH } from '../graph/ref.ts'
import type { LayerRef, Ref } from '../graph/ref.ts'
import type { DiffOp } from '../graph/types.ts'
import type { Step, StepRunner } from '../types.ts'
import { layersFrom, writeLayer } from './layers-from.ts'
import type { LayersFromDeps } from './layers-from.ts'
import { openRef } from './open-ref.ts'

export interface DiffRunnerDeps extends LayersFromDeps {
  snapshotter: LayersFromDeps['snapshotter'] & Pick<DraftLayers, 'layersOf'> & Pick<Snapshotter, 'stack' | 'view' | 'layerPaths'>
}

/**
 * Runs DiffOps. Where the upper file system was made on top of the lower one, the answer is the layers in between; else both are compared, and what differs
 * becomes a layer.
 */
export function createDiffRunner(deps: DiffRunnerDeps): StepRunner {
  return {
    async run(inputs, step) {
      const op = step.vertex.op as DiffOp
      const lower = await layersFrom(deps, inputAt(inputs, op.lower), step)
      const upper = await layersFrom(deps, inputAt(inputs, op.upper), step)
      if (lower.chain === undefined) return [upper]
      const between = upper.chain === undefined ? undefined : layersBetween(deps, lower.chain, upper.chain)
      if (between === undefined) return [await compare(deps, lower, upper, step)]
      let chain: ChainId | undefined
      for (const id of between) chain = deps.snapshotter.stack(chain, id, step.lease)
      if (chain === undefined || (await standsAlone(deps, lower, chain, step.signal))) return [{ kind: 'layers', chain }]
      return [await compare(deps, lower, upper, step)]
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
function layersBetween({ snapshotter }: DiffRunnerDeps, lower: ChainId, upper: ChainId): `sha256:${string}`[] | undefined {
  const [below, all] = [snapshotter.layersOf(lower), snapshotter.layersOf(upper)]
  return below.every(({ id }, index) => all[index]?.id === id) ? all.slice(below.length).map(({ id }) => id) : undefined
}

/**
 * Whether layers made on top of `lower` say the same on top of something else. overlayfs marks each new directory as hiding what is below, though there was
 * nothing: there is no harm in it where the layer was made, but elsewhere it would hide files.
 */
async function standsAlone(deps: DiffRunnerDeps, lower: LayerRef, chain: ChainId, signal: AbortSignal): Promise<boolean> {
  using root = openRef(deps, lower)
  const input = { lowerFd: root?.fd ?? -1, layers: deps.snapshotter.layerPaths(chain) }
  return (await deps.jobs.run({ kind: 'task', task: 'build-stands-alone', input }, { signal })) as boolean
}

async function compare(deps: DiffRunnerDeps, lower: LayerRef, upper: LayerRef, step: Step): Promise<LayerRef> {
  using below = openRef(deps, lower)
  using above = openRef(deps, upper)
  return await writeLayer(deps, step, async (rootFd) => {
    const input = { rootFd, lowerFd: below?.fd ?? -1, upperFd: above?.fd ?? -1 }
    await deps.jobs.run({ kind: 'task', task: 'build-diff', input }, { signal: step.signal })
  })
}
