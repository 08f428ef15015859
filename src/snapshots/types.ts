/** Contracts of `snapshots/`. The manual is in `index.ts`. */

import type { Readable } from 'node:stream'
import type { GrowingBlob, Lease } from '#content'
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
  /** Bytes of all files, each hard-linked file once. */
  size: number
  inodes: number
}

/** An unpacked layer. */
export interface Layer extends Usage {
  /** Digest of its uncompressed tar. */
  diffId: Digest
  /** Bytes of its uncompressed tar. */
  tarSize: number
  /** The blob it was unpacked from and can be unpacked from again; compressed or not. */
  blob: Digest
}

export interface UnpackOptions {
  /** Holds the layer until a chain that has an owner names it. */
  lease: Lease
  /** What the digest of the uncompressed tar must be; undefined: not known yet. */
  diffId?: Digest
  signal?: AbortSignal
  /** Called now and then with the bytes of the blob that have been read. */
  progress?: (read: number) => void
  /** The blob is still being ingested: it is unpacked as it grows, and nothing is entered before it is whole and verified. */
  growing?: GrowingBlob
}

/** Overlay2 layers and the writable layers on top of them. Keys of writable layers are container ids. */
export interface Snapshotter {
  /**
   * Unpacks the layer whose tar, compressed or not, is the blob `blob` of the content store. Layers do not depend on each other: any number
   * may be unpacked at once. One that is there already, or just being unpacked, is not unpacked again. Throws INVALID_ARGUMENT when the
   * archive is bad or has another digest; nothing of it is left then.
   */
  unpack(blob: Digest, options: UnpackOptions): Promise<Layer>
  /** Puts the unpacked layer `diffId` on top of `parent` (undefined: it is the lowest). Idempotent. Throws NOT_FOUND; CONFLICT past 125 layers. */
  stack(parent: ChainId | undefined, diffId: Digest, lease: Lease): ChainId
  has(chain: ChainId): boolean
  /** The topmost layer of a chain. Throws NOT_FOUND. */
  layer(chain: ChainId): Layer
  /** An unpacked layer whatever lies below it. */
  findLayer(diffId: Digest): Layer | undefined
  /** Blobs that layers were unpacked from. */
  blobs(): Set<Digest>
  /** Host paths of a chain's layers, topmost first. For `docker inspect`. Throws NOT_FOUND. */
  layerPaths(chain: ChainId): string[]
  /** Writable layer `key` over `parent` (undefined: over nothing) with the init layer between. Throws CONFLICT when the key exists. */
  prepare(key: string, parent: ChainId | undefined): Promise<void>
  /**
   * The mount of a writable layer. Throws NOT_FOUND. `volatile`: never synced; overlayfs refuses a second mount over what an earlier
   * volatile one left (its mark of a possible crash), so that mark is taken away: the machine has not crashed, or the layer would be gone.
   */
  overlay(key: string, options?: { volatile: boolean }): OverlayPlan
  /** Deletes a writable layer; idempotent. Its files go in the background. */
  remove(key: string): Promise<void>
  usage(key: string): Promise<Usage>
  /** What the writable layer changes against image and init layer, sorted by path. */
  changes(key: string): Promise<Change[]>
  /** The writable layer as an OCI layer tar (whiteouts included). */
  diff(key: string): Readable
  /** The layer tar that `chain`'s topmost layer was unpacked from, uncompressed, byte for byte. Used by save and push. */
  layerTar(chain: ChainId): Readable
  /**
   * A detached, read-only mount of an image's merged layers, reachable at `path` (below /proc/self/fd) from this process only and gone
   * when disposed. For copy-up, user look-up, export.
   */
  view(target: { chain: ChainId } | { key: string }): Disposable & { path: string; fd: number }
  /** Deletes chains and layers that nobody needs: not in `used` or below one that is, not below a writable layer, not held by a lease. */
  collect(used: ReadonlySet<ChainId>): void
  /** Reconciles directories with rows after a crash. `keys`: writable layers that still have an owner. Before anything else is called. */
  restore(keys: ReadonlySet<string>): Promise<void>
  /** Waits for background deletions; for tests and an orderly end. */
  settled(): Promise<void>
}
