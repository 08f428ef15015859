/** Contracts of `metadata/`. The manual is in `index.ts`. */

/** The collections there are; each is a table made by a numbered migration. Keys are ids unless said otherwise. */
export type CollectionName =
  | 'containers'
  | 'networks'
  | 'endpoints'
  | 'volumes'
  | 'images'
  /** Key: full reference `docker.io/library/alpine:3` or `…@sha256:…`; value: where it points. */
  | 'references'
  /** Key: diff id; what is unpacked. */
  | 'layers'
  /** Key: a draft's id; layers that build steps have left and that are no tars yet. */
  | 'drafts'
  /** Key: chain id; which layers lie on each other. */
  | 'chains'
  /** Key: chain id, `scratch` for none; directories with the mount points that an image lacks. */
  | 'initLayers'
  /** Key: writable layer key. */
  | 'snapshots'
  /** Key: digest of a blob; repositories of registries that are known to have it. */
  | 'blobPlaces'
  /** Key: diff id; the blob that the layer becomes when it is compressed for a push. */
  | 'compressedLayers'
  /** Key: a record's id; results of build steps. */
  | 'buildCache'
  /** Key: a cache mount's id; directories that steps of builds use in turn. */
  | 'cacheMounts'
  /** Key: a build's id; what clients of BuildKit are told of builds that have ended. */
  | 'buildHistory'
  /** Single values of the daemon, e.g. `id`, `migratedFrom`. */
  | 'settings'

/** JSON documents by key. Calls are synchronous (58 µs in WAL mode); a put replaces. Documents come back as fresh copies. */
export interface Repository<T> {
  get(key: string): T | undefined
  put(key: string, value: T): void
  /** An absent key is fine. */
  delete(key: string): void
  /** In order of first insertion; a key that was deleted and put again counts as new. */
  all(): { key: string; value: T }[]
}

export interface DamagedRecord {
  collection: string
  key: string
}

export interface Metadata extends Disposable {
  repository<T>(name: CollectionName): Repository<T>
  /**
   * All puts and deletes inside happen together or not at all. `change` is synchronous: one that returns a promise is rolled back and
   * refused, because its later writes would fall outside. May be nested; an inner one that throws undoes only itself. Throws CANCELLED after
   * `close`.
   */
  transaction<T>(change: () => T): T
  /** What SQLite's own check of the file complains of; empty when it is sound. Reads the whole file: milliseconds per MiB. */
  integrity(): string[]
  /** Records that were found to be no JSON at an open, and were set aside so that the rest can be worked with. */
  damaged(): DamagedRecord[]
  /** Forgets one of them for good. */
  forgetDamaged(record: DamagedRecord): void
  /** Idempotent. */
  close(): void
}
