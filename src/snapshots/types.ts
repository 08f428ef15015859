/** Contracts of `snapshots/`. The manual is in `index.ts`. */

import type { Readable } from 'node:stream'
import type { Digest } from '#oci'
import type { OverlayPlan } from '#kernel'

/** Identifies a stack of unpacked layers. Source: image-spec v1.1.1 config.md, "Layer ChainID". */
export type ChainId = Digest

export type ChangeKind = 'modified' | 'added' | 'deleted'

export interface Change {
  /** Absolute inside the root. */
  path: string
  kind: ChangeKind
}

export interface Usage {
  /** Bytes on disk of this layer alone. */
  size: number
  inodes: number
}

/** Overlay2 layers and the writable layers on top of them. Keys of writable layers are container ids. */
export interface Snapshotter {
  /**
   * Unpacks one layer below `parent` (undefined for the first). The stream is an uncompressed tar; its sha256 must be `diffId` or the
   * layer is thrown away with INVALID_ARGUMENT. Returns the chain id. A chain that is there already drains nothing and returns at once.
   */
  unpack(parent: ChainId | undefined, diffId: Digest, tar: Readable, options?: { signal?: AbortSignal }): Promise<ChainId>
  has(chain: ChainId): boolean
  /** Writable layer `key` over `parent` (undefined: over nothing) with the init layer between. Throws CONFLICT when the key exists. */
  prepare(key: string, parent: ChainId | undefined): Promise<void>
  /** The mount of a writable layer. Throws NOT_FOUND. */
  overlay(key: string): OverlayPlan
  /** Deletes a writable layer; idempotent. */
  remove(key: string): Promise<void>
  usage(key: string): Promise<Usage>
  /** Bytes of one image layer, as unpacked. */
  layerUsage(chain: ChainId): Usage
  /** What the writable layer changes against image and init layer, sorted by path. */
  changes(key: string): Promise<Change[]>
  /** The writable layer as an OCI layer tar (whiteouts included). */
  diff(key: string): Readable
  /** The difference that image layer `chain` adds, as the layer tar it was unpacked from, byte for byte. Used by save and push. */
  layerTar(chain: ChainId): Readable
  /**
   * A detached, read-only mount of an image's merged layers, reachable at `path` (below /proc/self/fd) from this process only and gone
   * when disposed. For copy-up, user look-up, export.
   */
  view(target: { chain: ChainId } | { key: string }): Disposable & { path: string; fd: number }
  /** Layers no image or container needs are deleted. `used`: chains to keep with all their parents. */
  collect(used: ReadonlySet<ChainId>): Promise<void>
  /** Reconciles directories with rows after a crash. `keys`: writable layers that still have an owner. */
  restore(keys: ReadonlySet<string>): Promise<void>
}
