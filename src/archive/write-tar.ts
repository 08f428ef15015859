import { internal } from '#errors'
import { encodeEntry, END_OF_ARCHIVE } from './tar-encoder.ts'
import type { TarEntry } from './types.ts'

/** An entry to be written. `body` gives the data of a file: `entry.size` bytes, or with `entry.sparse` the extents one after the other. */
export interface WritableEntry {
  entry: TarEntry
  body?: AsyncIterable<Buffer> | Iterable<Buffer>
}

/** The archive of the entries, in their order. Throws INTERNAL when a body is not as long as its entry says: readers would lose their place. */
export async function* writeTar(entries: AsyncIterable<WritableEntry> | Iterable<WritableEntry>): AsyncGenerator<Buffer, void, void> {
  for await (const { entry, body } of entries) {
    const { header, padding } = encodeEntry(entry)
    yield header
    if (entry.type !== 'file') continue
    const expected = entry.sparse?.reduce((sum, extent) => sum + extent.length, 0) ?? entry.size
    let written = 0
    for await (const chunk of body ?? []) {
      written += chunk.length
      yield chunk
    }
    if (written !== expected) throw internal(`Cannot write ${entry.path} to the archive: ${written} bytes instead of ${expected}`)
    if (padding > 0) yield END_OF_ARCHIVE.subarray(0, padding)
  }
  yield END_OF_ARCHIVE
}

/** An entry from the members that differ from a plain file, owned by root, of 1970. */
export function tarEntry(members: Partial<TarEntry> & Pick<TarEntry, 'path'>): TarEntry {
  return { type: 'file', linkPath: '', mode: 0o644, uid: 0, gid: 0, size: 0, mtime: 0n, major: 0, minor: 0, xattrs: new Map(), ...members }
}
