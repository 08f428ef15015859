import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EngineError } from '#errors'
import type { RegistryStorage } from '../types.ts'
import { createFileBlobs } from './blobs.ts'
import { createDurableFiles, isMissing } from './durable-files.ts'
import { storagePaths, type StoragePaths } from './paths.ts'
import { createFileRecords } from './records.ts'
import { createFileUploads } from './uploads.ts'

const LAYOUT = '1\n'

export interface FileStorageOptions {
  /** Made when it is not there. One process at a time uses it. */
  root: string
  /** Whether blobs and records are on the disk before they are acknowledged. Default: true; tests need no disk. */
  sync?: boolean
}

/**
 * Storage in a directory of a local file system. Blobs and records are written beside their place, synced, and renamed: a name stands for whole
 * content, whatever happens. Throws CONFLICT for a directory of another layout.
 */
export async function openFileStorage({ root, sync = true }: FileStorageOptions): Promise<RegistryStorage> {
  const paths = storagePaths(root)
  for (const directory of [paths.blobs, paths.uploads, paths.records, paths.temporary]) {
    await mkdir(directory, { recursive: true, mode: 0o700 })
  }
  await checkLayout(paths)
  await removeRemains(paths)
  const files = createDurableFiles({ temporary: paths.temporary, sync })
  return {
    blobs: createFileBlobs(paths, files),
    uploads: createFileUploads(paths, files),
    records: createFileRecords(paths, files),

    async check() {
      const probe = join(paths.temporary, randomUUID())
      await writeFile(probe, 'registry')
      await rm(probe)
    },

    redirect: () => Promise.resolve(undefined),

    async [Symbol.asyncDispose]() {
      // Nothing is held open between two calls.
    },
  }
}

async function checkLayout(paths: StoragePaths): Promise<void> {
  let layout: string
  try {
    layout = await readFile(paths.layout, 'utf8')
  } catch (error) {
    if (!isMissing(error)) throw error
    return writeFile(paths.layout, LAYOUT, { mode: 0o600 })
  }
  if (layout !== LAYOUT) {
    throw new EngineError('CONFLICT', `${paths.layout}: layout ${JSON.stringify(layout.trim())} is not one that this version knows`)
  }
}

/** What a process that was killed left behind: drafts, and uploads whose data is a blob already or was never made. */
async function removeRemains(paths: StoragePaths): Promise<void> {
  for (const name of await readdir(paths.temporary)) await rm(join(paths.temporary, name), { recursive: true, force: true })
  for (const id of await readdir(paths.uploads)) {
    const upload = paths.upload(id)
    const names = await readdir(upload.directory)
    if (!names.includes('data') || !names.includes('owner')) await rm(upload.directory, { recursive: true, force: true })
  }
}
