/** Contracts of `build/export/`. */

import type { ContentStore } from '#content'
import type { ImageService } from '#images'
import type { Files } from '#kernel'
import type { Remotes } from '#remotes'
import type { DraftLayers, Snapshotter } from '#snapshots'
import type { ExportContext, ExportRequest, SolvedResult } from '../types.ts'

export interface ExporterDeps {
  content: ContentStore
  snapshotter: Snapshotter & DraftLayers
  images: Pick<ImageService, 'enter' | 'layerBlob' | 'upload'>
  remotes: Pick<Remotes, 'repository'>
  files: Files
  /** Names this engine in provenance; empty: nothing does. */
  builderId: string
}

/** An export whose attributes have been read. */
export interface PreparedExport {
  /** As progress displays show it: `exporting to image`. */
  readonly name: string
  /** Gives the answers for the client: `containerimage.digest` … Throws what was wrong with the result, the store or the registry. */
  export(result: SolvedResult, context: ExportContext): Promise<Record<string, string>>
}

export interface Exporters {
  /**
   * Reads attributes, before anything is built. `options` are the frontend's: epoch and provenance are asked for there. Throws INVALID_ARGUMENT,
   * NOT_IMPLEMENTED.
   */
  prepare(request: ExportRequest, options: Readonly<Record<string, string>>): PreparedExport
}
