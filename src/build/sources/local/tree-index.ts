import { closeSync, openSync, readSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { decodeName, encodeName } from '#archive'
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
/** Bytes in which version and boot are. */
const HEADER = 64

/** undefined: there is none that can be read. */
export async function readIndex(path: string): Promise<TreeIndex | undefined> {
  let text: string
  try {
    text = decodeName(await readFile(path))
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

/** Only the boot of an index, for a look at all of them. */
export function readBootId(path: string): string | undefined {
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const start = Buffer.alloc(HEADER)
    const [version, bootId] = start.toString('utf8', 0, readSync(fd, start)).split('\0')
    return version === VERSION ? bootId : undefined
  } finally {
    closeSync(fd)
  }
}

/** All or nothing. */
export async function writeIndex(path: string, { bootId, generation, tree }: TreeIndex): Promise<void> {
  const parts = [VERSION, bootId, generation]
  for (const [name, signature] of tree) parts.push(name, signature)
  await writeFile(`${path}.new`, encodeName(`${parts.join('\0')}\0`), { mode: 0o600 })
  await rename(`${path}.new`, path)
}
