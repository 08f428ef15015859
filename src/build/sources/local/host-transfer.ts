import { createReadStream, lstatSync, readdirSync, readlinkSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { join } from 'node:path'
import { decodeName, systemPath } from '#archive'
import { createIgnoreMatcher } from '#dockerfile'
import type { IgnoreMatcher } from '#dockerfile'
import { deviceOf } from '#lib'
import { inSlices } from '#snapshots'
import type { DirectoryTransfer, FileStat, SyncRequest } from '../../session.ts'

/** What is wanted of a directory. */
export type HostRequest = Pick<SyncRequest, 'includePatterns' | 'excludePatterns' | 'followPaths'>

/**
 * The transfer of a directory that is on this host and changes no more: it is taken where it lies, or if something is excluded, files are linked instead of
 * copied. What is excluded is left out; of what is not needed (`includePatterns`, `followPaths`) only what surely is not: when a pattern or a link may lead anywhere,
 * everything is given.
 */
export function hostTransfer(root: string, request: HostRequest): DirectoryTransfer {
  const paths: string[] = []
  let listing: Promise<Listing> | undefined
  const list = (): Promise<Listing> => (listing ??= listDirectory(root, request.excludePatterns))
  return {
    // A client that has left out what is excluded sends nothing that is.
    place: async () => (request.excludePatterns.length === 0 || !(await list()).isExcluding ? root : undefined),
    async *entries() {
      const { found } = await list()
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

interface Listing {
  found: FileStat[]
  /** Something is there that is excluded. */
  isExcluding: boolean
}

async function listDirectory(root: string, excludePatterns: readonly string[]): Promise<Listing> {
  const listing: Listing = { found: [], isExcluding: false }
  const excludes = createIgnoreMatcher(excludePatterns)
  const excluded = (): void => void (listing.isExcluding = true)
  for await (const stat of inSlices(walk(root, '', excludes, excluded))) listing.found.push(stat)
  return listing
}

/** By components and bytes; parents of what is re-included are there, too. `excluded` hears of what is left out. */
function* walk(root: string, directory: string, excludes: IgnoreMatcher, excluded: () => void): Generator<FileStat, void, void> {
  const names = readdirSync(systemPath(join(root, directory)), { encoding: 'buffer' }).sort((a, b) => Buffer.compare(a, b))
  for (const name of names.map(decodeName)) {
    const path = directory === '' ? name : `${directory}/${name}`
    const stat = lstatSync(systemPath(join(root, path)), { bigint: true })
    if (!stat.isDirectory()) {
      if (excludes.ignores(path)) excluded()
      else yield fileStat(root, path, stat)
      continue
    }
    const isIgnored = excludes.ignores(path)
    if (isIgnored) excluded()
    if (excludes.prunes(path)) continue
    const below = isIgnored ? [...walk(root, path, excludes, excluded)] : undefined
    if (below?.length === 0) continue
    yield fileStat(root, path, stat)
    yield* below ?? walk(root, path, excludes, excluded)
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
