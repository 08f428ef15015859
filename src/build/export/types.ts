/** Contracts of `build/export/`. */

import type { ContentStore } from '#content'
import type { ImageService, LayerBlob } from '#images'
import type { Files } from '#kernel'
import type { Descriptor, Digest, Platform, Reference } from '#oci'
import type { Remotes } from '#remotes'
import type { DraftLayers, Snapshotter } from '#snapshots'
import type { ProvenanceFacts } from '../provenance-facts.ts'
import type { ExportContext, ExportRequest, SolvedResult } from '../types.ts'
import type { ExportVertex } from './export-vertex.ts'
import type { ImageOptions } from './image-options.ts'
import type { Statement } from './provenance/attestation-manifest.ts'
import type { SealedResult } from './seal-result.ts'

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
  /** All that is known of how an image for this platform was made (`mode=max`), in the version that the options ask for. Throws INVALID_ARGUMENT. */
  describe(facts: ProvenanceFacts, platform: Platform): Statement
}

/** An image whose config and layers are stored. */
export interface AssembledImage {
  platform: Platform
  /** Digest of the config: the id of the image. */
  config: Digest
  configSize: number
  sealed: SealedResult
  /** Only where manifests are made. */
  layers: LayerBlob[]
  /** What a scanner has found. */
  statements: readonly Statement[]
}

export interface AssembledResult {
  /** The one for this machine, else the first: what names stand for. */
  main: AssembledImage
  images: AssembledImage[]
  /** Manifest or index of all; undefined where none was to be made. */
  target: Descriptor | undefined
  /** Each after those it lists; the target is the last. */
  manifests: Descriptor[]
  /** All that manifests name besides manifests, each once. */
  blobs: Descriptor[]
}

export interface AssembleOptions extends ImageOptions {
  /** Manifests are made and layers compressed; always for several platforms, and where attestations have to be part of the image. */
  withManifest: boolean
  /** For attestations. */
  names: readonly Reference[]
}

/** What an image is put together with. */
export interface Assembly {
  deps: ExporterDeps
  context: ExportContext
  vertex: ExportVertex
}
