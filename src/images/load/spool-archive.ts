import { posix } from 'node:path'
import { decompress, readTar } from '#archive'
import type { TarEntry } from '#archive'
import type { Blob, ContentStore, GrowingBlob, Lease } from '#content'
import { invalidArgument } from '#errors'

/** The files of an archive, which are blobs of the content store now: archives come in any order, and no part is kept in memory. */
export interface SpooledArchive {
  /** By path without leading `./`; links are followed inside the archive. */
  find(path: string): Blob | undefined
  /** Throws INVALID_ARGUMENT `invalid archive: does not contain …`. */
  get(path: string): Blob
  /** A document. Throws INVALID_ARGUMENT when it is missing or larger than `limit` bytes. */
  read(path: string, limit: number): Buffer
}

/** An image has at most a few hundred files; what has more is no image archive. */
const MAX_ENTRIES = 100_000
const MAX_LINKS = 16

export interface SpoolOptions {
  lease: Lease
  signal?: AbortSignal
  /** Called with each file when its first bytes are expected. */
  incoming?: (file: IncomingFile) => void
}

/** A file of an archive on its way into the content store. */
export interface IncomingFile {
  path: string
  /** Bytes. */
  size: number
  growing: GrowingBlob
  blob: Promise<Blob>
}

/** Reads a whole archive, compressed or not, into the content store. Throws INVALID_ARGUMENT for a bad one. */
export async function spoolArchive(content: ContentStore, archive: AsyncIterable<Buffer>, options: SpoolOptions): Promise<SpooledArchive> {
  const files = new Map<string, Blob>()
  const links = new Map<string, string>()
  const { chunks } = await decompress(archive)
  let entries = 0
  for await (const { entry, body } of readTar(chunks)) {
    if (++entries > MAX_ENTRIES) throw invalidArgument(`invalid archive: more than ${MAX_ENTRIES} entries`)
    const path = pathOf(entry)
    if (entry.type === 'file') {
      const growing = (grown: GrowingBlob): void => options.incoming?.({ path, size: entry.size, growing: grown, blob })
      const blob = content.ingest(body, { ...options, growing })
      files.set(path, await blob)
    } else if (entry.type === 'symlink' || entry.type === 'hardlink') links.set(path, targetOf(entry, path))
    else if (entry.type !== 'directory') throw invalidArgument(`invalid archive: ${JSON.stringify(entry.path)} is a ${entry.type} device`)
  }

  function find(path: string): Blob | undefined {
    let target = posix.normalize(path)
    for (let i = 0; i < MAX_LINKS && links.has(target); i++) target = links.get(target) ?? ''
    return files.get(target)
  }

  function get(path: string): Blob {
    const blob = find(path)
    if (blob === undefined) throw invalidArgument(`invalid archive: does not contain ${path}`)
    return blob
  }

  return { find, get, read: (path, limit) => content.readAll(get(path).digest, limit) }
}

/** A sparse header of 10 GB costs 512 bytes to send; filled in, it would cost the disk. */
function pathOf(entry: TarEntry): string {
  if (entry.sparse !== undefined) throw invalidArgument(`invalid archive: ${JSON.stringify(entry.path)} is a sparse file`)
  return inside(entry.path, entry.path)
}

/** Where a link inside the archive leads. `docker save` before 25 wrote equal layers as links: `b/layer.tar -> ../a/layer.tar`. */
function targetOf(entry: TarEntry, path: string): string {
  if (entry.linkPath.startsWith('/')) throw invalidArgument(`invalid archive: ${JSON.stringify(entry.path)} is a link to an absolute path`)
  return inside(entry.type === 'symlink' ? posix.join(posix.dirname(path), entry.linkPath) : entry.linkPath, entry.path)
}

/** Names are only keys here, but an archive whose names lead outside is not what it says it is. */
function inside(path: string, shown: string): string {
  const normal = posix.normalize(path).replace(/^\/+|\/+$/g, '')
  if (normal === '..' || normal.startsWith('../')) throw invalidArgument(`invalid archive: ${JSON.stringify(shown)} leads outside`)
  return normal
}
