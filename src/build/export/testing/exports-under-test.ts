import { mkdtempDisposableSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { tarEntry, writeTar } from '#archive'
import { createContentStore } from '#content'
import type { ContentStore, Lease } from '#content'
import { createImageService } from '#images'
import type { ImageService, UploadOptions } from '#images'
import { createFakeFiles } from '#kernel'
import { createMemoryMetadata } from '#metadata'
import { digestOf, fullString, hostPlatform } from '#oci'
import type { Digest, ImageConfigFile } from '#oci'
import { createFakeSnapshotter } from '#snapshots'
import type { ChainId, FakeSnapshotter } from '#snapshots'
import type { BuildEvent } from '../../progress.ts'
import type { BuildImage, ExportContext, ExportRequest, SolvedResult, StepResult } from '../../types.ts'
import { createExporters } from '../exporters.ts'
import type { CacheDeps } from '../cache/store-cache.ts'
import { fakeRepository } from './fake-repository.ts'
import { FakeSession } from './fake-session.ts'

/** Exporters on a fake snapshotter, a real content store and image service. */
export interface ExportsUnderTest extends Disposable {
  images: ImageService
  content: ContentStore
  snapshotter: FakeSnapshotter
  deps: CacheDeps
  /** What registries hold, by full name. */
  tags: Map<string, Digest>
  /** Registries hold what another one has uploaded. */
  serve(other: ExportsUnderTest): void
  session: FakeSession
  /** `action name` of events about images. */
  events: string[]
  progress: BuildEvent[]
  /** What was uploaded. */
  uploads: UploadOptions[]
  steps: StepResult[]
  lease: Lease
  /** A step that left one file, as a draft. */
  draft(parent: ChainId | undefined, path: string, text: string): Promise<ChainId>
  context(members?: Partial<ExportContext>): ExportContext
  export(request: Partial<ExportRequest>, result: SolvedResult, options?: ExportOptions): Promise<Record<string, string>>
  /** The config of an image as stored. */
  config(ref: string): ImageConfigFile
}

export interface ExportOptions {
  frontend?: Record<string, string>
  context?: Partial<ExportContext>
}

export function exportsUnderTest(): ExportsUnderTest {
  const directory = mkdtempDisposableSync(join(tmpdir(), 'exports-'))
  const content = createContentStore({ root: directory.path })
  const snapshotter = createFakeSnapshotter({ content })
  const events: string[] = []
  const uploads: UploadOptions[] = []
  const images = createImageService({
    metadata: createMemoryMetadata(),
    content,
    snapshotter,
    users: { usersOf: () => [] },
    publish: (action, _id, attributes) => events.push(`${action} ${attributes['name'] ?? ''}`),
    remotes: {
      repository: () => {
        throw new Error('no registry in this test')
      },
    },
    maxConcurrentDownloads: () => 3,
    maxConcurrentUploads: () => 5,
    report: () => {},
  })
  const place: { registry: ContentStore | undefined; tags: Map<string, Digest> } = { registry: undefined, tags: new Map() }
  const recorded = {
    ...images,
    upload: async (options: UploadOptions) => {
      uploads.push(options)
      place.tags.set(fullString(options.reference), options.manifests.at(-1)?.digest ?? digestOf(Buffer.alloc(0)))
    },
  }
  const deps: CacheDeps = {
    content,
    snapshotter,
    images: recorded,
    remotes: { repository: (name) => fakeRepository(name, place) },
    files: createFakeFiles(),
    builderId: 'https://example.com/gantry',
    proxies: {},
  }
  const session = new FakeSession()
  const progress: BuildEvent[] = []
  const steps: StepResult[] = []
  const lease = content.lease()
  let drafts = 0

  const context = (members: Partial<ExportContext> = {}): ExportContext => ({
    session,
    signal: new AbortController().signal,
    progress: { send: (event) => progress.push(event) },
    lease,
    provenance: {
      buildId: 'build-1',
      frontend: 'dockerfile.v0',
      options: {},
      materials: [],
      directories: new Set(),
      startedAt: 1_700_000_000_000,
      graph: [],
    },
    steps,
    inlineCache: false,
    ...members,
  })

  return {
    images,
    content,
    snapshotter,
    deps,
    tags: place.tags,
    serve(other) {
      place.registry = other.content
      for (const [name, digest] of other.tags) place.tags.set(name, digest)
    },
    session,
    events,
    progress,
    uploads,
    steps,
    lease,
    context,
    async draft(parent, path, text) {
      const key = `step-${drafts++}`
      await snapshotter.prepareStep(key, parent, { bare: true })
      const bytes = Buffer.from(text)
      snapshotter.write(key, {
        tar: await buffer(writeTar([{ entry: tarEntry({ path, size: bytes.length }), body: [bytes] }])),
        size: bytes.length,
      })
      const chain = await snapshotter.commitStep(key, lease)
      if (chain === undefined) throw new Error('the step left nothing')
      return chain
    },
    async export({ type = 'moby', attributes = {}, id = '' }, result, { frontend = {}, context: members = {} } = {}) {
      return await createExporters(deps).prepare({ type, attributes, id }, frontend).export(result, context(members))
    },
    config: (ref) => images.get(ref).config,
    [Symbol.dispose]() {
      lease[Symbol.dispose]()
      directory.remove()
    },
  }
}

/** A result of one platform with this file system. */
export function resultOf(chain: ChainId | undefined, members: Partial<BuildImage> = {}): SolvedResult {
  const platform = members.platform ?? hostPlatform()
  const image: BuildImage = { id: '', platform, edge: undefined, config: configOf([]), ...members }
  return { images: [{ image, ref: { kind: 'layers', chain } }], multiPlatform: false, metadata: {} }
}

/** The config as a frontend makes it. */
export function configOf(history: ImageConfigFile['history'], members: Partial<ImageConfigFile> = {}): ImageConfigFile {
  return { ...hostPlatform(), config: { Cmd: ['/bin/sh'] }, rootfs: { type: 'layers', diff_ids: [] }, history: history ?? [], ...members }
}
