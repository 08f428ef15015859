import { conflict } from '#errors'
import type { FileStat } from '../../session.ts'
import type { ExportedTree } from './exported-tree.ts'

const DIRECTORY = 0o040000
const TYPE = 0o170000

/** A tree and where it goes: a directory's name, or empty for the top. */
export interface PlacedTree {
  /** As errors call it: `linux/amd64`. */
  name: string
  directory: string
  tree: ExportedTree
}

/**
 * Several trees as one. Those that go to the same place may share directories, of which the first one's counts. Throws CONFLICT for a file that two have.
 * `time`: nanoseconds, of directories that are made. The trees stay their owner's.
 */
export function combineTrees(placed: readonly PlacedTree[], time: bigint): Omit<ExportedTree, typeof Symbol.dispose> {
  const found = new Map<string, { entry: FileStat; from: PlacedTree; path: string }>()
  for (const from of placed) {
    const prefix = from.directory === '' ? '' : `${from.directory}/`
    if (from.directory !== '') add({ ...directory(from.directory, time) }, '', from)
    for (const entry of from.tree.entries) {
      const linkname = entry.linkname !== '' && isHardLink(entry) ? prefix + entry.linkname : entry.linkname
      add({ ...entry, path: prefix + entry.path, linkname }, entry.path, from)
    }
  }

  function add(entry: FileStat, path: string, from: PlacedTree): void {
    const known = found.get(entry.path)
    if (known === undefined) found.set(entry.path, { entry, from, path })
    else if (!isDirectory(known.entry) || !isDirectory(entry)) {
      throw conflict(`cannot overwrite ${entry.path} from ${known.from.name} with ${from.name} when split option is disabled`)
    }
  }

  return {
    entries: placed.length > 1 ? sorted([...found.values()].map(({ entry }) => entry)) : [...found.values()].map(({ entry }) => entry),
    read(path) {
      const place = found.get(path)
      if (place === undefined) throw new TypeError(`Cannot read ${path}: it is no entry`)
      return place.from.tree.read(place.path)
    },
  }
}

/** A tree of one file, which is made here. */
export function fileTree(path: string, content: Uint8Array, mtime: bigint): ExportedTree {
  const entry = { ...directory(path, mtime), mode: 0o100600, size: content.length }
  return {
    entries: [entry],
    async *read() {
      yield content
    },
    [Symbol.dispose]() {},
  }
}

/** A name of a file that has another one: what only links say is their target. */
export function isHardLink({ mode, linkname }: FileStat): boolean {
  return linkname !== '' && (mode & TYPE) !== 0o120000
}

function isDirectory({ mode }: FileStat): boolean {
  return (mode & TYPE) === DIRECTORY
}

function directory(path: string, mtime: bigint): FileStat {
  return { path, mode: DIRECTORY | 0o755, uid: 0, gid: 0, size: 0, mtime, linkname: '', device: { major: 0, minor: 0 }, xattrs: {} }
}

/** By components, bytewise: `a/b` comes before `a.b`, so that all below a directory lies together. */
function sorted(entries: readonly FileStat[]): FileStat[] {
  // In latin1 each byte is a character: the order of the strings is that of the bytes.
  const keyed = entries.map((entry) => ({ entry, key: Buffer.from(entry.path.replaceAll('/', '\0')).toString('latin1') }))
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ entry }) => entry)
}
