/**
 * Check and repair of the store: what lies below the data root against what the records say, down to every byte of every file.
 *
 * Lifecycle: made once by the daemon, `run` by `gantry system fsck`. A run goes from what others build on to what is built on it: database,
 * blobs, layers, records, leftovers; each is repaired before the next is looked at. It runs beside everything else: hashing and comparing are
 * done by background workers, what is just being made or held by a lease is passed over, and nothing that somebody uses is taken away.
 *
 * What is repaired: a layer whose files were changed is unpacked again from its blob (a running container keeps the old files until it ends); a damaged
 * blob is given up; records of what is lost are removed, and the names that have to be pulled again are said; files that belong to
 * nothing are deleted. What only the user can decide is left alone: containers, volumes, their data.
 *
 * Glossary: *finding*, one thing that is wrong; *note*, one that disturbs nothing that runs; *lost*, to be pulled or loaded again.
 *
 * ```ts
 * const report = await fsck.run({ repair: true, report: (event) => stream.write(event) })
 * if (!report.clean) exitCode = 1
 * ```
 */
export { createFsck } from './create-fsck.ts'
export type { FsckDeps } from './run.ts'
export type { Finding, FindingKind, FindingOutcome, Fsck, FsckEvent, FsckOptions, FsckPhase, FsckReport } from './types.ts'
