import { layersFrom, type LayersFromDeps } from '../files/layers-from.ts'
import type { Ref } from '../graph/ref.ts'
import type { ExecOp } from '../graph/types.ts'
import type { Step } from '../types.ts'
import { targetOf } from './step-mounts.ts'

/**
 * Inputs as the mounts of a step need them: what a client sent becomes a layer where it is the root file system, or where what is written over it is kept. Such
 * steps come from clients that define their own graphs; a Dockerfile copies first.
 */
export async function layeredInputs(
  deps: LayersFromDeps,
  op: ExecOp,
  inputs: readonly Ref[],
  step: Pick<Step, 'lease' | 'signal'>,
): Promise<Ref[]> {
  const isLayered = (input: number): boolean =>
    op.mounts.some((mount) => mount.type === 'bind' && mount.input === input && (mount.output >= 0 || targetOf(op, mount) === '/'))
  return await Promise.all(inputs.map(async (ref, input) => (isLayered(input) ? await layersFrom(deps, ref, step) : ref)))
}
