/** Contract of the model behind the handlers: what the collector and the pull-through cache use, too. */

import type { Descriptor, Digest } from '#oci'
import type { ListOptions, StoredBlob } from '../storage/types.ts'
import type { ManifestDocument } from './manifest-document.ts'

/** What is kept beside the bytes of a manifest. */
export interface ManifestRecord {
  digest: Digest
  mediaType: string
  /** Bytes. */
  size: number
  /** The manifest that this one speaks of. */
  subject?: Digest
}

/** A descriptor with what image-spec v1.1 adds to it for referrers. */
export interface ReferrerDescriptor extends Descriptor {
  artifactType?: string
}

/** One repository. It exists as soon as something is linked in it. */
export interface Repository {
  readonly name: string
  exists(): Promise<boolean>

  /** A blob that is linked here and stored. */
  statBlob(digest: Digest): Promise<StoredBlob | undefined>
  /** The same, and keeps the collector from taking it before a manifest names it. */
  keepBlob(digest: Digest): Promise<StoredBlob | undefined>
  /** Makes a stored blob visible here. */
  linkBlob(digest: Digest): Promise<void>
  /** False when it was not linked. The bytes stay until a collection. */
  unlinkBlob(digest: Digest): Promise<boolean>
  /** Digests of the blobs linked here. */
  blobs(): AsyncIterable<Digest>

  statManifest(digest: Digest): Promise<ManifestRecord | undefined>
  /** The same, and keeps the collector from taking it before another one names it. */
  keepManifest(digest: Digest): Promise<ManifestRecord | undefined>
  /** The manifest as it was pushed. */
  readManifest(digest: Digest): Promise<{ record: ManifestRecord; bytes: Buffer } | undefined>
  /** Stores a manifest, and its tag. What it refers to is not checked, see `check-references.ts`. */
  putManifest(manifest: ManifestDocument, tag?: string): Promise<void>
  /**
   * Deletes a manifest, its tags and its place among the referrers. With `untouchedSince` (milliseconds since the epoch) only when nobody has pushed,
   * tagged or named it since. False when there was nothing to delete.
   */
  deleteManifest(digest: Digest, options?: { untouchedSince?: number }): Promise<boolean>
  manifests(): AsyncIterable<ManifestRecord>

  /** The manifest that a tag names. */
  tag(tag: string): Promise<Digest | undefined>
  /** Throws NOT_FOUND when the manifest is not in this repository. */
  putTag(tag: string, digest: Digest): Promise<void>
  /** False when there was no such tag. The manifest stays. */
  deleteTag(tag: string): Promise<boolean>
  tags(options?: ListOptions): AsyncIterable<string>
  tagsOf(digest: Digest): Promise<string[]>

  /** Manifests that have `subject` as their subject, by digest; `after` is one of these. */
  referrers(subject: Digest, options?: { after?: Digest }): AsyncIterable<ReferrerDescriptor>
}

export interface Repositories {
  /** `name` is checked (see `isRepositoryName`); nothing is made. */
  open(name: string): Repository
  /** Names of all that exist, component by component in byte order: `a`, `a/b`, `a-b`. */
  names(options?: ListOptions): AsyncIterable<string>
}

/**
 * The one way by which blobs come, are kept and go. A collection reads which blobs are in use while pushes go on; what makes this safe is that a push
 * touches each blob that it relies on, and that looking at the touch and deleting are one step here.
 */
export interface BlobKeeper {
  put(digest: Digest, bytes: Uint8Array): Promise<void>
  /** An upload becomes a blob. Throws NOT_FOUND. */
  commit(upload: string, digest: Digest): Promise<void>
  /** Touches a blob. Undefined when it is not stored. */
  keep(digest: Digest): Promise<StoredBlob | undefined>
  /** Runs `work`, while nobody can touch the blob, unless it was written or touched since `since` (milliseconds since the epoch); false then. */
  ifUntouched(digest: Digest, since: number, work: () => Promise<void>): Promise<boolean>
  /**
   * Deletes a blob unless it was written or touched since `untouchedSince` (milliseconds since the epoch). `before` runs first, while nobody can touch
   * the blob: there its links go. Returns the bytes freed; undefined when it stays or is not there.
   */
  collect(digest: Digest, options: { untouchedSince: number; before?: () => Promise<void> }): Promise<number | undefined>
}
