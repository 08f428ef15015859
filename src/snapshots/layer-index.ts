import { notFound } from '#errors'
import type { Digest } from '#oci'
import type { DraftStore } from './draft-store.ts'
import type { LayerDirectories } from './layer-directories.ts'
import type { LayerStore } from './layer-store.ts'
import type { Layer } from './types.ts'

/** Layers and drafts by what chains call them: a diff id, or a draft's id. */
export interface LayerIndex {
  has(id: Digest): boolean
  /** The directory with its files. Throws NOT_FOUND. */
  pathOf(id: Digest): string
  /** The layer itself, or the one that a draft was sealed to; undefined for a draft that is not, or not any more. */
  layerOf(id: Digest): Layer | undefined
  /** Everything that has to stay so that `id` does. */
  needs(id: Digest): Digest[]
  /** Whether `id` cannot do without the layer `diffId`. */
  standsOn(id: Digest, diffId: Digest): boolean
}

export function createLayerIndex(deps: { layers: LayerStore; drafts: DraftStore; directories: LayerDirectories }): LayerIndex {
  const { layers, drafts } = deps

  /** The layer that holds the files of a draft which has no directory of its own any more. */
  function home(id: Digest): Digest {
    const draft = drafts.find(id)
    return draft?.directory === undefined ? (draft?.sealed ?? id) : id
  }

  return {
    has: (id) => drafts.find(id)?.directory !== undefined || layers.find(home(id)) !== undefined,
    pathOf(id) {
      const own = drafts.find(id)?.directory
      return own === undefined ? layers.placeOf(home(id)).directory : deps.directories.pathOf(own)
    },
    layerOf: (id) => layers.find(drafts.find(id)?.sealed ?? id),
    needs: (id) => (home(id) === id ? [id] : [id, home(id)]),
    standsOn: (id, diffId) => home(id) === diffId,
  }
}

/** What `layer` and `findLayer` say of what has no tar. */
export function notSealed(id: Digest): Error {
  return notFound(`layer ${id}: it has no archive yet`)
}
