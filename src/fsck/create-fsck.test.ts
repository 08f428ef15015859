import assert from 'node:assert/strict'
import { mkdirSync, mkdtempDisposableSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createContentStore } from '#content'
import { createFiles } from '#kernel'
import { createMemoryMetadata } from '#metadata'
import { digestOf } from '#oci'
import { createInlineRunner } from '#snapshots'
import { createFsck } from './create-fsck.ts'
import type { FsckDeps } from './run.ts'
import type { FsckEvent } from './types.ts'

/** A store without layers and images. `changes` replaces parts of what the checks ask. */
function setUp(changes: Partial<FsckDeps> = {}): Disposable & { deps: FsckDeps; events: FsckEvent[]; report: (event: FsckEvent) => void } {
  const directory = mkdtempDisposableSync(join(tmpdir(), 'fsck-'))
  const dataRoot = directory.path
  for (const name of ['containers', 'volumes']) mkdirSync(join(dataRoot, name))
  const snapshotter = {
    layers: () => [],
    release() {},
    brokenChains: () => [],
    brokenInits: () => [],
    snapshots: () => [],
    leftovers: () => [],
    settled: async () => {},
  } as unknown as FsckDeps['snapshotter']
  const events: FsckEvent[] = []
  const deps: FsckDeps = {
    metadata: createMemoryMetadata(),
    content: createContentStore({ root: join(dataRoot, 'content') }),
    snapshotter,
    images: { check: () => [], list: () => [] },
    jobs: createInlineRunner({ files: createFiles() }),
    mounted: async () => new Set(),
    paths: { dataRoot, containers: join(dataRoot, 'containers'), volumes: join(dataRoot, 'volumes'), temporary: join(dataRoot, 'tmp') },
    ...changes,
  }
  return { deps, events, report: (event) => events.push(event), [Symbol.dispose]: () => directory.remove() }
}

/** Puts a blob into the store whose bytes are not those of its name. */
async function damagedBlob({ content }: FsckDeps): Promise<`sha256:${string}`> {
  using lease = content.lease()
  const { digest } = await content.ingest([Buffer.from('good')], { lease })
  await lease.durable()
  writeFileSync(content.path(digest), 'bad')
  return digest
}

describe('createFsck', () => {
  it('finds nothing in an empty store, and tells its phases in order', async () => {
    using test = setUp()
    const report = await createFsck(test.deps).run({ repair: false, report: test.report })
    assert.deepEqual(report, { findings: [], checked: { blobs: 0, layers: 0, images: 0, containers: 0 }, lost: [], clean: true })
    const phases = test.events.flatMap((event) => (event.kind === 'progress' ? [event.phase] : []))
    assert.deepEqual([...new Set(phases)], ['database', 'blobs', 'layers', 'records', 'leftovers'])
  })

  it('changes nothing without repair, and says with it what became of each finding', async () => {
    using test = setUp()
    const digest = await damagedBlob(test.deps)
    const fsck = createFsck(test.deps)
    const looked = await fsck.run({ repair: false, report: test.report })
    assert.deepEqual(
      looked.findings.map(({ kind, object, repairable, outcome }) => [kind, object, repairable, outcome]),
      [['blob-damaged', digest, true, 'found']],
    )
    assert.deepEqual([looked.clean, test.deps.content.has(digest)], [false, true])
    const mended = await fsck.run({ repair: true, report: test.report })
    assert.deepEqual([mended.findings[0]?.outcome, mended.clean, test.deps.content.has(digest)], ['repaired', true, false])
  })

  it('leaves a damaged blob that somebody holds, and says so', async () => {
    using test = setUp()
    const digest = await damagedBlob(test.deps)
    using lease = test.deps.content.lease()
    lease.hold(digest)
    const { findings, clean } = await createFsck(test.deps).run({ repair: true, report: test.report })
    assert.deepEqual([findings[0]?.outcome, clean], ['failed', false])
    assert.match(findings[0]?.text ?? '', /cannot repair: it is being used/)
  })

  it('keeps a note from making the store unclean, and names what is lost', async () => {
    const lost = digestOf('image')
    using test = setUp({
      images: {
        check: () => [{ kind: 'image', object: lost, text: 'its config is gone', lost: ['b:1', 'a:1'], mend() {} }],
        list: () => [],
      },
    })
    mkdirSync(join(test.deps.paths.volumes, 'unknown'))
    const { findings, clean, lost: names } = await createFsck(test.deps).run({ repair: true, report: test.report })
    assert.deepEqual(
      findings.map(({ kind, severity, outcome }) => `${kind} ${severity} ${outcome}`),
      ['image-broken error repaired', 'orphan note found'],
    )
    assert.deepEqual([clean, names], [true, ['a:1', 'b:1']])
  })

  it('runs once at a time, and ends when its signal aborts', async () => {
    const { promise, resolve } = Promise.withResolvers<ReadonlySet<string>>()
    using test = setUp({ mounted: () => promise })
    await damagedBlob(test.deps)
    const fsck = createFsck(test.deps)
    const first = fsck.run({ repair: false, report: test.report })
    await assert.rejects(fsck.run({ repair: false, report: test.report }), { code: 'CONFLICT' })
    resolve(new Set())
    await first
    const abort = new AbortController()
    abort.abort(new Error('enough'))
    await assert.rejects(fsck.run({ repair: true, signal: abort.signal, report: test.report }), { message: 'enough' })
  })
})
