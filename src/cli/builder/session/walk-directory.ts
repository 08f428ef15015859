import { lstatSync, readdirSync, readlinkSync, type BigIntStats } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { decodeName, systemPath } from '#archive'
import { createIgnoreMatcher, type IgnoreMatcher } from '#dockerfile'

/** What of a directory is wanted. Patterns as in a `.dockerignore`. */
export interface WalkFilter {
  /** Empty: everything. */
  includePatterns: readonly string[]
  excludePatterns: readonly string[]
  /** Paths (or patterns) that are included, and where their links lead. */
  followPaths: readonly string[]
}

export interface WalkedEntry {
  /** Relative, with `/`. */
  path: string
  stat: BigIntStats
  /** Of a symbolic link its target; of a further name of a file the first one; else empty. */
  linkname: string
}

/**
 * Entries below `root` in lexical order by components, parents first. A directory of which only something inside is wanted comes with what is inside, not
 * without. What vanishes while it is looked at is left out. Source: tonistiigi/fsutil (walker, filter, follow links).
 */
export function* walkDirectory(root: string, filter: WalkFilter): Generator<WalkedEntry> {
  const included = [...filter.includePatterns, ...filter.followPaths.flatMap((path) => followLinks(root, path))]
  const includes = included.length === 0 ? undefined : createIgnoreMatcher(included.map(withoutDot))
  const excludes = createIgnoreMatcher(filter.excludePatterns)
  const names = new Map<string, string>()

  function* walk(directory: string, isIncluded: boolean, parents: () => Iterable<WalkedEntry>): Generator<WalkedEntry> {
    for (const { name, isDirectory } of sortedEntries(join(root, directory))) {
      const path = directory === '' ? name : `${directory}/${name}`
      const isWanted = (isIncluded || includes === undefined || includes.ignores(path)) && !excludes.ignores(path)
      if (!isWanted && !(isDirectory && mayHoldWanted(path, isIncluded, includes, excludes))) continue
      const found = describe(root, path, names)
      if (found === undefined) continue
      if (isWanted) yield* parents()
      if (isWanted) yield found
      if (!isDirectory) continue
      let told = isWanted
      const lazily = function* (): Generator<WalkedEntry> {
        if (told) return
        told = true
        yield* parents()
        yield found
      }
      yield* walk(path, isIncluded || includes === undefined || includes.ignores(path), lazily)
    }
  }
  yield* walk('', false, () => [])
}

function mayHoldWanted(path: string, isIncluded: boolean, includes: IgnoreMatcher | undefined, excludes: IgnoreMatcher): boolean {
  if (excludes.prunes(path)) return false
  return isIncluded || includes === undefined || includes.patterns.some((pattern) => mayMatchBelow(pattern, path))
}

/** Whether something inside of the directory may match: its components match those of the pattern as far as both go. */
function mayMatchBelow(pattern: string, directory: string): boolean {
  const parts = pattern.replace(/^!/, '').split('/')
  for (const [index, name] of directory.split('/').entries()) {
    const part = parts[index]
    if (part === undefined || part === '**' || part.includes('**')) return true
    if (!createIgnoreMatcher([part]).ignores(name)) return false
  }
  return true
}

function describe(root: string, path: string, names: Map<string, string>): WalkedEntry | undefined {
  const absolute = systemPath(join(root, path))
  const stat = lstatSync(absolute, { bigint: true, throwIfNoEntry: false })
  if (stat === undefined) return undefined
  // Nobody can copy a socket, and nobody means to.
  if (stat.isSocket()) return undefined
  if (stat.isSymbolicLink()) return { path, stat, linkname: decodeName(readlinkSync(absolute, { encoding: 'buffer' })) }
  if (!stat.isFile() || stat.nlink < 2n) return { path, stat, linkname: '' }
  const key = `${stat.dev}:${stat.ino}`
  const first = names.get(key)
  if (first === undefined) names.set(key, path)
  return { path, stat, linkname: first ?? '' }
}

function sortedEntries(directory: string): { name: string; isDirectory: boolean }[] {
  try {
    const entries = readdirSync(systemPath(directory), { withFileTypes: true, encoding: 'buffer' })
    entries.sort((a, b) => Buffer.compare(a.name, b.name))
    return entries.map((entry) => ({ name: decodeName(entry.name), isDirectory: entry.isDirectory() }))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

const MAX_LINKS = 255

/** A path with everything that must come along for it to be there: the links on its way, and what they lead to, as far as that is inside. */
function followLinks(root: string, path: string): string[] {
  const found: string[] = []
  const open = [withoutDot(path)]
  for (let steps = 0; steps < MAX_LINKS; steps++) {
    const next = open.pop()
    if (next === undefined) break
    found.push(next)
    // A pattern is not followed: what it names may be many things.
    if (/[*?[\\]/.test(next)) continue
    const target = firstLink(root, next)
    if (target !== undefined && !found.includes(target.resolved)) {
      found.push(target.link)
      open.push(target.resolved)
    }
  }
  return found.map((name) => (name === '' ? '**' : name))
}

/** The first link on the way to `path`, and the path with it followed; undefined without one, and for one that leads out. */
function firstLink(root: string, path: string): { link: string; resolved: string } | undefined {
  const parts = path.split('/').filter((part) => part !== '')
  for (const index of parts.keys()) {
    const link = parts.slice(0, index + 1).join('/')
    const stat = lstatSync(join(root, link), { throwIfNoEntry: false })
    if (stat?.isSymbolicLink() !== true) continue
    const target = readlinkSync(join(root, link))
    // As in a container: an absolute link begins at the root of the tree.
    const base = target.startsWith('/') ? '/' : `/${dirname(link)}`
    const resolved = normalize(join(base, target, ...parts.slice(index + 1)))
    return { link, resolved: withoutDot(resolved) }
  }
  return undefined
}

function withoutDot(pattern: string): string {
  const isException = pattern.startsWith('!')
  const clean = normalize(isException ? pattern.slice(1) : pattern)
    .replace(/^\/+/, '')
    .replace(/\/+$/, '')
  return (isException ? '!' : '') + (clean === '.' ? '' : clean)
}
