import type { ContentStore } from '#content'
import { chainIds } from '#oci'
import type { Digest } from '#oci'
import type { ChainId, Snapshotter } from '#snapshots'
import type { ImageStore } from './image-store.ts'

/** Frees what no image needs, and knows which layers images have. */
export interface Collector {
  /** One run at a time; a call during a run asks for another. */
  collect(): Promise<void>
  /** All chains of an image, lowest first. */
  chains(id: Digest): ChainId[]
  /** Bytes of each layer that an image has, by chain id. */
  layerSizes(): Map<string, number>
}

export function createCollector(deps: { store: ImageStore; content: ContentStore; snapshotter: Snapshotter }): Collector {
  const { store, content, snapshotter } = deps
  let running: Promise<void> | undefined
  let again = false

  const chains = (id: Digest): ChainId[] => chainIds(store.config(id).rootfs.diff_ids)

  async function work(): Promise<void> {
    while (again) {
      again = false
      snapshotter.collect(new Set(store.ids().flatMap((id) => store.row(id)?.chain ?? [])))
      await content.collect(new Set([...store.ids(), ...snapshotter.blobs()]))
    }
  }

  return {
    async collect() {
      again = true
      running ??= work().finally(() => (running = undefined))
      await running
    },
    chains,
    layerSizes: () => new Map(store.ids().flatMap((id) => chains(id).map((chain) => [chain, snapshotter.layer(chain).size]))),
  }
}
