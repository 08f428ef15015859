import { mkdtempDisposableSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { createContentStore } from '#content'
import type { ContentStore } from '#content'
import { createMemoryMetadata } from '#metadata'
import type { Metadata } from '#metadata'
import { createFakeSnapshotter } from '#snapshots'
import type { FakeSnapshotter } from '#snapshots'
import { createImageService } from '../image-service.ts'
import type { Image, ImageService, ProgressMessage } from '../types.ts'
import { FakeRegistry } from './fake-registry.ts'

/** An image service on a fake snapshotter, with all that it tells others. */
export interface ImagesUnderTest extends Disposable {
  images: ImageService
  content: ContentStore
  snapshotter: FakeSnapshotter
  metadata: Metadata
  /** Image id → containers made from it. */
  users: Map<string, { id: string; running: boolean }[]>
  /** `action name`. */
  events: string[]
  reported: unknown[]
  /** What every registry holds. */
  registry: FakeRegistry
  /** At once; Docker's to begin with. */
  limits: { downloads: number; uploads: number }
  /** Loads an archive and gives what was reported for the user. */
  load(archive: Buffer): Promise<{ images: Image[]; messages: ProgressMessage[] }>
  /** A new service on the same rows and files, as after a restart. */
  restart(): ImageService
}

export function imagesUnderTest(): ImagesUnderTest {
  const directory = mkdtempDisposableSync(join(tmpdir(), 'images-'))
  const content = createContentStore({ root: directory.path })
  const snapshotter = createFakeSnapshotter({ content })
  const metadata = createMemoryMetadata()
  const users = new Map<string, { id: string; running: boolean }[]>()
  const events: string[] = []
  const reported: unknown[] = []
  const registry = new FakeRegistry()
  const limits = { downloads: 3, uploads: 5 }
  const restart = (): ImageService =>
    createImageService({
      metadata,
      content,
      snapshotter,
      users: { usersOf: (id) => users.get(id) ?? [] },
      publish: (action, _id, attributes) => events.push(`${action} ${attributes['name'] ?? ''}`.trim()),
      remotes: registry.remotes,
      maxConcurrentDownloads: () => limits.downloads,
      maxConcurrentUploads: () => limits.uploads,
      report: (error) => reported.push(error),
    })
  const images = restart()
  return {
    images,
    content,
    snapshotter,
    metadata,
    users,
    events,
    reported,
    registry,
    limits,
    restart,
    async load(archive) {
      const messages: ProgressMessage[] = []
      const loaded = await images.load(Readable.from([archive], { objectMode: false }), {
        quiet: true,
        report: (message) => messages.push(message),
      })
      return { images: loaded, messages }
    },
    [Symbol.dispose]: () => directory.remove(),
  }
}
