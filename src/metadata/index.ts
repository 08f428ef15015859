/**
 * The engine's durable records: JSON documents by key in one SQLite file, the only place that opens `node:sqlite`.
 *
 * Lifecycle: `openMetadata` locks the file for this process (a second daemon on the same data root is refused), brings the schema up to
 * date by numbered migrations and hands out repositories; `close` checkpoints and unlocks. Services keep what they read often in memory
 * and write through: a put costs about 60 µs.
 *
 * Durability: WAL with synchronous=NORMAL. A killed daemon loses nothing that was put. A machine that loses power may lose the last
 * transactions, never a part of one and never the order between them; whatever must agree with a file on disk is reconciled at start. The log has its blocks
 * from the start: on a full disk, too, containers can be stopped and removed.
 *
 * Glossary: *collection*, one table of documents; *repository*, its typed face; *migration*, one step of the schema, never edited after
 * release.
 *
 * ```ts
 * using metadata = openMetadata('/var/lib/gantry/gantry.db')
 * const volumes = metadata.repository<Volume>('volumes')
 * metadata.transaction(() => {
 *   volumes.put('data', volume)
 *   settings.put('lastVolume', 'data')
 * })
 * ```
 */
export { createMemoryMetadata } from './memory-metadata.ts'
export { openMetadata } from './sqlite-metadata.ts'
export type { CollectionName, DamagedRecord, Metadata, Repository } from './types.ts'
