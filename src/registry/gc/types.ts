/** Contracts of the collector. */

import type { RegistryLog } from '../types.ts'

export interface CollectOptions {
  /** Manifests that no tag, no index and no subject keeps go, too. */
  deleteUntagged: boolean
  /** Only count. */
  dryRun: boolean
  /** Milliseconds for which what is new or was touched is left alone. */
  grace: number
  /** Manifests that were not asked for in so many milliseconds go with their tags: the content of a cache. */
  expireAfter?: number
  signal?: AbortSignal
  /** Told about every manifest and blob that goes (or would go). */
  removed?: (what: { kind: 'manifest'; repository: string; digest: string } | { kind: 'blob'; digest: string; size: number }) => void
}

export interface CollectReport {
  /** Looked at. */
  repositories: number
  manifests: number
  blobs: number
  /** Removed. */
  deletedManifests: number
  deletedBlobs: number
  /** Bytes of the blobs that were removed. */
  freed: number
}

export interface Collector {
  /** One collection at a time; another call waits. Throws CONFLICT when somebody else collects on the same storage. */
  collect(options: CollectOptions): Promise<CollectReport>
  /** Gives up uploads that began before `before` (milliseconds since the epoch). Returns their number. */
  purgeUploads(options: { before: number; dryRun: boolean; log: RegistryLog }): Promise<number>
}
