import { compileReferencePattern } from '#oci'
import type { Digest } from '#oci'
import { describeImage } from './describe-image.ts'
import { findImage } from './find-image.ts'
import type { ImageStore } from './image-store.ts'
import type { ManifestGraph } from './manifest-graph.ts'
import { variants } from './variants.ts'
import type { Image, ImageFilters } from './types.ts'

/**
 * Images, newest first. Without `all`, those that exist only as parents of others are left out; always those that belong to another name's
 * target. Source: moby daemon/images/images.go, Images.
 */
export function listImages(store: ImageStore, graph: ManifestGraph, options: { all: boolean; filters: ImageFilters }): Image[] {
  const { filters } = options
  const createdBetween = creationFilter(store, filters)
  const patterns = filters.reference.map(compileReferencePattern)
  const owned = variants(store, graph)
  const images: Image[] = []
  for (const id of store.ids()) {
    if (!createdBetween(id) || !matchesLabels(store, id, filters)) continue
    const all = store.namesOf(id)
    if (all.length === 0 && owned.has(id)) continue
    const names = all.filter(({ reference }) => patterns.length === 0 || patterns.some((matches) => matches(reference)))
    const image = describeImage(store, id, names)
    const hasChildren = store.children(id).length > 0
    if (names.length === 0) {
      if (!options.all && hasChildren) continue
      if (filters.dangling === false || patterns.length > 0) continue
      if (filters.dangling === true && hasChildren) continue
    } else if (filters.dangling === true && image.repoTags.length > 0) continue
    images.push(image)
  }
  return images.sort((a, b) => createdAt(store, b.id) - createdAt(store, a.id))
}

/** Strictly between the images named by `since` and `before`, and before `until`. Throws NOT_FOUND. */
function creationFilter(store: ImageStore, filters: ImageFilters): (id: Digest) => boolean {
  const before = filters.before === undefined ? Infinity : createdAt(store, findImage(store, filters.before))
  const since = filters.since === undefined ? -Infinity : createdAt(store, findImage(store, filters.since))
  const until = filters.until ?? Infinity
  return (id) => createdAt(store, id) < before && createdAt(store, id) > since && createdAt(store, id) < until
}

export function createdAt(store: ImageStore, id: Digest): number {
  return store.row(id)?.created ?? 0
}

/** All of `label`, none of `labelNot`; each `key` or `key=value`. */
export function matchesLabels(store: ImageStore, id: Digest, filters: Pick<ImageFilters, 'label' | 'labelNot'>): boolean {
  const labels = store.config(id).config?.Labels ?? {}
  const matches = (filter: string): boolean => {
    const equals = filter.indexOf('=')
    return equals < 0 ? Object.hasOwn(labels, filter) : labels[filter.slice(0, equals)] === filter.slice(equals + 1)
  }
  return filters.label.every(matches) && !filters.labelNot.some(matches)
}
