import type { ChainId } from '#snapshots'

/** A file system that a vertex gave. Not owned: the lease of the build keeps it. */
export type Ref = LayerRef | DirectoryRef

/** Layers of the snapshotter, some of them perhaps still drafts. */
export interface LayerRef {
  readonly kind: 'layers'
  /** undefined: empty. */
  readonly chain: ChainId | undefined
}

/** What a client sent: a directory on the host that stays as it is while the build uses it. */
export interface DirectoryRef {
  readonly kind: 'directory'
  readonly path: string
  /** Names this very content for caches of digests; changes when a file changes. */
  readonly generation: string
  /** To be called when the build that asked for it has ended; else it counts as used until its client is gone. Idempotent. */
  readonly release?: () => void
}

export const SCRATCH: LayerRef = { kind: 'layers', chain: undefined }
