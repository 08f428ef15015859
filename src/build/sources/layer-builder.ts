import type { Lease } from '#content'
import { randomId } from '#lib'
import type { DraftLayers, Snapshotter } from '#snapshots'
import type { LayerRef } from '../graph/ref.ts'

/** Makes layers of files that sources write. */
export interface LayerBuilder {
  /** `write` fills the directory that it is given; what it throws passes through, and nothing is left. The lease holds the layer. */
  build(lease: Lease, write: (directory: string) => Promise<void>): Promise<LayerRef>
}

export function createLayerBuilder(deps: {
  snapshotter: Pick<DraftLayers, 'prepareStep' | 'mountStep' | 'commitStep'> & Pick<Snapshotter, 'remove'>
}): LayerBuilder {
  const { snapshotter } = deps
  return {
    async build(lease, write) {
      const key = randomId()
      await using undo = new AsyncDisposableStack()
      await snapshotter.prepareStep(key, undefined, { bare: true })
      undo.defer(() => snapshotter.remove(key))
      {
        using place = snapshotter.mountStep(key)
        await write(place.path)
      }
      const chain = await snapshotter.commitStep(key, lease)
      undo.move()
      return { kind: 'layers', chain }
    },
  }
}
