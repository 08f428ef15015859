/**
 * Tar and its compressions as codecs: bytes to entries and back. Touches no file system; `snapshots/` does, with what this module decodes.
 *
 * Lifecycle of reading: bytes → `decompress` → either `readTar` (one entry after the other, consumer may wait) or a `TarDecoder` fed by
 * hand (synchronous; for workers that write files). Of writing: entries with bodies → `writeTar` → bytes.
 *
 * Archives come from strangers. Decoding refuses what would cost memory (sizes of extended headers, lengths of names, sparse maps: see
 * `TarLimits`), what is inconsistent, and what breaks off. It does not judge names: `../x` and `/x` are reported as they are.
 *
 * Glossary: *entry*, one file of an archive with its metadata; *extent*, a stretch of a sparse file that holds data; *PAX*, POSIX's
 * extended headers; *expansion limit*, how far compressed input may grow.
 *
 * ```ts
 * const { chunks } = await decompress(request)
 * for await (const { entry, body } of readTar(chunks)) {
 *   if (entry.path === 'manifest.json') manifest = await collect(body)
 * }
 * ```
 */
export { batched } from './batched.ts'
export { decompress, DEFAULT_EXPANSION_LIMIT, detectCompression } from './compression.ts'
export type { Compression, ExpansionLimit } from './compression.ts'
export { decodeName, encodeName, systemPath } from './file-name.ts'
export { readTar } from './read-tar.ts'
export type { StreamedEntry } from './read-tar.ts'
export { createTarDecoder } from './tar-decoder.ts'
export type { TarDecoder } from './tar-decoder.ts'
export { encodeEntry, END_OF_ARCHIVE } from './tar-encoder.ts'
export { DEFAULT_TAR_LIMITS } from './types.ts'
export type { Extent, TarEntry, TarEntryType, TarEvent, TarLimits } from './types.ts'
export { tarEntry, writeTar } from './write-tar.ts'
export type { WritableEntry } from './write-tar.ts'
