import { readdir, readFile } from 'node:fs/promises'
import { invalidArgument } from '#errors'
import type { ListOptions, RecordStorage } from '../types.ts'
import { isMissing, type DurableFiles } from './durable-files.ts'
import type { StoragePaths } from './paths.ts'

const SEGMENT = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,255}$/

export function createFileRecords(paths: StoragePaths, files: DurableFiles): RecordStorage {
  function pathOf(key: string): string {
    // Keys are made of checked names; this is the second lock on the door out of the root.
    if (!key.split('/').every((segment) => SEGMENT.test(segment))) throw invalidArgument(`invalid record key "${key}"`)
    return paths.record(key)
  }

  return {
    async get(key) {
      try {
        return await readFile(pathOf(key))
      } catch (error) {
        if (isMissing(error) || (error as NodeJS.ErrnoException).code === 'EISDIR') return undefined
        throw error
      }
    },

    put: async (key, value) => await files.write(pathOf(key), value),

    delete: async (key) => await files.remove(pathOf(key), paths.records),

    async *list(directory, options) {
      yield* select(await namesIn(pathOf(directory), 'files'), options)
    },

    async *directories(directory, options) {
      yield* select(await namesIn(pathOf(directory), 'directories'), options)
    },
  }
}

/** Sorted: names are ASCII, so the order of UTF-16 units is that of bytes. */
async function namesIn(directory: string, kind: 'files' | 'directories'): Promise<string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true })
    const wanted = entries.filter((entry) => (kind === 'files' ? entry.isFile() : entry.isDirectory()))
    return wanted.map((entry) => entry.name).sort()
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

function select(names: readonly string[], { after, limit = Infinity }: ListOptions = {}): readonly string[] {
  const first = after === undefined ? 0 : names.findIndex((name) => name > after)
  return first < 0 ? [] : names.slice(first, first + limit)
}
