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
const NUL = Buffer.alloc(1)

/** undefined: there is none that can be read. */
export async function readIndex(path: string): Promise<TreeIndex | undefined> {
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const [version, bootId, generation, ...fields] = fieldsOf(bytes)
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
  await writeFile(`${path}.new`, bytesOf(`${parts.join('\0')}\0`), { mode: 0o600 })
  await rename(`${path}.new`, path)
}

/** At once where all is UTF-8, nearly always; else field by field, as names that are none are read a byte at a time. */
function fieldsOf(bytes: Buffer): string[] {
  const text = bytes.toString()
  if (!text.includes('\uFFFD')) return text.split('\0')
  const fields: string[] = []
  let start = 0
  for (let end = bytes.indexOf(0); end !== -1; end = bytes.indexOf(0, start)) {
    fields.push(decodeName(bytes.subarray(start, end)))
    start = end + 1
  }
  return [...fields, decodeName(bytes.subarray(start))]
}

function bytesOf(text: string): string | Buffer {
  return text.isWellFormed() ? text : Buffer.concat(text.split('\0').flatMap((field) => [encodeName(field), NUL])).subarray(0, -1)
}
