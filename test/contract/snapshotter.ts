import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import type { ContentStore, Lease } from '#content'
import { chainId, digestOf } from '#oci'
import type { Digest } from '#oci'
import type { DraftLayers, Snapshotter } from '#snapshots'
import { tarEntry, writeTar } from '#archive'

/** A snapshotter with the content store that it takes blobs from. `write` puts a file into the root of a writable layer of a step. */
export type SnapshotterUnderTest = AsyncDisposable & {
  snapshotter: Snapshotter & DraftLayers
  content: ContentStore
  write: (key: string, name: string, text: string) => void | Promise<void>
}

const EMPTY = digestOf('')

/** A layer of small files. */
export async function layerTar(files: Record<string, string>): Promise<Buffer> {
  return await buffer(
    writeTar(
      Object.entries(files).map(([path, text]) => ({
        entry: tarEntry({ path, size: Buffer.byteLength(text) }),
        body: [Buffer.from(text)],
      })),
    ),
  )
}

/** What every {@link Snapshotter} does, whether it has a file system or not. */
export function snapshotterContract(implementation: string, setUp: () => Promise<SnapshotterUnderTest>): void {
  /** Unpacks and stacks layers, lowest first. */
  async function build({ snapshotter, content }: SnapshotterUnderTest, ...tars: Buffer[]): Promise<Digest> {
    using lease = content.lease()
    let chain: Digest | undefined
    for (const tar of tars) {
      const blob = await content.ingest([tar], { lease })
      const layer = await snapshotter.unpack(blob.digest, { lease })
      chain = snapshotter.stack(chain, layer.diffId, lease)
    }
    assert.ok(chain)
    return chain
  }

  let steps = 0

  /** A step that writes one file, or nothing. */
  async function step(test: SnapshotterUnderTest, lease: Lease, parent: Digest | undefined, text?: string): Promise<Digest | undefined> {
    const key = `step-${++steps}`
    await test.snapshotter.prepareStep(key, parent, { bare: true })
    if (text !== undefined) await test.write(key, 'file', text)
    return await test.snapshotter.commitStep(key, lease)
  }

  describe(`${implementation} as DraftLayers`, () => {
    it('commitStep leaves a draft on top of its parent, and nothing of the writable layer', async () => {
      await using test = await setUp()
      using lease = test.content.lease()
      const base = await build(test, await layerTar({ a: 'a' }))
      await test.snapshotter.prepareStep('key', base, { bare: true })
      await assert.rejects(test.snapshotter.prepareStep('key', base, { bare: true }), { code: 'CONFLICT' })
      await test.write('key', 'file', 'text')
      const chain = await test.snapshotter.commitStep('key', lease)
      assert.ok(chain)
      assert.equal(test.snapshotter.has(chain), true)
      assert.deepEqual(
        test.snapshotter.layersOf(chain).map(({ isDraft }) => isDraft),
        [false, true],
      )
      assert.throws(() => test.snapshotter.layer(chain), { code: 'NOT_FOUND' })
      assert.throws(() => test.snapshotter.overlay('key'), { code: 'NOT_FOUND' })
      await assert.rejects(test.snapshotter.commitStep('key', lease), { code: 'NOT_FOUND' })
      await assert.rejects(test.snapshotter.prepareStep('other', digestOf('x'), { bare: true }), { code: 'NOT_FOUND' })
    })

    it('commitStep gives the parent when nothing was written', async () => {
      await using test = await setUp()
      using lease = test.content.lease()
      const base = await build(test, await layerTar({ a: 'a' }))
      assert.equal(await step(test, lease, base), base)
      assert.equal(await step(test, lease, undefined), undefined)
    })

    it('a draft may be stacked anywhere, and anything on it', async () => {
      await using test = await setUp()
      using lease = test.content.lease()
      const [base, other] = [await build(test, await layerTar({ a: 'a' })), await build(test, await layerTar({ b: 'b' }))]
      const chain = (await step(test, lease, base, 'text')) ?? base
      const draft = test.snapshotter.layersOf(chain).at(-1)
      assert.ok(draft?.isDraft)
      const moved = test.snapshotter.stack(other, draft.id, lease)
      const above = (await step(test, lease, moved, 'more')) ?? moved
      assert.equal(test.snapshotter.layersOf(above).length, 3)
      assert.equal(test.snapshotter.layerPaths(above).length, 3)
    })

    it('seal gives the same layers by diff id, the same for equal calls, and nothing for what is sealed', async () => {
      await using test = await setUp()
      using lease = test.content.lease()
      const base = await build(test, await layerTar({ a: 'a' }))
      const one = (await step(test, lease, base, 'one')) ?? base
      const two = (await step(test, lease, one, 'two')) ?? base
      const [sealed, same] = await Promise.all([test.snapshotter.seal(two, { lease }), test.snapshotter.seal(two, { lease })])
      assert.equal(sealed, same)
      const layers = test.snapshotter.layersOf(sealed)
      assert.deepEqual(
        layers.map(({ isDraft }) => isDraft),
        [false, false, false],
      )
      const { diffId, blob } = test.snapshotter.layer(sealed)
      assert.equal(layers.at(-1)?.id, diffId)
      assert.equal(digestOf(await buffer(test.snapshotter.layerTar(sealed))), diffId)
      assert.ok(test.content.has(blob) && test.snapshotter.blobs().has(blob))
      assert.equal(test.snapshotter.layer(two).diffId, diffId)
      assert.equal(await test.snapshotter.seal(sealed, { lease }), sealed)
      assert.equal(await test.snapshotter.seal(base, { lease }), base)
    })

    it('seal of one that gives up leaves the others alone', async () => {
      await using test = await setUp()
      using lease = test.content.lease()
      const chain = (await step(test, lease, undefined, 'one')) ?? EMPTY
      const abort = new AbortController()
      const sealing = [test.snapshotter.seal(chain, { lease, signal: abort.signal }), test.snapshotter.seal(chain, { lease })]
      abort.abort(new Error('gave up'))
      const [first, second] = await Promise.allSettled(sealing)
      assert.equal(first?.status, 'rejected')
      assert.equal(second?.status, 'fulfilled')
    })

    it('collect keeps drafts of chains that are used, and the layers that they were sealed to', async () => {
      await using test = await setUp()
      const chains: Digest[] = []
      {
        using lease = test.content.lease()
        for (const text of ['used', 'sealed', 'loose']) chains.push((await step(test, lease, undefined, text)) ?? EMPTY)
        await test.snapshotter.seal(chains[1] ?? EMPTY, { lease })
        test.snapshotter.collect(new Set())
        assert.deepEqual(
          chains.map((chain) => test.snapshotter.has(chain)),
          [true, true, true],
        )
      }
      const [used = EMPTY, sealed = EMPTY, loose = EMPTY] = chains
      test.snapshotter.collect(new Set([used, sealed]))
      assert.deepEqual(
        [used, sealed, loose].map((chain) => test.snapshotter.has(chain)),
        [true, true, false],
      )
      assert.doesNotThrow(() => test.snapshotter.layer(sealed))
      test.snapshotter.collect(new Set())
      assert.equal(test.snapshotter.has(sealed), false)
      assert.deepEqual([...test.snapshotter.blobs()], [])
    })

    it('draftUsage tells what a layer holds', async () => {
      await using test = await setUp()
      using lease = test.content.lease()
      const base = await build(test, await layerTar({ a: 'text' }))
      assert.equal((await test.snapshotter.draftUsage(base)).size, 4)
      const chain = (await step(test, lease, base, 'text')) ?? base
      assert.deepEqual(await test.snapshotter.draftUsage(chain), { size: 4, inodes: 1 })
      const sealed = await test.snapshotter.seal(chain, { lease })
      assert.deepEqual(await test.snapshotter.draftUsage(sealed), { size: 4, inodes: 1 })
    })

    it('restore takes away steps that were under way', async () => {
      await using test = await setUp()
      await test.snapshotter.prepareStep('step', undefined, { bare: true })
      await test.snapshotter.restore(new Set())
      assert.throws(() => test.snapshotter.overlay('step'), { code: 'NOT_FOUND' })
    })
  })

  describe(`${implementation} as Snapshotter`, () => {
    it('unpack describes the layer, compressed or not', async () => {
      await using test = await setUp()
      const tar = await layerTar({ a: 'one', 'b/c': 'three' })
      using lease = test.content.lease()
      for (const bytes of [gzipSync(tar), tar]) {
        const blob = await test.content.ingest([bytes], { lease })
        const { diffId, size, tarSize } = await test.snapshotter.unpack(blob.digest, { lease })
        assert.deepEqual({ diffId, size, tarSize }, { diffId: digestOf(tar), size: 8, tarSize: tar.length })
      }
      assert.equal(test.snapshotter.findLayer(digestOf(tar))?.diffId, digestOf(tar))
    })

    it('unpack refuses a layer with another digest, and one that is no archive', async () => {
      await using test = await setUp()
      using lease = test.content.lease()
      const tar = await layerTar({ a: 'one' })
      const good = await test.content.ingest([tar], { lease })
      const wrong = digestOf('something else')
      await assert.rejects(test.snapshotter.unpack(good.digest, { lease, diffId: wrong }), {
        code: 'INVALID_ARGUMENT',
        message: /expected sha256:/,
      })
      const bad = await test.content.ingest([Buffer.alloc(2000, 'x')], { lease })
      await assert.rejects(test.snapshotter.unpack(bad.digest, { lease }), { code: 'INVALID_ARGUMENT' })
      const cut = await test.content.ingest([tar.subarray(0, 514)], { lease })
      await assert.rejects(test.snapshotter.unpack(cut.digest, { lease }), { code: 'INVALID_ARGUMENT', message: 'unexpected EOF' })
      assert.equal(test.snapshotter.findLayer(wrong), undefined)
      assert.deepEqual([...test.snapshotter.blobs()], [])
    })

    it('unpack of the same layer at the same time gives the same layer', async () => {
      await using test = await setUp()
      using lease = test.content.lease()
      const { digest } = await test.content.ingest([await layerTar({ a: 'one' })], { lease })
      const layers = await Promise.all([1, 2, 3].map(() => test.snapshotter.unpack(digest, { lease })))
      assert.equal(new Set(layers).size, 1)
    })

    it('stack names chains by the specification and is idempotent', async () => {
      await using test = await setUp()
      const [a, b] = [await layerTar({ a: 'a' }), await layerTar({ b: 'b' })]
      const chain = await build(test, a, b)
      assert.equal(chain, chainId(digestOf(a), digestOf(b)))
      assert.equal(await build(test, a, b), chain)
      assert.equal(test.snapshotter.has(chain), true)
      assert.equal(test.snapshotter.layer(chain).diffId, digestOf(b))
      assert.equal(test.snapshotter.layerPaths(chain).length, 2)
    })

    it('stack refuses an unknown layer, an unknown parent and a stack of 126', async () => {
      await using test = await setUp()
      using lease = test.content.lease()
      const tar = await layerTar({ a: 'a' })
      let chain = await build(test, tar)
      assert.throws(() => test.snapshotter.stack(undefined, digestOf('x'), lease), { code: 'NOT_FOUND' })
      assert.throws(() => test.snapshotter.stack(digestOf('x'), digestOf(tar), lease), { code: 'NOT_FOUND' })
      for (let depth = 2; depth <= 125; depth++) chain = test.snapshotter.stack(chain, digestOf(tar), lease)
      assert.throws(() => test.snapshotter.stack(chain, digestOf(tar), lease), { code: 'CONFLICT', message: 'max depth exceeded' })
    })

    it('layerTar gives the archive back byte for byte', async () => {
      await using test = await setUp()
      const tar = Buffer.concat([await layerTar({ a: 'one' }), Buffer.alloc(4096)]) // more padding than anybody needs
      const chain = await build(test, gzipSync(tar))
      assert.deepEqual(await buffer(test.snapshotter.layerTar(chain)), tar)
    })

    it('has, layer and prepare know only what is there', async () => {
      await using test = await setUp()
      const unknown = digestOf('unknown')
      assert.equal(test.snapshotter.has(unknown), false)
      assert.throws(() => test.snapshotter.layer(unknown), { code: 'NOT_FOUND' })
      await assert.rejects(test.snapshotter.prepare('key', unknown), { code: 'NOT_FOUND' })
    })

    it('prepare makes a writable layer once, remove takes it away any number of times', async () => {
      await using test = await setUp()
      const chain = await build(test, await layerTar({ a: 'a' }))
      await test.snapshotter.prepare('key', chain)
      await assert.rejects(test.snapshotter.prepare('key', chain), { code: 'CONFLICT' })
      const plan = test.snapshotter.overlay('key')
      assert.equal(plan.lower.length, 2)
      assert.notEqual(plan.upper, plan.work)
      assert.deepEqual(await test.snapshotter.changes('key'), [])
      const { size, inodes } = await test.snapshotter.usage('key')
      assert.deepEqual({ size, inodes }, { size: 0, inodes: 0 })
      await test.snapshotter.remove('key')
      await test.snapshotter.remove('key')
      assert.throws(() => test.snapshotter.overlay('key'), { code: 'NOT_FOUND' })
      await assert.rejects(test.snapshotter.changes('key'), { code: 'NOT_FOUND' })
      await test.snapshotter.prepare('key', chain)
    })

    it('prepare over nothing gives a root file system of mount points', async () => {
      await using test = await setUp()
      await test.snapshotter.prepare('key', undefined)
      assert.equal(test.snapshotter.overlay('key').lower.length, 1)
    })

    it('collect keeps what is used, below a writable layer or held, and frees the rest', async () => {
      await using test = await setUp()
      const [base, used, written, loose] = await Promise.all(['base', 'used', 'written', 'loose'].map((name) => layerTar({ [name]: name })))
      assert.ok(base && used && written && loose)
      const usedChain = await build(test, base, used)
      const writtenChain = await build(test, base, written)
      const looseChain = await build(test, base, loose)
      await test.snapshotter.prepare('key', writtenChain)
      {
        using lease = test.content.lease()
        lease.hold(looseChain)
        test.snapshotter.collect(new Set([usedChain]))
        assert.equal(test.snapshotter.has(looseChain), true)
      }
      test.snapshotter.collect(new Set([usedChain]))
      assert.deepEqual(
        [usedChain, writtenChain, looseChain].map((chain) => test.snapshotter.has(chain)),
        [true, true, false],
      )
      assert.equal(test.snapshotter.has(digestOf(base)), true)
      assert.equal(test.snapshotter.findLayer(digestOf(loose)), undefined)
    })

    it('restore forgets writable layers without an owner', async () => {
      await using test = await setUp()
      await test.snapshotter.prepare('kept', undefined)
      await test.snapshotter.prepare('lost', undefined)
      await test.snapshotter.restore(new Set(['kept']))
      assert.doesNotThrow(() => test.snapshotter.overlay('kept'))
      assert.throws(() => test.snapshotter.overlay('lost'), { code: 'NOT_FOUND' })
    })
  })
}
