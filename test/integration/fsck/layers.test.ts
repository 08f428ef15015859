/** Layers against their archives and recipes, on a real file system. Needs root. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync, mkdtempDisposableSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { Digest } from '#oci'
import { tar } from '../../harness/tar.ts'
import { makeTree, TAR_OPTIONS } from '../storage/sample-tree.ts'
import { openStorage } from '../storage/storage.ts'
import type { Storage } from '../storage/storage.ts'
import { shell } from '../storage/tree-listing.ts'
import { eventually } from '../../harness/eventually.ts'

/** Unpacks a layer and puts it on a chain of its own. */
async function unpack(
  { content, snapshotter }: Storage,
  archive: string | Buffer,
): Promise<{ diffId: Digest; directory: string; chain: Digest }> {
  using lease = content.lease()
  const blob = await content.ingest(typeof archive === 'string' ? createReadStream(archive) : [archive], { lease })
  const { diffId } = await snapshotter.unpack(blob.digest, { lease })
  const chain = snapshotter.stack(undefined, diffId, lease)
  const [directory] = snapshotter.layerPaths(chain)
  assert.ok(directory)
  return { diffId, directory, chain }
}

/** A layer with one of everything. */
async function sampleLayer(storage: Storage, work: string, options = '--format=posix --gzip'): ReturnType<typeof unpack> {
  mkdirSync(join(work, 'source'))
  makeTree(join(work, 'source'))
  shell(join(work, 'source'), 'head -c 300000 /dev/urandom > random')
  const xattrs = options.includes('gnu') ? '--numeric-owner' : TAR_OPTIONS
  shell(work, `tar -C source -c ${options} ${xattrs} -f layer.tar .`)
  return await unpack(storage, join(work, 'layer.tar'))
}

/** Waits until the background has given up the blob for a recipe. */
async function recipeOf(storage: Storage, diffId: Digest): Promise<void> {
  await eventually(() => {
    assert.ok(storage.snapshotter.findLayer(diffId)?.recipe !== undefined, `no recipe: ${storage.reported.join()}`)
    assert.deepEqual(storage.content.list(), [])
  })
}

describe('verify', () => {
  for (const options of ['--format=posix', '--format=posix --sparse --zstd', '--format=gnu --sparse --gzip']) {
    it(`finds a layer whole that was unpacked from a tar made with ${options}`, async () => {
      await using storage = await openStorage()
      using work = mkdtempDisposableSync(join(tmpdir(), 'fsck-'))
      const { diffId } = await sampleLayer(storage, work.path, options)
      assert.deepEqual(await storage.snapshotter.verify(diffId), { state: 'whole', differences: [] })
    })
  }

  it('follows whiteouts, opaque directories, links on the way and entries that come twice as the unpack does', async () => {
    await using storage = await openStorage()
    const { diffId } = await unpack(
      storage,
      tar([
        { name: 'real/', type: 'directory', mode: 0o700 },
        { name: 'link', type: 'symlink', link: '/real' },
        { name: 'link/through', data: Buffer.from('1') },
        { name: 'dangling', type: 'symlink', link: 'made/later' },
        { name: 'dangling/x', data: Buffer.from('2') },
        { name: 'twice', data: Buffer.from('first') },
        { name: 'other-name', type: 'link', link: 'twice' },
        { name: 'twice', data: Buffer.from('second') },
        { name: '.wh.gone', data: Buffer.alloc(0) },
        { name: 'opaque/.wh..wh..opq', data: Buffer.alloc(0) },
        { name: '.wh.again', data: Buffer.alloc(0) },
        { name: 'again/', type: 'directory' },
        { name: '.wh.implicit', data: Buffer.alloc(0) },
        { name: 'implicit/file', data: Buffer.from('3') },
      ]),
    )
    assert.deepEqual(await storage.snapshotter.verify(diffId), { state: 'whole', differences: [] })
  })

  const DAMAGES: [what: string, script: string, expected: RegExp][] = [
    ['a deleted file', 'rm d/link', /"\/d\/link" is missing/],
    ['a file that was added', 'echo x > new', /"\/new" is not in the archive/],
    [
      'a changed byte',
      'printf T | dd of=d/file conv=notrunc status=none; touch -d "2020-02-03 04:05:06.123456789" d/file',
      /"\/[^"]*" has other content/,
    ],
    ['a byte in a hole', 'printf T | dd of=sparse bs=1 seek=1000 conv=notrunc status=none', /"\/sparse" has other content/],
    ['another length', 'truncate -s 51M sparse', /"\/sparse" has other content/],
    ['another mode', 'chmod 755 d/file', /has mode 755, not 751/],
    ['another owner', 'chown -h 9:9 absolute', /"\/absolute" belongs to 9:9, not to 5:6/],
    ['another time', 'touch -h -d "2001-01-01 00:00:00.6" absolute', /"\/absolute" has another time/],
    ['another attribute', 'setfattr -n user.test -v x d/file', /has another attribute user\.test/],
    ['a missing capability', 'setfattr -x security.capability hard', /has another attribute security\.capability/],
    ['an attribute of overlayfs', 'setfattr -n trusted.overlay.opaque -v y empty', /"\/empty" hides lower layers/],
    ['a hard link that is none any more', 'cp -p hard copy; mv copy hard', /is not the same file as its other names/],
    ['a link that leads elsewhere', 'ln -sfn elsewhere d/link', /"\/d\/link" leads elsewhere/],
    ['another type', 'rm pipe; mkdir pipe', /"\/pipe" is a directory, not a fifo/],
    ['another device', 'rm null; mknod null c 1 5', /"\/null" is device 1:5, not 1:3/],
  ]
  it('tells every kind of difference', async () => {
    await using storage = await openStorage()
    using work = mkdtempDisposableSync(join(tmpdir(), 'fsck-'))
    const { diffId, directory } = await sampleLayer(storage, work.path)
    shell(work.path, `cp -a ${directory} good`)
    for (const [what, script, expected] of DAMAGES) {
      shell(directory, script)
      const { state, differences } = await storage.snapshotter.verify(diffId)
      assert.equal(state, 'damaged', what)
      assert.match(differences.join('\n'), expected, what)
      shell(work.path, `rm -rf ${directory}; cp -a good ${directory}`)
    }
    assert.equal((await storage.snapshotter.verify(diffId)).state, 'whole')
  })
})

// Most of the time they wait for the background.
describe('policy discard', { concurrency: true }, () => {
  for (const options of ['--format=posix', '--format=posix --sparse --zstd', '--format=gnu --sparse --gzip']) {
    it(`gives up the blob of a tar made with ${options} and still has every byte of it`, async () => {
      await using storage = await openStorage({ layerBlobs: 'discard' })
      using work = mkdtempDisposableSync(join(tmpdir(), 'fsck-'))
      const { diffId, chain } = await sampleLayer(storage, work.path, options)
      const before = await buffer(storage.snapshotter.layerTar(chain))
      await recipeOf(storage, diffId)
      assert.deepEqual(storage.snapshotter.blobs(), new Set())
      assert.ok((await buffer(storage.snapshotter.layerTar(chain))).equals(before))
      assert.deepEqual(await storage.snapshotter.verify(diffId), { state: 'whole', differences: [] })
    })
  }

  it('finds what was changed without a blob to compare with, and does not hand it out', async () => {
    await using storage = await openStorage({ layerBlobs: 'discard' })
    using work = mkdtempDisposableSync(join(tmpdir(), 'fsck-'))
    const { diffId, chain, directory } = await sampleLayer(storage, work.path)
    await recipeOf(storage, diffId)
    shell(directory, 'printf T | dd of=d/file conv=notrunc status=none')
    const { state, differences } = await storage.snapshotter.verify(diffId)
    assert.equal(state, 'damaged')
    assert.match(differences.join(), /"[^"]*(hard|d\/file)" has other content/)
    await assert.rejects(buffer(storage.snapshotter.layerTar(chain)), { code: 'DATA_LOSS', message: /was changed/ })
  })

  it('puts what no file has any more into the recipe', async () => {
    await using storage = await openStorage({ layerBlobs: 'discard' })
    const entries = [10_000, 10_000, 100_000].map((size, index) => ({ name: index < 2 ? 'twice' : 'once', data: randomBytes(size) }))
    const { diffId } = await unpack(storage, tar(entries))
    await recipeOf(storage, diffId)
    assert.deepEqual(await storage.snapshotter.verify(diffId), { state: 'whole', differences: [] })
  })

  it('keeps the blob where a recipe would be as large', async () => {
    await using storage = await openStorage({ layerBlobs: 'discard' })
    const archive = Buffer.concat([tar([{ name: 'f', data: Buffer.from('1') }]), randomBytes(100_000)])
    const { diffId } = await unpack(storage, gzipSync(archive))
    await eventually(() => assert.equal(storage.snapshotter.findLayer(diffId)?.recipe, false))
    assert.equal(storage.content.list().length, 1)
  })

  it('makes recipes at the next start for layers that were unpacked under the other policy', async () => {
    using work = mkdtempDisposableSync(join(tmpdir(), 'fsck-'))
    const root = join(work.path, 'root')
    let diffId: Digest
    {
      await using storage = await openStorage({ root })
      ;({ diffId } = await sampleLayer(storage, work.path))
      assert.equal(storage.content.list().length, 1)
    }
    await using storage = await openStorage({ root, layerBlobs: 'discard' })
    await recipeOf(storage, diffId)
    assert.equal(storage.content.list().length, 0)
  })
})

describe('repair', () => {
  it('unpacks a layer again, and keeps the old directory while somebody is mounted on it', async () => {
    await using storage = await openStorage()
    const { diffId, directory, chain } = await unpack(storage, tar([{ name: 'f', data: Buffer.from('1') }]))
    await storage.snapshotter.prepare('key', chain)
    shell(directory, 'echo damaged > f')
    await storage.snapshotter.repair(diffId, { mounted: new Set(['key']) })
    const [repaired] = storage.snapshotter.layerPaths(chain)
    assert.ok(repaired !== undefined && repaired !== directory)
    assert.equal(readFileSync(join(repaired, 'f'), 'utf8'), '1')
    assert.deepEqual([existsSync(directory), storage.snapshotter.leftovers()], [true, []])
    storage.snapshotter.release(new Set(['key']))
    assert.equal(existsSync(directory), true)
    await storage.snapshotter.remove('key')
    assert.equal(existsSync(directory), false)
  })

  it('changes nothing when the blob is damaged, too', async () => {
    await using storage = await openStorage()
    const { diffId, directory } = await unpack(storage, tar([{ name: 'f', data: Buffer.from('1') }]))
    const { blob } = storage.snapshotter.findLayer(diffId)!
    shell('/', `printf X | dd of=${storage.content.path(blob)} bs=1 seek=512 conv=notrunc status=none`)
    await assert.rejects(storage.snapshotter.repair(diffId, { mounted: new Set() }), { code: 'DATA_LOSS' })
    assert.equal(existsSync(directory), true)
    await storage.snapshotter.settled()
    assert.deepEqual(storage.snapshotter.leftovers(), [])
  })
})
