import type { DraftLayers, Snapshotter } from '#snapshots'
import type { LayerRef } from '../graph/ref.ts'
import type { Step } from '../types.ts'
import { writeLayer } from './layers-from.ts'
import type { LayersFromDeps } from './layers-from.ts'
import { openRef } from './open-ref.ts'

/** For layers that are put on top of something else than what they were made on. */
export interface MovedLayersDeps extends LayersFromDeps {
  snapshotter: LayersFromDeps['snapshotter'] & Pick<DraftLayers, 'layersOf'> & Pick<Snapshotter, 'stack' | 'view' | 'layerPaths'>
}

/**
 * Whether layers (directories of overlayfs) say the same on top of something else than what they were made on. Before Linux 5.14 overlayfs marks each new directory
 * as hiding what is below, though there was nothing: there is no harm in it where the layer was made, but elsewhere it would hide files.
 */
export async function standAlone({ jobs }: MovedLayersDeps, layers: readonly string[], signal: AbortSignal): Promise<boolean> {
  return (await jobs.run({ kind: 'task', task: 'build-stands-alone', input: { layers } }, { signal })) as boolean
}

/** A layer of what has to be put on top of `lower` to get `upper`, found by comparing them. It says the same wherever it lies. */
export async function layerBetween(
  deps: MovedLayersDeps,
  lower: LayerRef,
  upper: LayerRef,
  step: Pick<Step, 'lease' | 'signal'>,
): Promise<LayerRef> {
  using below = openRef(deps, lower)
  using above = openRef(deps, upper)
  return await writeLayer(deps, step, async (rootFd) => {
    const input = { rootFd, lowerFd: below?.fd ?? -1, upperFd: above?.fd ?? -1 }
    await deps.jobs.run({ kind: 'task', task: 'build-diff', input }, { signal: step.signal })
  })
}
