import { closeSync, constants, lstatSync, openSync, readdirSync, readlinkSync } from 'node:fs'
import type { BigIntStats, Dirent } from 'node:fs'
import { decodeName, systemPath } from '#archive'
import { invalidArgument } from '#errors'
import type { FilePath, Files } from '#kernel'
import { inSlices } from './tree/in-slices.ts'
import { MAX_DEPTH } from './tree/walk-tree.ts'
import { OPAQUE_VALUE, OPAQUE_XATTR } from './tree/whiteout.ts'
import type { Change } from './types.ts'

/** Names that need no decoding; nearly all. */
const PLAIN = /^[\x20-\x7e]+$/
/** Names after which others may get their turn. */
const BATCH = 64
const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY

/** One run over an upper directory. */
interface Comparison {
  files: Files
  /** Where the merged layers below are mounted. */
  lower: string
  /** By path without slash in front. */
  changes: Map<string, Change['kind']>
  /** Directory of this process's descriptors; following /proc/self at every look would cost half as much again. */
  descriptors: string
}

/**
 * What an upper directory of overlayfs changes against the merged layers below, mounted at `lower`. As Docker's diff: a directory is
 * reported when its own attributes differ or anything inside has changed; a file that was copied up but is the same is not. Only what is there in both is
 * looked at; of the rest the names are enough. Directories are entered by descriptor with O_NOFOLLOW: the tree belongs to a container that is running.
 * Source: moby pkg/archive changes.go, addChanges and statDifferent.
 */
export async function listChanges(files: Files, upper: string, lower: string): Promise<Change[]> {
  const changes = new Map<string, Change['kind']>()
  const comparison = { files, lower, changes, descriptors: `/proc/${readlinkSync('/proc/self')}/fd` }
  for await (const _ of inSlices(compareDirectory(comparison, openSync(upper, DIRECTORY), '', true)));
  const paths = [...changes.keys()].sort()
  return paths.map((path) => ({ path: `/${path}`, kind: changes.get(path) ?? 'modified' }))
}

/** Takes over `fd`. `merged`: the lower layers have a directory here, too; only then can something be modified or deleted. */
function* compareDirectory(run: Comparison, fd: number, prefix: string, merged: boolean, depth = 1): Generator<void, void, void> {
  const { changes } = run
  const before = changes.size
  try {
    const directory = `${run.descriptors}/${fd}`
    const below = merged ? new Set(readdirSync(systemPath(`${run.lower}/${prefix}`), { encoding: 'latin1' })) : undefined
    // latin1 keeps every byte of a name in one character.
    for (const [index, entry] of readdirSync(directory, { encoding: 'latin1', withFileTypes: true }).entries()) {
      if (index % BATCH === 0) yield
      const name = PLAIN.test(entry.name) ? entry.name : decodeName(Buffer.from(entry.name, 'latin1'))
      const path = prefix + name
      if (entry.isFile() && below?.has(entry.name) !== true) {
        changes.set(path, 'added')
        continue
      }
      const own = systemPath(`${directory}/${name}`)
      const isMerged = below?.has(entry.name) === true ? compareNode(run, path, own) : addNode(run, path, own, entry)
      const child = isMerged === undefined ? undefined : tryOpenDirectory(own)
      if (isMerged === undefined || child === undefined) continue
      if (depth < MAX_DEPTH) yield* compareDirectory(run, child, `${path}/`, isMerged, depth + 1)
      else {
        closeSync(child)
        throw invalidArgument(`directories are nested deeper than ${MAX_DEPTH}`)
      }
    }
  } finally {
    closeSync(fd)
  }
  const self = prefix.slice(0, -1)
  if (self !== '' && changes.size > before && !changes.has(self)) changes.set(self, 'modified')
}

/** Nothing is below: `false` for a directory, whose entries are new as well, undefined for anything else. */
function addNode({ changes }: Comparison, path: string, own: FilePath, entry: Dirent): false | undefined {
  // A whiteout that hides nothing.
  if (entry.isCharacterDevice() && lstatSync(own, { bigint: true, throwIfNoEntry: false })?.rdev === 0n) return undefined
  changes.set(path, 'added')
  return entry.isDirectory() ? false : undefined
}

/** Something is below: for a directory whether that is one too, undefined for anything else. */
function compareNode(run: Comparison, path: string, own: FilePath): boolean | undefined {
  const stat = lstatSync(own, { bigint: true, throwIfNoEntry: false })
  const below = lstatSync(systemPath(`${run.lower}/${path}`), { bigint: true, throwIfNoEntry: false })
  if (stat === undefined) return undefined
  const merged = stat.isDirectory() && below?.isDirectory() === true
  if (merged) for (const name of hiddenNames(run, path, own)) run.changes.set(`${path}/${name}`, 'deleted')
  const kind = compare(run, path, own, stat, below)
  if (kind !== undefined) run.changes.set(path, kind)
  return stat.isDirectory() ? merged : undefined
}

function compare(
  run: Comparison,
  path: string,
  own: FilePath,
  stat: BigIntStats,
  below: BigIntStats | undefined,
): Change['kind'] | undefined {
  if (stat.isCharacterDevice() && stat.rdev === 0n) return below === undefined ? undefined : 'deleted'
  if (below === undefined) return 'added'
  const attributesDiffer = stat.mode !== below.mode || stat.uid !== below.uid || stat.gid !== below.gid || stat.rdev !== below.rdev
  // Size and time of a directory change with what is in it.
  const contentDiffers = !stat.isDirectory() && (stat.mtimeNs !== below.mtimeNs || stat.size !== below.size)
  return attributesDiffer || contentDiffers || !sameCapabilities(run, path, own) ? 'modified' : undefined
}

function sameCapabilities({ files, lower }: Comparison, path: string, own: FilePath): boolean {
  const above = files.getXattr(own, 'security.capability')
  const below = files.getXattr(systemPath(`${lower}/${path}`), 'security.capability')
  return above === undefined ? below === undefined : below?.equals(above) === true
}

/** What an opaque directory hides: everything below it that it does not have itself. */
function hiddenNames({ files, lower }: Comparison, path: string, directory: FilePath): string[] {
  if (files.getXattr(directory, OPAQUE_XATTR)?.equals(OPAQUE_VALUE) !== true) return []
  const own = new Set(readdirSync(directory, { encoding: 'latin1' }))
  const below = readdirSync(systemPath(`${lower}/${path}`), { encoding: 'latin1' })
  return below.filter((name) => !own.has(name)).map((name) => decodeName(Buffer.from(name, 'latin1')))
}

function tryOpenDirectory(path: FilePath): number | undefined {
  try {
    return openSync(path, DIRECTORY | constants.O_NOFOLLOW)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes((error as { code?: string }).code ?? '')) return undefined
    throw error
  }
}
