import type { ContentStore } from '#content'
import { chainIds } from '#oci'
import type { Digest } from '#oci'
import type { ChainId, Snapshotter } from '#snapshots'
import type { BlobPlaces } from './blob-places.ts'
import type { ImageStore } from './image-store.ts'
import type { ManifestGraph } from './manifest-graph.ts'
import type { CompressedLayers } from './push/compressed-layers.ts'

/** Frees what no image needs, and knows which layers images have. */
export interface Collector {
  /** One run at a time; a call during a run asks for another. */
  collect(): Promise<void>
  /**
   * Frees these manifests, with what only they need, although names point to them: what remains of such a name is as if they had never been fetched. What
   * must not stay (rows of images) has been deleted before, in the same turn of the event loop.
   */
  drop(manifests: ReadonlySet<Digest>): Promise<void>
  /** Digests of everything that names and images stand for, here or not. */
  reachable(): Set<Digest>
  /** All chains of an image, lowest first. */
  chains(id: Digest): ChainId[]
  /** Bytes of each layer that an image has, by chain id. */
  layerSizes(): Map<string, number>
}

export function createCollector(deps: {
  store: ImageStore
  content: ContentStore
  snapshotter: Snapshotter
  graph: ManifestGraph
  places: Pick<BlobPlaces, 'retain'>
  compressed: Pick<CompressedLayers, 'retain' | 'blobs' | 'pushed'>
  /** Chains that are kept for others than images. */
  otherChains: () => Iterable<ChainId>
}): Collector {
  const { store, content, snapshotter, graph } = deps
  let running: Promise<void> | undefined
  let again = false

  const chains = (id: Digest): ChainId[] => chainIds(store.config(id).rootfs.diff_ids)

  /** Everything that names reach is kept: documents and blobs come and go together. Nothing is decoded that was seen before. */
  function reachable(except?: ReadonlySet<Digest>): Set<Digest> {
    const found = new Set<Digest>(store.ids())
    for (const { target } of store.targets()) graph.closure(target, found, except)
    return found
  }

  /** Policy `discard`: names reach them, but their tars can be put together again; and compressed again as they were, where a push or a build has done that. */
  function spareBlobs(): Set<Digest> {
    const spare = snapshotter.spareBlobs()
    if (spare.size === 0) return spare
    const isSpare = (diffId: Digest): boolean => spare.has(snapshotter.findLayer(diffId)?.blob ?? diffId)
    return spare.union(new Set([...deps.compressed.pushed()].flatMap(([diffId, blob]) => (isSpare(diffId) ? [blob] : []))))
  }

  /** Synchronous until its first await: nothing can be stored between the decision and the deed. */
  async function free(except?: ReadonlySet<Digest>): Promise<void> {
    const own = store.ids().flatMap((id) => store.row(id)?.chain ?? [])
    snapshotter.collect(new Set([...own, ...deps.otherChains()]))
    const reached = reachable(except)
    graph.retain(reached)
    const keep = reached.difference(spareBlobs()).union(snapshotter.blobs())
    deps.compressed.retain((diffId) => snapshotter.findLayer(diffId) !== undefined)
    deps.places.retain(reached.union(keep).union(deps.compressed.blobs()))
    await content.collect(keep)
  }

  async function work(): Promise<void> {
    try {
      while (again) {
        again = false
        await free()
      }
    } finally {
      // In the same turn as the last look at `again`: who asks a moment later must not wait for a run that is over.
      running = undefined
    }
  }

  return {
    async collect() {
      again = true
      running ??= work()
      await running
    },
    drop: (manifests) => free(manifests),
    reachable: () => reachable(),
    chains,
    layerSizes: () => new Map(store.ids().flatMap((id) => chains(id).map((chain) => [chain, snapshotter.layer(chain).size]))),
  }
}
