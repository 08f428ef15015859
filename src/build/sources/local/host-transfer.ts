import { createReadStream, lstatSync, readdirSync, readlinkSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { join } from 'node:path'
import { decodeName, systemPath } from '#archive'
import { createIgnoreMatcher } from '#dockerfile'
import type { IgnoreMatcher } from '#dockerfile'
import { deviceOf, inSlices } from '#snapshots'
import type { DirectoryTransfer, FileStat, SyncRequest } from '../../session.ts'

/** What is wanted of a directory. */
export type HostRequest = Pick<SyncRequest, 'includePatterns' | 'excludePatterns' | 'followPaths'>

/**
 * The transfer of a directory that is on this host and changes no more: without exclusions it is taken where it lies, else files are linked instead of copied.
 * What is excluded is left out; of what is not needed (`includePatterns`, `followPaths`) only what surely is not: when a pattern or a link may lead anywhere,
 * everything is given.
 */
export function hostTransfer(root: string, request: HostRequest): DirectoryTransfer {
  const paths: string[] = []
  return {
    place: request.excludePatterns.length === 0 ? root : undefined,
    async *entries() {
      const excludes = createIgnoreMatcher(request.excludePatterns)
      const found: FileStat[] = []
      for await (const stat of inSlices(walk(root, '', excludes))) found.push(stat)
      const isNeeded = needed(request, found)
      for (const stat of found) {
        if (!isNeeded(stat.path)) continue
        paths.push(stat.path)
        yield stat
      }
    },
    async *read(index) {
      yield* createReadStream(systemPath(join(root, paths[index] ?? ''))) as AsyncIterable<Buffer>
    },
    hostPath: (index) => join(root, paths[index] ?? ''),
    async [Symbol.asyncDispose]() {},
  }
}

/** By components and bytes; parents of what is re-included are there, too. */
function* walk(root: string, directory: string, excludes: IgnoreMatcher): Generator<FileStat, void, void> {
  const names = readdirSync(systemPath(join(root, directory)), { encoding: 'buffer' }).sort((a, b) => Buffer.compare(a, b))
  for (const name of names.map(decodeName)) {
    const path = directory === '' ? name : `${directory}/${name}`
    const stat = lstatSync(systemPath(join(root, path)), { bigint: true })
    if (!stat.isDirectory()) {
      if (!excludes.ignores(path)) yield fileStat(root, path, stat)
      continue
    }
    if (excludes.prunes(path)) continue
    const isIgnored = excludes.ignores(path)
    const below = isIgnored ? [...walk(root, path, excludes)] : undefined
    if (below?.length === 0) continue
    yield fileStat(root, path, stat)
    yield* below ?? walk(root, path, excludes)
  }
}

function fileStat(root: string, path: string, stat: BigIntStats): FileStat {
  return {
    path,
    mode: Number(stat.mode),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    size: Number(stat.size),
    mtime: stat.mtimeNs,
    linkname: stat.isSymbolicLink() ? decodeName(readlinkSync(systemPath(join(root, path)), { encoding: 'buffer' })) : '',
    device: deviceOf(stat),
    xattrs: {},
  }
}

function needed({ includePatterns, followPaths }: HostRequest, found: readonly FileStat[]): (path: string) => boolean {
  const paths = [...includePatterns, ...followPaths].map((path) => path.replace(/^\/+|\/+$/g, ''))
  const mayBeAnything = paths.some((path) => path === '' || path === '.' || /[*?[\\]/.test(path))
  const hasLinks = found.some(({ linkname }) => linkname !== '')
  if (paths.length === 0 || mayBeAnything || hasLinks) return () => true
  return (path) => paths.some((wanted) => path === wanted || path.startsWith(`${wanted}/`) || wanted.startsWith(`${path}/`))
}
