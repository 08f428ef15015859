import type { ContentStore } from '#content'
import type { Digest } from '#oci'
import type { Snapshotter } from '#snapshots'
import type { ImageStore } from './image-store.ts'
import type { ManifestGraph } from './manifest-graph.ts'
import type { ImageDiskUsage } from './types.ts'

/** A layer's directory or a blob. One is named by its diff id, the other by its digest; for an uncompressed blob they are the same. */
type Part = `layer ${Digest}` | `blob ${Digest}`

/** What images take of the disk: directories of layers and all blobs, each once however many images have it. */
export async function measureImages(deps: {
  store: ImageStore
  content: ContentStore
  snapshotter: Snapshotter
  graph: ManifestGraph
}): Promise<ImageDiskUsage> {
  const layers = await deps.snapshotter.diskUsage()
  const blobs = deps.content.diskUsage()
  const sizes = new Map<Part, number>()
  for (const [diffId, size] of layers.layers) sizes.set(`layer ${diffId}`, size)
  for (const [digest, size] of blobs.blobs) sizes.set(`blob ${digest}`, size)
  const parts = new Map(deps.store.ids().map((id) => [id, partsOf(deps, id)]))
  const owners = new Map<Part, number>()
  for (const of of parts.values()) for (const part of of) owners.set(part, (owners.get(part) ?? 0) + 1)
  const sum = (of: Iterable<Part>): number => Iterator.from(of).reduce((total, part) => total + (sizes.get(part) ?? 0), 0)
  const owned = sum(owners.keys())
  return {
    // What nobody owns is there, too: blobs of a pull that goes on, init layers.
    total: sum(sizes.keys()) + layers.other + blobs.other,
    of(id) {
      const own = parts.get(id) ?? new Set()
      return { size: sum(own), shared: sum([...own].filter((part) => (owners.get(part) ?? 0) > 1)) }
    },
    reclaimable: (active) => owned - sum([...active].reduce((used, id) => used.union(parts.get(id) ?? new Set()), new Set<Part>())),
  }
}

function partsOf({ store, graph, snapshotter }: Parameters<typeof measureImages>[0], id: Digest): Set<Part> {
  const digests = new Set<Digest>([id])
  for (const { image, target } of store.targets()) if (image === id) for (const digest of closureOf(graph, target)) digests.add(digest)
  const parts = new Set<Part>()
  for (const diffId of store.config(id).rootfs.diff_ids) {
    parts.add(`layer ${diffId}`)
    const blob = snapshotter.findLayer(diffId)?.blob
    if (blob !== undefined) digests.add(blob)
  }
  for (const digest of digests) parts.add(`blob ${digest}`)
  return parts
}

function closureOf(graph: ManifestGraph, target: Parameters<ManifestGraph['closure']>[0]): Set<Digest> {
  const found = new Set<Digest>()
  graph.closure(target, found)
  return found
}
