import { tarEntry } from '#archive'
import type { TarEntryType, WritableEntry } from '#archive'
import type { FileStat } from '../../session.ts'
import { isHardLink } from './combine-trees.ts'
import type { ExportedTree } from './exported-tree.ts'

/** By the type bits of st_mode. */
const TYPES: Readonly<Record<number, TarEntryType>> = {
  0o010000: 'fifo',
  0o020000: 'character',
  0o040000: 'directory',
  0o060000: 'block',
  0o100000: 'file',
  0o120000: 'symlink',
}

/** An entry of a tree as a tar archive holds it; its file is opened when its turn comes. */
export function tarEntryOf(stat: FileStat, read: ExportedTree['read']): WritableEntry {
  const { path, mode, uid, gid, mtime, linkname, device } = stat
  const type = isHardLink(stat) ? 'hardlink' : (TYPES[mode & 0o170000] ?? 'file')
  const entry = tarEntry({
    type,
    path: type === 'directory' ? `${path}/` : path,
    linkPath: linkname,
    mode: mode & 0o7777,
    uid,
    gid,
    size: type === 'file' ? stat.size : 0,
    mtime,
    ...device,
    xattrs: new Map(Object.entries(stat.xattrs).map(([name, value]) => [name, Buffer.from(value)])),
  })
  return type === 'file' ? { entry, body: { [Symbol.asyncIterator]: () => buffers(read(path)) } } : { entry }
}

async function* buffers(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, void> {
  for await (const chunk of chunks) yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
}
