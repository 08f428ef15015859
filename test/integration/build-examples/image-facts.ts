/** What an image is, read from an archive of `docker save` by nothing that the engine under test has a part in. */

import { createHash } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import { readEntries, type ArchiveEntry } from './read-archive.ts'

/** Facts of one file; names of the same hard link share the object. */
interface File {
  readonly kind: string
  readonly mode: string
  readonly owner: string
  /** Text, digest or target. */
  readonly content: string
  readonly xattrs: string
}

/** Absolute paths to files. */
export type Tree = ReadonlyMap<string, File>

export interface ImageFacts {
  readonly tree: Tree
  /** As stored, but for what is empty. */
  readonly config: Readonly<Record<string, unknown>>
  /** `created_by`, with `(empty)` in front when there is no layer to it. */
  readonly history: readonly string[]
}

/** Trees of layers that were read before, by diff id: the base is in every image. */
export type LayerCache = Map<string, ReadonlyMap<string, File | 'gone' | 'opaque'>>

/** `archive`: all bytes of `docker save`, of Docker's form. */
export function readImage(archive: Buffer, cache: LayerCache): ImageFacts {
  const files = new Map(readEntries(archive).map((entry) => [entry.path, entry]))
  const body = (path: string): Buffer => {
    const entry = files.get(path)
    if (entry === undefined) throw new Error(`${path} is not in the archive`)
    // Docker 20.10 stores equal layers once, and links to them.
    return entry.type === '2' ? body(new URL(entry.link, `file:///${path}`).pathname.slice(1)) : entry.body
  }
  const [manifest] = JSON.parse(body('manifest.json').toString()) as { Config: string; Layers: string[] }[]
  if (manifest === undefined) throw new Error('the archive has no image')
  const config = JSON.parse(body(manifest.Config).toString()) as {
    config?: Record<string, unknown>
    rootfs: { diff_ids?: string[] | null }
    history?: { created_by?: string; empty_layer?: boolean }[]
  }
  const tree = new Map<string, File>()
  for (const [index, layer] of manifest.Layers.entries())
    applyLayer(
      tree,
      readLayer(config.rootfs.diff_ids?.[index] ?? '', () => body(layer), cache),
    )
  return {
    tree,
    config: withoutEmpty(config.config ?? {}),
    history: (config.history ?? []).map((entry) => (entry.empty_layer ? '(empty) ' : '') + (entry.created_by ?? '')),
  }
}

/** What `tree` changes in `base`: a line for each path. */
export function treeChanges(base: Tree, tree: Tree): Record<string, string> {
  const changes: Record<string, string> = {}
  for (const path of [...new Set([...base.keys(), ...tree.keys()])].sort()) {
    const before = describe(base, path)
    const after = describe(tree, path)
    if (before !== after) changes[path] = after ?? 'gone'
  }
  return changes
}

function describe(tree: Tree, path: string): string | undefined {
  const file = tree.get(path)
  if (file === undefined) return undefined
  const twins = file.kind === 'file' ? [...tree].filter(([, other]) => other === file).map(([name]) => name) : []
  const links =
    twins.length > 1 && twins.length < 10
      ? ` = ${twins
          .filter((name) => name !== path)
          .sort()
          .join(' ')}`
      : ''
  return `${[file.kind, file.mode, file.owner, file.content, file.xattrs].filter((part) => part !== '').join(' ')}${links}`
}

function readLayer(diffId: string, body: () => Buffer, cache: LayerCache): ReadonlyMap<string, File | 'gone' | 'opaque'> {
  const known = cache.get(diffId)
  if (known !== undefined) return known
  const bytes = body()
  const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes
  const found = `sha256:${createHash('sha256').update(plain).digest('hex')}`
  if (found !== diffId) throw new Error(`layer ${diffId} has the digest ${found}`)
  const layer = new Map<string, File | 'gone' | 'opaque'>()
  for (const entry of readEntries(plain)) addEntry(layer, entry)
  cache.set(diffId, layer)
  return layer
}

function addEntry(layer: Map<string, File | 'gone' | 'opaque'>, entry: ArchiveEntry): void {
  const path = cleanPath(entry.path)
  const slash = path.lastIndexOf('/')
  const name = path.slice(slash + 1)
  if (name === '.wh..wh..opq') layer.set(`${path.slice(0, slash)}/*`, 'opaque')
  else if (name.startsWith('.wh.')) layer.set(`${path.slice(0, slash)}/${name.slice(4)}`, 'gone')
  else if (entry.type === '1') {
    const target = layer.get(cleanPath(entry.link))
    if (typeof target !== 'object') throw new Error(`${path} is a hard link to ${entry.link}, which is not in the layer`)
    layer.set(path, target)
  } else if (path !== '/') layer.set(path, fileOf(entry))
}

function applyLayer(tree: Map<string, File>, layer: ReadonlyMap<string, File | 'gone' | 'opaque'>): void {
  const removeBelow = (directory: string): void => {
    for (const path of tree.keys()) if (path.startsWith(`${directory}/`)) tree.delete(path)
  }
  for (const [path, file] of layer) {
    if (file === 'opaque') removeBelow(path.slice(0, -2))
    else if (file === 'gone') {
      tree.delete(path)
      removeBelow(path)
    }
  }
  for (const [path, file] of layer) {
    if (typeof file !== 'object') continue
    if (file.kind !== 'dir' && tree.get(path)?.kind === 'dir') removeBelow(path)
    tree.set(path, file)
  }
}

const KINDS: Readonly<Record<string, string>> = {
  '0': 'file',
  '\0': 'file',
  '2': 'link',
  '3': 'char',
  '4': 'block',
  '5': 'dir',
  '6': 'fifo',
}

function fileOf(entry: ArchiveEntry): File {
  const kind = KINDS[entry.type]
  if (kind === undefined) throw new Error(`${entry.path} has the unknown type ${entry.type}`)
  const content = kind === 'file' ? contentOf(entry.body) : kind === 'link' ? `-> ${entry.link}` : ''
  const mode = kind === 'link' ? '' : (entry.mode & 0o7777).toString(8).padStart(4, '0')
  return { kind, mode, owner: `${entry.uid}:${entry.gid}`, content, xattrs: entry.xattrs }
}

/** Short texts as they are, the rest by digest. */
function contentOf(body: Buffer): string {
  const text = body.toString()
  if (body.length <= 300 && Buffer.from(text).equals(body) && !/[\0-\x08]/.test(text)) return JSON.stringify(text)
  return `${body.length} ${createHash('sha256').update(body).digest('hex').slice(0, 16)}`
}

function cleanPath(path: string): string {
  return `/${path.replace(/^(?:\.?\/)+/, '').replace(/\/+$/, '')}`.replace(/^\/\.$/, '/')
}

function withoutEmpty(config: Record<string, unknown>): Record<string, unknown> {
  const isEmpty = (value: unknown): boolean =>
    value === null || value === '' || value === false || (typeof value === 'object' && Object.keys(value).length === 0)
  return Object.fromEntries(
    Object.entries(config)
      .filter(([, value]) => !isEmpty(value))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
}
