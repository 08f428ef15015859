import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { KnownTree } from './plan-update.ts'

/** What is written down of a directory. As long as there is none, nothing is known of it. */
export interface TreeIndex {
  /** The machine's boot in which it was written: files are not synced, after another boot they may be broken. */
  bootId: string
  /** See `DirectoryRef`. */
  generation: string
  tree: KnownTree
}

const VERSION = '1'

/** undefined: there is none that can be read. */
export function readIndex(path: string): TreeIndex | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const [version, bootId, generation, ...fields] = text.split('\0')
  // The last field is empty: each is ended by a NUL.
  if (version !== VERSION || bootId === undefined || generation === undefined || fields.length % 2 === 0) return undefined
  const tree = new Map<string, string>()
  for (let at = 0; at + 1 < fields.length; at += 2) tree.set(fields[at] ?? '', fields[at + 1] ?? '')
  return { bootId, generation, tree }
}

/** All or nothing. */
export function writeIndex(path: string, { bootId, generation, tree }: TreeIndex): void {
  const parts = [VERSION, bootId, generation]
  for (const [name, signature] of tree) parts.push(name, signature)
  writeFileSync(`${path}.new`, `${parts.join('\0')}\0`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}
