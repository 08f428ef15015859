import type { Extent, TarEntry, TarEntryType } from '#archive'
import { invalidArgument } from '#errors'
import { entryComponents } from '../tree/entry-path.ts'
import { parseMarker } from '../tree/whiteout.ts'

/** One node that a layer's directory must hold. */
export interface ExpectedNode {
  type: Exclude<TarEntryType, 'hardlink'> | 'whiteout'
  /** Undefined for a directory that the archive has no entry for: made on the way, root's, 0755, of any time. */
  entry?: TarEntry
  /** Of a directory. */
  children?: Map<string, ExpectedNode>
  opaque?: boolean
  /** Of a file: what its data sums up to, stretch by stretch. */
  crc32: number
  extents?: readonly Extent[]
}

interface Directory extends ExpectedNode {
  type: 'directory'
  children: Map<string, ExpectedNode>
}

const MAX_LINKS = 40

/**
 * What the entries of a layer's archive make, in memory: the same rules as the writer's (`tree-writer.ts`), followed without a file system. Hard
 * links are one node with several names.
 */
export interface ExpectedTree {
  readonly root: ExpectedNode
  /** The next entry. Returns the node whose data follows; undefined when the entry makes none. */
  add(entry: TarEntry): ExpectedNode | undefined
}

export function createExpectedTree(): ExpectedTree {
  const root = newDirectory()

  function add(entry: TarEntry): ExpectedNode | undefined {
    const components = entryComponents(entry.path)
    const name = components.at(-1)
    if (name === undefined) {
      if (entry.type === 'directory') root.entry = entry
      return undefined
    }
    const parent = resolve(root, components.slice(0, -1), true)
    const marker = parseMarker(name)
    if (marker?.kind === 'opaque') parent.opaque = true
    else if (marker?.kind === 'whiteout') hide(parent, marker.name)
    else if (marker === undefined) return create(entry, parent, name)
    return undefined
  }

  function create(entry: TarEntry, parent: Directory, name: string): ExpectedNode {
    const existing = parent.children.get(name)
    const node = entry.type === 'hardlink' ? linked(entry) : entry.type === 'directory' ? directory(entry, existing) : newNode(entry)
    parent.children.set(name, node)
    return node
  }

  /** What is below a directory stays when it is named again. */
  function directory(entry: TarEntry, existing: ExpectedNode | undefined): Directory {
    if (isDirectory(existing)) {
      existing.entry = entry
      return existing
    }
    return { ...newDirectory(), entry, ...(existing?.type === 'whiteout' ? { opaque: true } : {}) }
  }

  function linked(entry: TarEntry): ExpectedNode {
    const components = entryComponents(entry.linkPath)
    const found = resolve(root, components.slice(0, -1), false).children.get(components.at(-1) ?? '')
    if (found === undefined) throw invalidArgument(`invalid tar entry: hard link to ${JSON.stringify(entry.linkPath)}`)
    return found
  }

  return { root, add }
}

function hide(parent: Directory, name: string): void {
  const existing = parent.children.get(name)
  if (existing === undefined) parent.children.set(name, { type: 'whiteout', crc32: 0 })
  else if (isDirectory(existing)) existing.opaque = true
}

/** The directory that a path means, links followed inside the root. `make`: what is missing on the way is made. */
function resolve(root: Directory, components: readonly string[], make: boolean): Directory {
  let way = [root]
  let links = 0
  const rest = [...components]
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === '' || name === '.') continue
    if (name === '..') {
      if (way.length > 1) way.pop()
      continue
    }
    const at = way.at(-1) ?? root
    const found = at.children.get(name)
    if (isDirectory(found)) way.push(found)
    else if (found?.type === 'symlink' && links++ < MAX_LINKS) {
      const target = found.entry?.linkPath ?? ''
      if (target.startsWith('/')) way = [root]
      rest.unshift(...target.split('/'))
    } else if (make && (found === undefined || found.type === 'whiteout')) {
      const made: Directory = { ...newDirectory(), ...(found === undefined ? {} : { opaque: true }) }
      at.children.set(name, made)
      way.push(made)
    } else throw invalidArgument(`invalid tar entry: ${JSON.stringify(components.join('/'))} is no directory`)
  }
  return way.at(-1) ?? root
}

function newDirectory(): Directory {
  return { type: 'directory', children: new Map(), crc32: 0 }
}

function newNode(entry: TarEntry): ExpectedNode {
  // For overlayfs a device 0:0 is a whiteout, whoever made it.
  const isWhiteout = entry.type === 'character' && entry.major === 0 && entry.minor === 0
  const type = isWhiteout ? 'whiteout' : (entry.type as Exclude<TarEntryType, 'hardlink'>)
  return { type, entry, crc32: 0, ...(entry.sparse === undefined ? {} : { extents: entry.sparse }) }
}

export function isDirectory(node: ExpectedNode | undefined): node is Directory {
  return node?.type === 'directory'
}
