/** Drafts on a real overlay: what build steps leave, and the layers that it becomes. Needs root. */
import assert from 'node:assert/strict'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempDisposableSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { createFiles } from '#kernel'
import { chainId, digestOf } from '#oci'
import type { Digest } from '#oci'
import { layerTar } from '../../contract/snapshotter.ts'
import { openStorage } from './storage.ts'
import type { Storage } from './storage.ts'
import { listTree } from './tree-listing.ts'
import { eventually } from '../../harness/eventually.ts'

/** An ordinary chain of one layer. */
async function baseOf({ content, snapshotter }: Storage, files: Record<string, string>): Promise<Digest> {
  using lease = content.lease()
  const { digest } = await content.ingest([await layerTar(files)], { lease })
  const { diffId } = await snapshotter.unpack(digest, { lease })
  const chain = snapshotter.stack(undefined, diffId, lease)
  snapshotter.collect(new Set([chain]))
  return chain
}

let steps = 0

/** A step that does `work` in its root file system. */
async function step({ content, snapshotter }: Storage, parent: Digest | undefined, work: (root: string) => void): Promise<Digest> {
  const key = `step-${++steps}`
  using lease = content.lease()
  await snapshotter.prepareStep(key, parent, { bare: true })
  {
    using mounted = snapshotter.mountStep(key)
    work(`${mounted.path}/`)
  }
  const chain = await snapshotter.commitStep(key, lease)
  assert.ok(chain)
  return chain
}

/** Everything that the snapshotter finds to complain of. */
async function complaints({ snapshotter }: Storage): Promise<unknown[]> {
  const verdicts = await Promise.all(snapshotter.layers().map(({ diffId }) => snapshotter.verify(diffId)))
  return [...snapshotter.leftovers(), ...snapshotter.brokenChains(), ...verdicts.filter(({ state }) => state !== 'whole')]
}

describe('commitStep', () => {
  it('shows what a step has written, on top of what was there', async () => {
    await using storage = await openStorage()
    const base = await baseOf(storage, { a: 'one', b: 'two', 'd/e': 'three' })
    const first = await step(storage, base, (root) => {
      rmSync(join(root, 'a'))
      writeFileSync(join(root, 'b'), 'changed')
      rmSync(join(root, 'd'), { recursive: true })
      mkdirSync(join(root, 'd'))
    })
    const second = await step(storage, first, (root) => writeFileSync(join(root, 'd/f'), 'new'))
    using view = storage.snapshotter.view({ chain: second })
    assert.deepEqual(readdirSync(`${view.path}/`), ['b', 'd'])
    assert.deepEqual(readdirSync(`${view.path}/d`), ['f'])
    assert.equal(readFileSync(`${view.path}/b`, 'utf8'), 'changed')
    assert.deepEqual(
      storage.snapshotter.layersOf(second).map(({ isDraft }) => isDraft),
      [false, true, true],
    )
    assert.deepEqual(await complaints(storage), [])
  })

  it('writes straight to a layer over nothing', async () => {
    await using storage = await openStorage()
    const chain = await step(storage, undefined, (root) => writeFileSync(join(root, 'a'), 'text'))
    using view = storage.snapshotter.view({ chain })
    assert.deepEqual(readdirSync(`${view.path}/`), ['a'])
  })
})

describe('seal', () => {
  it('makes layers where the drafts lie, and steps that go on notice nothing', async () => {
    await using storage = await openStorage()
    const { snapshotter, content } = storage
    const base = await baseOf(storage, { a: 'one', 'd/e': 'three' })
    const chain = await step(storage, base, (root) => {
      rmSync(join(root, 'a'))
      rmSync(join(root, 'd'), { recursive: true })
      mkdirSync(join(root, 'd'))
      writeFileSync(join(root, 'd/new'), 'text', { mode: 0o640 })
      symlinkSync('/etc/passwd', join(root, 'link'))
    })
    const before = snapshotter.layerPaths(chain)
    await snapshotter.prepareStep('later', chain, { bare: true })
    using mounted = snapshotter.mountStep('later')
    using lease = content.lease()
    const sealed = await snapshotter.seal(chain, { lease })
    assert.notEqual(sealed, chain)
    assert.deepEqual(snapshotter.layerPaths(sealed), before)
    assert.deepEqual(snapshotter.layerPaths(chain), before)
    assert.equal(readFileSync(`${mounted.path}/d/new`, 'utf8'), 'text')
    const { diffId, blob, inodes, size } = snapshotter.layer(sealed)
    assert.equal(digestOf(await buffer(content.read(blob))), diffId)
    assert.equal(sealed, chainId(base, diffId))
    assert.deepEqual({ inodes, size }, { inodes: 3, size: 4 })
    assert.deepEqual(snapshotter.layer(chain).diffId, diffId)
    assert.deepEqual(
      snapshotter.layersOf(sealed).map(({ isDraft }) => isDraft),
      [false, false],
    )
    assert.deepEqual(await complaints(storage), [])
    // What is on top may be used with either chain.
    assert.equal(await snapshotter.seal(chain, { lease }), sealed)
    assert.equal(await snapshotter.seal(sealed, { lease }), sealed)
  })

  it('gives a tar that unpacks to the same files', async () => {
    await using storage = await openStorage()
    const files = createFiles()
    const base = await baseOf(storage, { a: 'one', 'd/e': 'three' })
    const chain = await step(storage, base, (root) => {
      writeFileSync(join(root, 'a'), 'copied up')
      writeFileSync(join(root, 'd/e'), 'copied up')
      files.setXattr(join(root, 'a'), 'user.note', Buffer.from('x'))
      rmSync(join(root, 'd'), { recursive: true })
    })
    using lease = storage.content.lease()
    const sealed = await storage.snapshotter.seal(chain, { lease })
    const tar = await buffer(storage.snapshotter.layerTar(sealed))
    await using other = await openStorage()
    using otherLease = other.content.lease()
    const { digest } = await other.content.ingest([tar], { lease: otherLease })
    const unpacked = await other.snapshotter.unpack(digest, { lease: otherLease })
    assert.equal(unpacked.diffId, storage.snapshotter.layer(sealed).diffId)
    const plain = (paths: string[]): string[] =>
      listTree(paths[0] ?? '').map((line) => line.replaceAll(/ trusted\.overlay\.(origin|impure)=\w+/g, ''))
    const [first, ...rest] = plain(storage.snapshotter.layerPaths(sealed))
    const [otherFirst, ...otherRest] = plain(other.snapshotter.layerPaths(other.snapshotter.stack(undefined, unpacked.diffId, otherLease)))
    assert.ok(first !== undefined && otherFirst !== undefined)
    // The time of a whiteout is nobody's.
    const withoutTime = (line: string): string => (line.includes('device=0') ? line.replace(/ time=\d+/, '') : line)
    assert.deepEqual(rest.map(withoutTime), otherRest.map(withoutTime))
  })

  it('takes a layer that is there already, and keeps the draft for those who stand on it', async () => {
    await using storage = await openStorage()
    const { snapshotter, content } = storage
    const write = (root: string): void => {
      writeFileSync(join(root, 'same'), 'text')
      utimesSync(join(root, 'same'), 1000, 1000)
    }
    const [one, two] = [await step(storage, undefined, write), await step(storage, undefined, write)]
    using lease = content.lease()
    const [first, second] = await Promise.all([snapshotter.seal(one, { lease }), snapshotter.seal(two, { lease })])
    assert.equal(first, second)
    assert.notDeepEqual(snapshotter.layerPaths(one), snapshotter.layerPaths(two))
    assert.equal(snapshotter.layers().length, 1)
    assert.deepEqual(await complaints(storage), [])
    snapshotter.collect(new Set([two]))
    assert.deepEqual(readFileSync(join(snapshotter.layerPaths(two)[0] ?? '', 'same'), 'utf8'), 'text')
    assert.deepEqual(await complaints(storage), [])
  })

  it('cuts later times with rewriteTimestamp, in a layer of its own', async () => {
    await using storage = await openStorage()
    const { snapshotter, content } = storage
    const chain = await step(storage, undefined, (root) => {
      for (const [name, time] of [
        ['old', 1000],
        ['new', 3_000_000_000],
      ] as const) {
        writeFileSync(join(root, name), 'text')
        utimesSync(join(root, name), time, time)
      }
    })
    using lease = content.lease()
    const [cut, plain] = [await snapshotter.seal(chain, { lease, rewriteTimestamp: 2_000_000 }), await snapshotter.seal(chain, { lease })]
    assert.notEqual(cut, plain)
    const times = (name: string): number[] =>
      [cut, plain].map((sealed) => lstatSync(join(snapshotter.layerPaths(sealed)[0] ?? '', name)).mtimeMs / 1000)
    assert.deepEqual(times('old'), [1000, 1000])
    assert.deepEqual(times('new'), [2000, 3_000_000_000])
    assert.deepEqual(await complaints(storage), [])
  })
})

describe('restore', () => {
  it('keeps drafts of this boot, and gives up those that another one may have torn, with what lies above', async () => {
    using root = mkdtempDisposableSync(join(tmpdir(), 'drafts-'))
    const chains: Record<string, Digest> = {}
    {
      await using storage = await openStorage({ root: root.path, bootId: 'first' })
      chains.base = await baseOf(storage, { a: 'one' })
      chains.durable = await step(storage, chains.base, (path) => writeFileSync(join(path, 'b'), 'two'))
      const drafts = storage.metadata.repository<{ unsyncedIn?: string }>('drafts')
      await eventually(() => assert.equal(drafts.all()[0]?.value.unsyncedIn, undefined))
      chains.torn = await step(storage, chains.durable, (path) => writeFileSync(join(path, 'c'), 'three'))
      using lease = storage.content.lease()
      const { diffId } = storage.snapshotter.layer(chains.base)
      chains.above = storage.snapshotter.stack(chains.torn, diffId, lease)
      await storage.snapshotter.prepareStep('running', chains.torn, { bare: true })
    }
    const there = ({ snapshotter }: Storage): boolean[] =>
      ['base', 'durable', 'torn', 'above'].map((name) => snapshotter.has(chains[name] ?? digestOf('')))
    {
      await using storage = await openStorage({ root: root.path, bootId: 'first' })
      assert.deepEqual(there(storage), [true, true, true, true])
      assert.deepEqual(storage.snapshotter.snapshots(), [])
      assert.deepEqual(await complaints(storage), [])
    }
    await using storage = await openStorage({ root: root.path, bootId: 'second' })
    assert.deepEqual(there(storage), [true, true, false, false])
    assert.deepEqual(await complaints(storage), [])
    using view = storage.snapshotter.view({ chain: chains.durable })
    assert.deepEqual(readdirSync(`${view.path}/`), ['a', 'b'])
  })

  it('unpacks again what drafts were sealed to, and they stand on it', async () => {
    using root = mkdtempDisposableSync(join(tmpdir(), 'drafts-'))
    let chain: Digest
    {
      await using storage = await openStorage({ root: root.path, bootId: 'first' })
      chain = await step(storage, undefined, (path) => writeFileSync(join(path, 'a'), 'text'))
      using lease = storage.content.lease()
      await storage.snapshotter.seal(chain, { lease })
      await lease.durable()
    }
    await using storage = await openStorage({ root: root.path, bootId: 'second' })
    assert.equal(storage.snapshotter.has(chain), true)
    assert.equal(readFileSync(join(storage.snapshotter.layerPaths(chain)[0] ?? '', 'a'), 'utf8'), 'text')
    assert.deepEqual(await complaints(storage), [])
    // The layer is lost, and the draft with it.
    storage.snapshotter.forget(storage.snapshotter.layer(chain).diffId)
    assert.equal(storage.snapshotter.has(chain), false)
    assert.deepEqual(await complaints(storage), [])
  })

  it('throws away what a daemon that was killed has left half made', async () => {
    using root = mkdtempDisposableSync(join(tmpdir(), 'drafts-'))
    {
      await using storage = await openStorage({ root: root.path })
      await storage.snapshotter.prepareStep('killed', undefined, { bare: true })
      // As between the files and the rows of `commitStep`.
      mkdirSync(join(root.path, 'layers/77'))
      renameSync(join(root.path, 'snapshots/killed/upper'), join(root.path, 'layers/77/diff'))
    }
    await using storage = await openStorage({ root: root.path })
    await storage.snapshotter.settled()
    assert.deepEqual(readdirSync(join(root.path, 'layers')), [])
    assert.deepEqual(readdirSync(join(root.path, 'snapshots')), [])
  })
})

describe('a draft', () => {
  it('has its disk space told, once', async () => {
    await using storage = await openStorage()
    const { snapshotter, content } = storage
    const chain = await step(storage, undefined, (root) => writeFileSync(join(root, 'a'), Buffer.alloc(1 << 20, 'x')))
    const before = await snapshotter.diskUsage()
    assert.deepEqual(
      [...before.drafts.keys()],
      snapshotter.layersOf(chain).map(({ id }) => id),
    )
    assert.ok([...before.drafts.values()].every((size) => size >= 1 << 20))
    assert.ok(before.other < 1 << 20)
    using lease = content.lease()
    const { diffId } = snapshotter.layer(await snapshotter.seal(chain, { lease }))
    const after = await snapshotter.diskUsage()
    assert.deepEqual([[...after.layers.keys()], after.drafts.size], [[diffId], 0])
  })

  it('keeps what a program did to the root, and sockets do no harm', async () => {
    await using storage = await openStorage()
    const { snapshotter, content } = storage
    const base = await baseOf(storage, { a: 'one' })
    const only = await step(storage, base, (root) => chmodSync(root, 0o1777))
    const chain = await step(storage, only, (root) => {
      const server = createServer()
      server.listen(join(root, 'socket'))
      server.unref()
    })
    using lease = content.lease()
    const sealed = await snapshotter.seal(chain, { lease })
    assert.deepEqual(await complaints(storage), [])
    await using other = await openStorage()
    using otherLease = other.content.lease()
    let unpacked: Digest | undefined
    for (const { id } of snapshotter.layersOf(sealed).slice(1)) {
      const blob = snapshotter.findLayer(id)?.blob
      assert.ok(blob !== undefined)
      const { digest } = await other.content.ingest(content.read(blob), { lease: otherLease })
      unpacked = other.snapshotter.stack(unpacked, (await other.snapshotter.unpack(digest, { lease: otherLease })).diffId, otherLease)
    }
    const [, root] = other.snapshotter.layerPaths(unpacked ?? digestOf(''))
    assert.equal(lstatSync(root ?? '').mode & 0o7777, 0o1777)
  })

  it('is sealed beside others at the same time, in one layer for equal calls', async () => {
    await using storage = await openStorage()
    const { snapshotter, content } = storage
    let chain: Digest | undefined
    for (let index = 0; index < 8; index++)
      chain = await step(storage, chain, (root) => writeFileSync(join(root, `f${index}`), 'x'.repeat(50_000)))
    assert.ok(chain)
    using lease = content.lease()
    let bytes = 0
    const [one, other] = await Promise.all([
      snapshotter.seal(chain, { lease, progress: (done) => (bytes = done) }),
      snapshotter.seal(chain, { lease }),
    ])
    assert.equal(one, other)
    assert.equal(snapshotter.layers().length, 8)
    assert.ok(bytes === 0 || bytes >= 50_000)
    assert.deepEqual(await complaints(storage), [])
  })

  it('gives up its blob for a recipe, where blobs are not kept', async () => {
    await using storage = await openStorage({ layerBlobs: 'discard' })
    const { snapshotter, content } = storage
    const base = await baseOf(storage, { a: 'one', 'd/e': 'x'.repeat(50_000) })
    const chain = await step(storage, base, (root) => {
      writeFileSync(join(root, 'new'), 'y'.repeat(100_000))
      writeFileSync(join(root, 'a'), 'copied up')
      rmSync(join(root, 'd'), { recursive: true })
    })
    let sealed: Digest
    {
      using lease = content.lease()
      sealed = await snapshotter.seal(chain, { lease })
    }
    const { diffId, blob } = snapshotter.layer(sealed)
    await eventually(() => assert.equal(content.has(blob), false, storage.reported.join()))
    assert.equal(digestOf(await buffer(snapshotter.layerTar(sealed))), diffId)
    assert.deepEqual(await complaints(storage), [])
  })
})
