/** Exporters over real storage, images and registries, for a client that keeps what it is sent. */
import { chownSync, lutimesSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { CacheDeps } from '../../../src/build/export/cache/store-cache.ts'
import { createExporters } from '../../../src/build/export/exporters.ts'
import { FakeSession } from '../../../src/build/export/testing/fake-session.ts'
import type { BuildImage, ExportContext, SolvedResult, StepResult } from '../../../src/build/types.ts'
import type { Lease } from '#content'
import { createImageService } from '#images'
import type { ImageService } from '#images'
import { createFiles } from '#kernel'
import { digestOf, hostPlatform } from '#oci'
import type { Digest, ImageConfigFile } from '#oci'
import { createHostResolver, createRemotes } from '#remotes'
import { openStorage } from '../storage/storage.ts'
import type { Storage } from '../storage/storage.ts'

export interface ExportWorld extends AsyncDisposable {
  storage: Storage
  images: ImageService
  deps: CacheDeps
  session: FakeSession
  steps: StepResult[]
  lease: Lease
  /** A step that does `work` in its root file system; known to caches as `name`. */
  step(name: string, parent: Digest | undefined, work: (root: string) => void): Promise<Digest>
  context(members?: Partial<ExportContext>): ExportContext
  export(
    type: string,
    attributes: Record<string, string>,
    result: SolvedResult,
    options?: Record<string, string>,
  ): Promise<Record<string, string>>
}

export async function openWorld(): Promise<ExportWorld> {
  await using undo = new AsyncDisposableStack()
  const storage = undo.use(await openStorage())
  const remotes = undo.use(createRemotes({ hosts: createHostResolver({}), userAgent: 'export-test' }))
  const images = createImageService({
    ...storage,
    users: { usersOf: () => [] },
    publish: () => {},
    remotes,
    maxConcurrentDownloads: () => 3,
    maxConcurrentUploads: () => 5,
    report: (error) => storage.reported.push(error),
  })
  const { content, snapshotter } = storage
  const deps: CacheDeps = { content, snapshotter, images, remotes, files: createFiles(), builderId: '', proxies: {} }
  const session = new FakeSession()
  const steps: StepResult[] = []
  const lease = content.lease()
  const context = (members: Partial<ExportContext> = {}): ExportContext => ({
    session,
    signal: new AbortController().signal,
    progress: { send: () => {} },
    lease,
    provenance: {
      buildId: 'build',
      frontend: 'dockerfile.v0',
      options: {},
      materials: [],
      directories: new Set(),
      startedAt: 0,
      graph: [],
    },
    steps,
    inlineCache: false,
    ...members,
  })
  const kept = undo.move()
  return {
    storage,
    images,
    deps,
    session,
    steps,
    lease,
    context,
    async step(name, parent, work) {
      const key = `step-${steps.length}`
      await snapshotter.prepareStep(key, parent, { bare: true })
      {
        using mounted = snapshotter.mountStep(key)
        work(mounted.path)
      }
      const chain = await snapshotter.commitStep(key, lease)
      if (chain === undefined) throw new Error(`step ${name} left nothing`)
      const id = keyOf(name)
      steps.push({ vertex: id, output: 0, keys: [id], chain, description: name, createdAt: Date.now(), isInResult: true })
      return chain
    },
    export: (type, attributes, result, options = {}) =>
      createExporters(deps).prepare({ type, attributes, id: '' }, options).export(result, context()),
    async [Symbol.asyncDispose]() {
      lease[Symbol.dispose]()
      await kept.disposeAsync()
    },
  }
}

export function keyOf(name: string): Digest {
  return digestOf(Buffer.from(name))
}

/** A result of one platform. */
export function resultOf(chain: Digest, members: Partial<BuildImage> = {}): SolvedResult {
  return { images: [imageOf(chain, members)], multiPlatform: false, metadata: {} }
}

export function imageOf(chain: Digest, members: Partial<BuildImage> = {}): SolvedResult['images'][number] {
  const platform = members.platform ?? hostPlatform()
  const config: ImageConfigFile = { ...platform, config: { Cmd: ['/hello'] }, rootfs: { type: 'layers', diff_ids: [] }, history: [] }
  return { image: { id: '', platform, edge: undefined, config, ...members }, ref: { kind: 'layers', chain } }
}

/** A tree with something of each kind that makes trouble, as a step leaves it. */
export function writeTree(root: string, time: Date = new Date()): void {
  for (const [path, text] of Object.entries({ 'etc/name': 'value', 'a.b': 'beside', 'a/b': 'below', 'usr/bin/tool': '#!/bin/sh\n' })) {
    mkdirSync(dirname(`${root}/${path}`), { recursive: true })
    writeFileSync(`${root}/${path}`, text, { mode: path.startsWith('usr') ? 0o755 : 0o644 })
    lutimesSync(`${root}/${path}`, time, time)
  }
  chownSync(`${root}/etc/name`, 12, 34)
  rmSync(`${root}/link`, { force: true })
  symlinkSync('/etc/name', `${root}/link`)
  lutimesSync(`${root}/link`, time, time)
  for (const directory of ['a', 'etc', 'usr/bin', 'usr']) lutimesSync(`${root}/${directory}`, time, time)
}
