import { codeOf } from '#errors'
import { familiarString } from '#oci'
import type { Digest } from '#oci'
import type { ImageStore } from './image-store.ts'
import { createdAt, matchesLabels } from './list-images.ts'
import { removeImage } from './remove-image.ts'
import type { RemoveDeps } from './remove-image.ts'
import { variants } from './variants.ts'
import type { DeleteResult, ImageFilters } from './types.ts'

/** Removes images that nothing uses: those without a tag, or all. Source: moby daemon/images/image_prune.go. */
export function pruneImages(deps: RemoveDeps, filters: ImageFilters): DeleteResult[] {
  const { store } = deps
  const results: DeleteResult[] = []
  const owned = variants(store, deps.graph)
  for (const id of store.ids().filter((candidate) => isCandidate(store, candidate, filters))) {
    if (!store.has(id)) continue // gone with a child of its own
    const references = store.references(id)
    if (references.length === 0 && owned.has(id)) continue // goes with its owner
    const hasTag = references.some(({ digest }) => digest === undefined)
    if (hasTag && filters.dangling !== false) continue
    const names = references.length === 0 ? [id] : references.map(familiarString)
    for (const name of names) results.push(...removeUnlessUsed(deps, name))
  }
  return results
}

function isCandidate(store: ImageStore, id: Digest, filters: ImageFilters): boolean {
  // Parents without a name go with their last child.
  if (store.references(id).length === 0 && store.children(id).length > 0) return false
  if (filters.until !== undefined && createdAt(store, id) > filters.until) return false
  return matchesLabels(store, id, filters)
}

function removeUnlessUsed(deps: RemoveDeps, name: string): DeleteResult[] {
  try {
    return removeImage(deps, name, { force: false, prune: true })
  } catch (error) {
    if (codeOf(error) === 'CONFLICT' || codeOf(error) === 'NOT_FOUND') return []
    throw error
  }
}
