import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFiles } from '#kernel'
import type { Lease } from '#content'
import type { ChainId } from '#snapshots'
import { createContentDigests } from '../../../src/build/files/content-digests.ts'
import { createDiffRunner } from '../../../src/build/files/diff-runner.ts'
import { createFileRunner } from '../../../src/build/files/file-runner.ts'
import { createMergeRunner } from '../../../src/build/files/merge-runner.ts'
import { vertex } from '../../../src/build/graph/digest.ts'
import type { LayerRef, Ref } from '../../../src/build/graph/ref.ts'
import type { CopyAction, FileAction, Op } from '../../../src/build/graph/types.ts'
import { COPY } from '../../../src/build/testing/sample-operations.ts'
import type { ContentDigests, Step, StepRunner } from '../../../src/build/types.ts'
import { openStorage } from '../storage/storage.ts'
import type { Storage } from '../storage/storage.ts'

/** File steps over real storage, as the daemon puts them together. */
export interface World extends AsyncDisposable {
  storage: Storage
  digests: ContentDigests
  lease: Lease
  /** A directory of the host that a client might have sent; `fill` makes what is in it. */
  directory(fill: (path: string) => void, generation?: string): Ref & { kind: 'directory' }
  /** The outputs of an operation. */
  run(op: Op, ...inputs: Ref[]): Promise<readonly LayerRef[]>
  /** One copy from `from` onto `base`. */
  copy(from: Ref, base: Ref, action: Partial<CopyAction>): Promise<LayerRef>
  /** A base that `fill` has written. */
  base(fill: (path: string) => void): Promise<LayerRef>
  /** Gives the root of a file system to `look`, with a slash at the end. */
  view<T>(ref: LayerRef, look: (root: string) => T): T
  /** Layers of a file system that is not empty: ids, lowest first; directories, topmost first. */
  layers(ref: LayerRef): { ids: string[]; paths: string[] }
  /** Steps that were begun and have not become layers. */
  leftovers(): string[]
}

export async function openWorld(): Promise<World> {
  const storage = await openStorage({ workerEntry: new URL('./worker-entry.ts', import.meta.url) })
  const { snapshotter, content, jobs } = storage
  const sent = mkdtempSync(join(tmpdir(), 'build-files-'))
  const lease = content.lease()
  const deps = { snapshotter, jobs, files: createFiles() }
  const runners: Record<string, StepRunner> = {
    file: createFileRunner(deps),
    merge: createMergeRunner(deps),
    diff: createDiffRunner(deps),
  }
  let directories = 0

  const world: World = {
    storage,
    lease,
    digests: createContentDigests(deps),
    directory(fill, generation) {
      const path = join(sent, String(++directories))
      mkdirSync(path)
      fill(path)
      return { kind: 'directory', path, generation: generation ?? `generation ${directories}` }
    },
    async run(op, ...inputs) {
      const runner = runners[op.kind]
      if (runner === undefined) throw new Error(`no runner for ${op.kind}`)
      const step = { vertex: vertex(op, [], { name: 'test' }), lease, signal: new AbortController().signal } as unknown as Step
      return await runner.run(inputs, step)
    },
    async copy(from, base, action) {
      const only: FileAction = { ...COPY, ...action, action: 'copy', input: 1, from: 0, output: 0 }
      const [result] = await world.run({ kind: 'file', actions: [only] }, from, base)
      return result ?? { kind: 'layers', chain: undefined }
    },
    async base(fill) {
      const key = `base-${++directories}`
      await snapshotter.prepareStep(key, undefined, { bare: true })
      {
        using mounted = snapshotter.mountStep(key)
        fill(`${mounted.path}/`)
      }
      return { kind: 'layers', chain: await snapshotter.commitStep(key, lease) }
    },
    view(ref, look) {
      using mounted = snapshotter.view({ chain: ref.chain as ChainId })
      return look(`${mounted.path}/`)
    },
    layers({ chain }) {
      if (chain === undefined) return { ids: [], paths: [] }
      return { ids: snapshotter.layersOf(chain).map(({ id }) => id), paths: snapshotter.layerPaths(chain) }
    },
    leftovers: () => [...readdirSync(join(storage.root, 'snapshots')), ...snapshotter.leftovers()],
    async [Symbol.asyncDispose]() {
      lease[Symbol.dispose]()
      await storage[Symbol.asyncDispose]()
      rmSync(sent, { recursive: true })
    },
  }
  return world
}
