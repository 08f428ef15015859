import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createContentStore } from '#content'
import type { ContentStore } from '#content'
import { createFiles, createMounts } from '#kernel'
import { openMetadata } from '#metadata'
import type { Metadata } from '#metadata'
import { createOverlaySnapshotter, createWorkerPool } from '#snapshots'
import type { DraftLayers, JobRunner, LayerCare, Snapshotter } from '#snapshots'

/** The storage modules as the daemon puts them together, in a data root of their own. */
export interface Storage extends AsyncDisposable {
  root: string
  metadata: Metadata
  content: ContentStore
  jobs: JobRunner
  snapshotter: Snapshotter & LayerCare & DraftLayers
  /** Failures in the background. */
  reported: unknown[]
}

const WORKER_ENTRY = new URL('../../../src/snapshots/worker-entry.ts', import.meta.url)

/** Opens a data root, a new one by default; disposing closes it and, when it was new, deletes it. */
export async function openStorage(
  options: { root?: string; bootId?: string; owners?: string[]; layerBlobs?: 'keep' | 'discard'; workerEntry?: URL } = {},
): Promise<Storage> {
  const root = options.root ?? mkdtempSync(join(tmpdir(), 'storage-'))
  mkdirSync(root, { recursive: true })
  const reported: unknown[] = []
  const metadata = openMetadata(join(root, 'gantry.db'))
  const content = createContentStore({ root: join(root, 'content') })
  const jobs = createWorkerPool({ entry: options.workerEntry ?? WORKER_ENTRY, size: 2 })
  const snapshotter = createOverlaySnapshotter({
    paths: { root, layers: join(root, 'layers'), snapshots: join(root, 'snapshots'), temporary: join(root, 'tmp') },
    metadata,
    content,
    files: createFiles(),
    mounts: createMounts(),
    jobs,
    report: (error) => reported.push(error),
    ...(options.layerBlobs === undefined ? {} : { layerBlobs: options.layerBlobs }),
    ...(options.bootId === undefined ? {} : { bootId: options.bootId }),
  })
  await content.restore()
  await snapshotter.restore(new Set(options.owners))
  return {
    root,
    metadata,
    content,
    jobs,
    snapshotter,
    reported,
    async [Symbol.asyncDispose]() {
      await snapshotter.settled()
      await jobs[Symbol.asyncDispose]()
      metadata.close()
      if (options.root === undefined) rmSync(root, { recursive: true, force: true })
    },
  }
}
