import type { Lease } from '#content'
import { writeLayer } from '../files/layers-from.ts'
import type { LayersFromDeps } from '../files/layers-from.ts'
import type { LayerRef } from '../graph/ref.ts'

/** Makes layers of files that sources write. */
export interface LayerBuilder {
  /** `write` fills the directory that is open as `fd`; what it throws passes through, and nothing is left. The lease holds the layer. */
  build(lease: Lease, write: (fd: number) => Promise<void>): Promise<LayerRef>
}

export function createLayerBuilder(deps: LayersFromDeps): LayerBuilder {
  return { build: (lease, write) => writeLayer(deps, { lease }, write) }
}
