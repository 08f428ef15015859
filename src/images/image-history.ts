import { chainIds, familiarString } from '#oci'
import type { Digest, Reference } from '#oci'
import type { Snapshotter } from '#snapshots'
import type { ImageStore } from './image-store.ts'
import type { ManifestGraph } from './manifest-graph.ts'
import { variants } from './variants.ts'
import type { HistoryEntry } from './types.ts'

/** How an image came about, newest step first. Source: moby daemon/images/image_history.go. */
export function imageHistory(
  deps: { store: ImageStore; graph: ManifestGraph; snapshotter: Pick<Snapshotter, 'layer'> },
  id: Digest,
): HistoryEntry[] {
  const { store, snapshotter } = deps
  const config = store.config(id)
  const chains = chainIds(config.rootfs.diff_ids)
  let layer = 0
  const entries = (config.history ?? []).map((step): HistoryEntry => {
    // A history that lists more layers than there are shows them as empty.
    const chain = step.empty_layer === true ? undefined : chains[layer++]
    return {
      id: '<missing>',
      created: Math.floor(Date.parse(step.created ?? '') / 1000) || 0,
      createdBy: step.created_by ?? '',
      tags: null,
      size: chain === undefined ? 0 : snapshotter.layer(chain).size,
      comment: step.comment ?? '',
    }
  })
  entries.reverse()
  // Parents that are images of their own (built here, step by step) have names and ids.
  let current: Digest | '' = id
  for (const entry of entries) {
    if (current === '' || !store.has(current)) break
    const tags = tagsOf(deps, current)
    entry.id = current
    entry.tags = tags.length === 0 ? null : tags.map(familiarString)
    current = store.row(current)?.parent ?? ''
  }
  return entries
}

/** Another platform of a name goes by that name. */
function tagsOf({ store, graph }: { store: ImageStore; graph: ManifestGraph }, id: Digest): Reference[] {
  const own = store.references(id)
  const owners = own.length > 0 ? [] : (variants(store, graph).get(id)?.owners ?? [])
  const owned = owners.flatMap(({ reference }) => (reference === undefined ? [] : [reference]))
  return [...own, ...owned].filter(({ digest }) => digest === undefined)
}
