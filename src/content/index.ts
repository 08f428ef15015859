/**
 * Content-addressed blobs: layers as they came, configs, manifests.
 *
 * Lifecycle of a blob: `ingest` writes to a temporary file, checks digest and size, and renames to the digest; readers find whole blobs only.
 * The lease's `durable` waits until file and name are on the disk; then a row may name it. `collect` deletes what no row names. Between the two a
 * *lease* protects what is new and not yet named. After a loss of power a blob may be torn only if no image names it.
 *
 * A reader in another thread may follow a blob while it is written: `ingest` gives it to `growing`, `nextGrowth` waits for its next bytes.
 *
 * Glossary: *blob*, immutable bytes named by their sha256; *ingest*, a blob being written; *growth*, how much of it is there; *lease*, a
 * promise that the blobs it holds stay.
 *
 * ```ts
 * using lease = content.lease()
 * const blob = await content.ingest(request, { lease, digest: expected })
 * await lease.durable()
 * metadata.transaction(() => images.put(id, { config: blob.digest }))
 * // the lease ends with its block; the row keeps the blob from here on
 * ```
 */
export { createContentStore } from './content-store.ts'
export { growthOf, holdGrowing, nextGrowth } from './growing-blob.ts'
export type { Growth, GrowthState } from './growing-blob.ts'
export type { Blob, ContentStore, GrowingBlob, IngestOptions, Lease } from './types.ts'
