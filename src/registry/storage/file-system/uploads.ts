import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdir, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { notFound } from '#errors'
import type { StoredUpload, UploadStorage } from '../types.ts'
import { appendFile } from './append-file.ts'
import { openForReading } from './blobs.ts'
import { isMissing, type DurableFiles } from './durable-files.ts'
import type { StoragePaths } from './paths.ts'

/** What `randomUUID` gives; nothing else becomes a path. */
const UPLOAD_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Uploads are not synced while they grow: after a loss of power a client starts anew. */
export function createFileUploads(paths: StoragePaths, files: DurableFiles): UploadStorage {
  async function statUpload(id: string): Promise<StoredUpload | undefined> {
    if (!UPLOAD_ID.test(id)) return undefined
    const { data, owner } = paths.upload(id)
    try {
      const [file, start, name] = await Promise.all([stat(data), stat(owner), readFile(owner, 'utf8')])
      return { id, owner: name, size: file.size, started: Math.trunc(start.mtimeMs), modified: Math.trunc(file.mtimeMs) }
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  function dataOf(id: string): string {
    if (!UPLOAD_ID.test(id)) throw unknownUpload(id)
    return paths.upload(id).data
  }

  async function abort(id: string): Promise<void> {
    if (UPLOAD_ID.test(id)) await rm(paths.upload(id).directory, { recursive: true, force: true })
  }

  return {
    async create(owner) {
      const id = randomUUID()
      const { directory, owner: ownerFile, data } = paths.upload(id)
      await mkdir(directory, { mode: 0o700 })
      await writeFile(ownerFile, owner, { mode: 0o600 })
      await writeFile(data, '', { mode: 0o600 })
      const now = Date.now()
      return { id, owner, size: 0, started: now, modified: now }
    },

    stat: statUpload,

    async append(id, chunks, stored) {
      await using file = await openExisting(dataOf(id), id)
      let { size } = await file.stat()
      await appendFile(file, chunks, {
        sync: (open) => files.sync(open),
        written: (bytes) => stored?.((size += bytes)),
      })
      return (await file.stat()).size
    },

    read: async (id, start = 0) => await openForReading(dataOf(id), `upload ${id}`, { start, end: Infinity }),

    async commit(id, digest) {
      const path = dataOf(id)
      try {
        await files.place(path, paths.blob(digest))
      } catch (error) {
        if (isMissing(error)) throw unknownUpload(id, error)
        throw error
      }
      await abort(id)
    },

    abort,

    async *list() {
      for (const id of await readdir(paths.uploads)) {
        const upload = await statUpload(id)
        if (upload !== undefined) yield upload
      }
    },
  }
}

async function openExisting(path: string, id: string): ReturnType<typeof open> {
  try {
    // Not 'a', which would create the file that an abort has just removed.
    return await open(path, constants.O_WRONLY | constants.O_APPEND)
  } catch (error) {
    if (isMissing(error)) throw unknownUpload(id, error)
    throw error
  }
}

function unknownUpload(id: string, cause?: unknown): Error {
  return notFound(`upload ${id} is not known`, cause)
}
