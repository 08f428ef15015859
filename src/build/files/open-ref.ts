import type { Files } from '#kernel'
import type { Snapshotter } from '#snapshots'
import type { Ref } from '../graph/ref.ts'

/** The root of a file system for reading; undefined for the empty one. */
export function openRef(
  deps: { snapshotter: Pick<Snapshotter, 'view'>; files: Pick<Files, 'openRoot'> },
  ref: Ref,
): (Disposable & { fd: number }) | undefined {
  if (ref.kind === 'directory') return deps.files.openRoot(ref.path)
  return ref.chain === undefined ? undefined : deps.snapshotter.view({ chain: ref.chain })
}
