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

export interface DiskUsage extends Usage {
  /** Bytes that files and directories take of the disk: whole blocks, holes not counted, what is hard-linked once. */
  disk: number
}

/** An unpacked layer. */
export interface Layer extends Usage {
  /** Digest of its uncompressed tar. */
  diffId: Digest
  /** Bytes of its uncompressed tar. */
  tarSize: number
  /** The blob it was unpacked from and can be unpacked from again; compressed or not. Without `recipe` it is kept, else it may be gone. */
  blob: Digest
  /** The tar can be put together again from the files. False: a recipe would be no smaller than half of the blob. */
  recipe?: boolean
}

/** What became of comparing a layer's files with its tar. */
export interface LayerVerdict {
  /** `missing`: there is no directory; `unknown`: there is nothing to compare it with. */
  state: 'whole' | 'damaged' | 'missing' | 'unknown'
  /** For people: the first differences, `/etc/passwd has other content`. */
  differences: string[]
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
   * may be unpacked at once. One that is there already, or just being unpacked, is not unpacked again, unless its digest is only promised: of a
   * blob that grows it may be known at the end only. Throws INVALID_ARGUMENT when the archive is bad or has another digest; nothing of it is left
   * then.
   */
  unpack(blob: Digest | Promise<Digest>, options: UnpackOptions): Promise<Layer>
  /** Puts the unpacked layer `diffId` on top of `parent` (undefined: it is the lowest). Idempotent. Throws NOT_FOUND; CONFLICT past 125 layers. */
  stack(parent: ChainId | undefined, diffId: Digest, lease: Lease): ChainId
  has(chain: ChainId): boolean
  /** The topmost layer of a chain. Throws NOT_FOUND. */
  layer(chain: ChainId): Layer
  /** An unpacked layer whatever lies below it. */
  findLayer(diffId: Digest): Layer | undefined
  /** Blobs that layers were unpacked from and need for `layerTar`. */
  blobs(): Set<Digest>
  /** Blobs that layers were unpacked from and can do without; empty unless layer blobs are to be discarded. */
  spareBlobs(): Set<Digest>
  /** Host paths of a chain's layers, topmost first. For `docker inspect`. Throws NOT_FOUND. */
  layerPaths(chain: ChainId): string[]
  /** Writable layer `key` over `parent` (undefined: over nothing) with the init layer between. Throws CONFLICT when the key exists. */
  prepare(key: string, parent: ChainId | undefined): Promise<void>
  /**
   * The mount of a writable layer. Throws NOT_FOUND. `volatile`: never synced; overlayfs refuses a second mount over what an earlier
   * volatile one left (its mark of a possible crash), so that mark is taken away: the machine has not crashed, or the layer would be gone.
   */
  overlay(key: string, options?: { volatile: boolean }): OverlayPlan
  /** A read-only mount of an image's merged layers. Throws NOT_FOUND. */
  imageOverlay(chain: ChainId): OverlayPlan
  /** Deletes a writable layer; idempotent. Its files go in the background. */
  remove(key: string): Promise<void>
  /** What a writable layer holds; `disk` with the directories that overlayfs needs besides. Throws NOT_FOUND. */
  usage(key: string): Promise<DiskUsage>
  /**
   * Bytes that layers take of the disk, by diff id; drafts that have a directory of their own, by id; and what belongs to none (init layers, directories of
   * the store). Measured once for each layer.
   */
  diskUsage(): Promise<{ layers: Map<Digest, number>; drafts: Map<Digest, number>; other: number }>
  /** What the writable layer changes against image and init layer, sorted by path. */
  changes(key: string): Promise<Change[]>
  /** The writable layer as an OCI layer tar (whiteouts included); all of it, although the layer is removed meanwhile. Throws NOT_FOUND. */
  diff(key: string): Readable
  /**
   * The layer tar that `chain`'s topmost layer was unpacked from, uncompressed, byte for byte. Used by save and push. The stream fails with DATA_LOSS
   * when blob and recipe are gone or damaged, at its end at the latest.
   */
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

/** Looking after layers: for `fsck` and `system df`. */
export interface LayerCare {
  layers(): Layer[]
  /** Compares a layer's files with its tar, in the background. NOT_FOUND when it is gone meanwhile. */
  verify(diffId: Digest, options?: { signal?: AbortSignal }): Promise<LayerVerdict>
  /**
   * Unpacks a layer again from its blob. The old directory stays as long as the writable layers `mounted` may need it (see `release`): an overlay goes on
   * with the directories that it was mounted with. Throws DATA_LOSS when there is no good blob; nothing has changed then.
   */
  repair(diffId: Digest, options: { mounted: ReadonlySet<string>; signal?: AbortSignal }): Promise<void>
  /** Deletes directories from before a repair, except those that one of these writable layers was mounted over. */
  release(mounted: ReadonlySet<string>): void
  /** Gives up a layer that is lost, with the chains that it is part of. */
  forget(diffId: Digest): void
  /** Chains with a parent or a layer that is not there; topmost last. */
  brokenChains(): { chain: ChainId; lacks: Digest }[]
  forgetChain(chain: ChainId): void
  /** Init layers whose directory is gone, by the chain that they lie on. */
  brokenInits(): string[]
  /** Lets an init layer be made anew for the next container. */
  forgetInit(chain: string): void
  /** Writable layers that lie above a layer. */
  usersOf(diffId: Digest): string[]
  /** Writable layers by key, with what they are over and whether their directories are there. */
  snapshots(): { key: string; parent?: ChainId; isWhole: boolean }[]
  /** Files and directories that no row names and nothing that goes on is making; absolute. */
  leftovers(): string[]
  /** Takes one of them away. */
  discard(leftover: string): void
}

/**
 * Layers that are not tars yet: what build steps leave. A *draft* is a writable layer that has been made immutable where it lies, without being read; it is
 * used like any other layer and may be stacked anywhere. Its tar, and with it its diff id, is made when somebody needs it: `seal`.
 */
export interface DraftLayers {
  /** As {@link Snapshotter.prepare}; `bare`: without init layer, for what no program runs in. */
  prepareStep(key: string, parent: ChainId | undefined, options: { bare: boolean }): Promise<void>
  /**
   * A detached mount of a writable layer, to be written to by this process only, at `path` (below /proc/self/fd). Never synced. `upperFd`: the directory in which
   * overlayfs puts what is written; absent: `fd` is that itself.
   */
  mountStep(key: string): Disposable & { path: string; fd: number; upperFd?: number }
  /**
   * The writable layer `key`, over which nothing is mounted any more, becomes a draft on top of what it was prepared on; one that is empty becomes no layer: the
   * parent is the answer then. The key is gone. The lease holds the chain.
   */
  commitStep(key: string, lease: Lease): Promise<ChainId | undefined>
  /** Layers of a chain, lowest first. A draft's `id` may be stacked (`Snapshotter.stack`) as a diff id may. `sealed`: diff id of the layer it has become, too. */
  layersOf(chain: ChainId): { id: Digest; isDraft: boolean; sealed?: Digest }[]
  /**
   * The same chain made of layers with diff ids: each draft is packed into a blob in a worker and becomes an ordinary layer in the directory where it lies. Steps
   * that go on over the drafts notice nothing. What is sealed already costs nothing; equal calls share the work. `rewriteTimestamp`: milliseconds since the
   * epoch, later times of files become it; the result is then another layer, unpacked anew.
   */
  seal(
    chain: ChainId,
    options: { lease: Lease; signal?: AbortSignal; rewriteTimestamp?: number; progress?: (bytes: number) => void },
  ): Promise<ChainId>
  /** Bytes of a chain's topmost layer, measured once. */
  draftUsage(chain: ChainId): Promise<Usage>
}
