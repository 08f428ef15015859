/** The files below the directories of specifications. They are others' work: any of them may be broken, huge, or no file at all. */

import { constants } from 'node:fs'
import { open, readdir, realpath, stat } from 'node:fs/promises'
import { dirname, extname, join } from 'node:path'
import { codeOf } from '#errors'
import { decodeSpec } from './decode-spec.ts'
import type { CdiSpec } from './types.ts'
import { verifySpec } from './verify-spec.ts'

/** Bytes of one file. Those of a machine with eight GPUs have some 60 KB. */
const MAX_FILE = 1 << 20

/** Files of one directory that are read. */
const MAX_FILES = 1000

/** A file and what came of it. */
export interface SpecFile {
  readonly path: string
  /** Place of its directory among all: a higher one counts more. */
  readonly priority: number
  readonly result: { spec: CdiSpec } | { error: string }
}

/** Files by path, with what told that they have not changed. */
export type SpecCache = Map<string, { stamp: string; result: SpecFile['result'] }>

/** By directory, then by name. `cache` is brought up to date: only what has changed is read. Directories that are not there have no files. */
export async function readDirectories(directories: readonly string[], cache: SpecCache): Promise<SpecFile[]> {
  const files: SpecFile[] = []
  for (const [priority, directory] of directories.entries()) {
    const names = await specNames(directory)
    if (!Array.isArray(names)) files.push({ path: directory, priority, result: names })
    else
      for (const name of names) {
        const path = join(directory, name)
        const result = await readCached(directory, path, cache)
        if (result !== undefined) files.push({ path, priority, result })
      }
  }
  const present = new Set(files.map(({ path }) => path))
  for (const path of cache.keys()) if (!present.has(path)) cache.delete(path)
  return files
}

async function specNames(directory: string): Promise<string[] | { error: string }> {
  try {
    const entries = await readdir(directory, { withFileTypes: true })
    const names = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name)
    return names
      .filter((name) => ['.json', '.yaml'].includes(extname(name)))
      .sort()
      .slice(0, MAX_FILES)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return []
    return { error: `failed to read CDI Spec directory ${JSON.stringify(directory)}: ${(error as Error).message}` }
  }
}

/** undefined: it has gone, or is a directory behind a link. */
async function readCached(directory: string, path: string, cache: SpecCache): Promise<SpecFile['result'] | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined)
  if (found === undefined || found.isDirectory()) return undefined
  const stamp = [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join(' ')
  const known = cache.get(path)
  if (known?.stamp === stamp) return known.result
  const result = await readSpec(directory, path)
  cache.set(path, { stamp, result })
  return result
}

async function readSpec(directory: string, path: string): Promise<SpecFile['result']> {
  const quoted = JSON.stringify(path)
  let text: string
  try {
    text = await readText(directory, path)
  } catch (error) {
    return { error: `failed to read CDI Spec ${quoted}: ${(error as Error).message}` }
  }
  if (text.trim() === '') return { error: `failed to parse CDI Spec ${quoted}, no Spec data` }
  try {
    const spec = await decodeSpec(text)
    verifySpec(spec)
    return { spec }
  } catch (error) {
    if (codeOf(error) !== 'INVALID_ARGUMENT') throw error
    const { message } = error as Error
    return { error: message.startsWith('invalid CDI Spec') ? message : `failed to parse CDI Spec ${quoted}: ${message}` }
  }
}

/** A link may lead to a file beside it and nowhere else: whoever may write in there names devices, and does not get to show root's files. */
async function readText(directory: string, path: string): Promise<string> {
  const real = await realpath(path)
  if (dirname(real) !== (await realpath(directory))) throw new Error(`it leads out of ${directory}`)
  // A named pipe would be waited for.
  await using file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  const found = await file.stat()
  if (!found.isFile()) throw new Error('not a regular file')
  if (found.size > MAX_FILE) throw new Error(`${found.size} bytes, at most ${MAX_FILE} are allowed`)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_FILE), 0, MAX_FILE, 0)
  return buffer.toString('utf8', 0, bytesRead)
}
