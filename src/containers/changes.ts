import type { Change } from '#snapshots'
import type { Context } from './context.ts'

/** `docker diff`: what the container has changed in its own layer, sorted by path. Volumes are not part of it. */
export async function containerChanges({ store, deps }: Context, ref: string): Promise<Change[]> {
  return await deps.snapshotter.changes(store.find(ref).id)
}
