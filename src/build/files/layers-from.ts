import { randomUUID } from 'node:crypto'
import type { Files } from '#kernel'
import type { DraftLayers, JobRunner, Snapshotter } from '#snapshots'
import { PLAIN_COPY } from '../graph/plain-copy.ts'
import type { LayerRef, Ref } from '../graph/ref.ts'
import type { Step } from '../types.ts'
import type { PreparedAction } from './actions.ts'

export interface LayersFromDeps {
  snapshotter: Pick<DraftLayers, 'prepareStep' | 'mountStep' | 'commitStep'> & Pick<Snapshotter, 'remove'>
  files: Files
  jobs: JobRunner
}

/** All of a file system, as it is. */
const WHOLE: Omit<PreparedAction & { action: 'copy' }, 'fromFd'> = {
  ...PLAIN_COPY,
  source: '/',
  target: '/',
  owner: undefined,
  directoryContentsOnly: true,
  createTargetParents: true,
}

/** Copies the directory `path` into the root that is open as `rootFd`, in a worker thread. */
export async function copyDirectory(
  { files, jobs }: Omit<LayersFromDeps, 'snapshotter'>,
  path: string,
  rootFd: number,
  signal: AbortSignal,
): Promise<void> {
  using from = files.openRoot(path)
  await jobs.run({ kind: 'task', task: 'build-file-action', input: { rootFd, action: { ...WHOLE, fromFd: from.fd } } }, { signal })
}

/** The same file system as layers: a directory becomes one. */
export async function layersFrom(deps: LayersFromDeps, ref: Ref, step: Pick<Step, 'lease' | 'signal'>): Promise<LayerRef> {
  if (ref.kind === 'layers') return ref
  return await writeLayer(deps, step, async (rootFd) => await copyDirectory(deps, ref.path, rootFd, step.signal))
}

/** A layer over nothing, of what `write` puts into the root that it is given. */
export async function writeLayer(
  { snapshotter }: LayersFromDeps,
  { lease }: Pick<Step, 'lease'>,
  write: (rootFd: number) => Promise<void>,
): Promise<LayerRef> {
  const key = `build-${randomUUID()}`
  await using undo = new AsyncDisposableStack()
  undo.defer(() => snapshotter.remove(key))
  await snapshotter.prepareStep(key, undefined, { bare: true })
  {
    using root = snapshotter.mountStep(key)
    await write(root.fd)
  }
  const chain = await snapshotter.commitStep(key, lease)
  undo.move()
  return { kind: 'layers', chain }
}
