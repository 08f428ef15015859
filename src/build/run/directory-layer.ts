import type { Lease } from '#content'
import { randomId } from '#lib'
import type { LayerRef, Ref } from '../graph/ref.ts'
import type { ExecOp } from '../graph/types.ts'
import { copyInto } from './copy-tree.ts'
import { targetOf } from './step-mounts.ts'
import type { RunDeps } from './types.ts'

/**
 * Inputs as the mounts of a step need them: what a client sent becomes a layer where it is the root file system, or where what is written over it is kept. Such
 * steps come from clients that define their own graphs; a Dockerfile copies first.
 */
export async function layeredInputs(
  deps: Pick<RunDeps, 'snapshotter' | 'files'>,
  op: ExecOp,
  inputs: readonly Ref[],
  { lease, signal }: { lease: Lease; signal: AbortSignal },
): Promise<Ref[]> {
  const isLayered = (input: number): boolean =>
    op.mounts.some((mount) => mount.type === 'bind' && mount.input === input && (mount.output >= 0 || targetOf(op, mount) === '/'))
  return await Promise.all(
    inputs.map(async (ref, input) => (ref.kind === 'directory' && isLayered(input) ? await asLayer(deps, ref, { lease, signal }) : ref)),
  )
}

async function asLayer(
  deps: Pick<RunDeps, 'snapshotter' | 'files'>,
  ref: Ref,
  { lease, signal }: { lease: Lease; signal: AbortSignal },
): Promise<LayerRef> {
  const { snapshotter } = deps
  const key = randomId()
  await using undo = new AsyncDisposableStack()
  await snapshotter.prepareStep(key, undefined, { bare: true })
  undo.defer(() => snapshotter.remove(key))
  {
    using place = snapshotter.mountStep(key)
    await copyInto(deps, ref, '/', place.path, signal)
  }
  return { kind: 'layers', chain: await snapshotter.commitStep(key, lease) }
}
