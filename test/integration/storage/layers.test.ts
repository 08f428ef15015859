/** Layers on a real overlay, against what GNU tar makes of the same archive. Needs root. */
import assert from 'node:assert/strict'
import {
  createReadStream,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempDisposableSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { buffer } from 'node:stream/consumers'
import { createMounts } from '#kernel'
import type { Digest } from '#oci'
import { layerTar } from '../../contract/snapshotter.ts'
import { makeTree, TAR_OPTIONS } from './sample-tree.ts'
import { openStorage } from './storage.ts'
import type { Storage } from './storage.ts'
import { listTree, shell } from './tree-listing.ts'
import { eventually } from '../../harness/eventually.ts'

/** Ingests, unpacks and stacks layers, lowest first. */
async function build({ content, snapshotter }: Storage, ...tars: (string | Buffer)[]): Promise<Digest> {
  using lease = content.lease()
  let chain: Digest | undefined
  for (const tar of tars) {
    const blob = await content.ingest(typeof tar === 'string' ? createReadStream(tar) : [tar], { lease })
    const { diffId } = await snapshotter.unpack(blob.digest, { lease })
    chain = snapshotter.stack(chain, diffId, lease)
  }
  assert.ok(chain)
  return chain
}

describe('unpack', () => {
  for (const [name, options] of [
    ['PAX', '--format=posix'],
    ['PAX with holes', '--format=posix --sparse'],
    ['GNU with holes', '--format=gnu --sparse'],
    ['gzip', '--format=posix --gzip'],
    ['zstd', '--format=posix --zstd'],
  ] as const) {
    it(`makes of a ${name} archive what GNU tar makes of it`, async () => {
      await using storage = await openStorage()
      using work = mkdtempDisposableSync(join(tmpdir(), 'layers-'))
      mkdirSync(join(work.path, 'source'))
      mkdirSync(join(work.path, 'expected'))
      makeTree(join(work.path, 'source'))
      const xattrs = options.includes('gnu') ? '--numeric-owner' : TAR_OPTIONS
      shell(work.path, `tar -C source -c ${options} ${xattrs} -f layer.tar . && tar -C expected -x ${xattrs} -p -f layer.tar`)
      const chain = await build(storage, join(work.path, 'layer.tar'))
      const [unpacked] = storage.snapshotter.layerPaths(chain)
      assert.ok(unpacked)
      assert.deepEqual(listTree(unpacked), listTree(join(work.path, 'expected')))
      if (options.includes('--sparse')) assert.ok(statSync(join(unpacked, 'sparse')).blocks * 512 < 1024 * 1024, 'holes must stay holes')
    })
  }

  it('ends with its signal and leaves nothing', async () => {
    await using storage = await openStorage()
    using lease = storage.content.lease()
    const big = await layerTar(Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`f${index}`, 'x'.repeat(10_000)])))
    const { digest } = await storage.content.ingest([big], { lease })
    const abort = new AbortController()
    const ended = assert.rejects(storage.snapshotter.unpack(digest, { lease, signal: abort.signal }), { name: 'AbortError' })
    await eventually(() => assert.notDeepEqual(readdirSync(join(storage.root, 'layers')), []))
    abort.abort()
    await ended
    await storage.snapshotter.settled()
    assert.deepEqual(readdirSync(join(storage.root, 'layers')), [])
    const layer = await storage.snapshotter.unpack(digest, { lease })
    assert.equal(layer.inodes, 3000)
  })
})

describe('view', () => {
  it('shows layers merged, with whiteouts and opaque directories', async () => {
    await using storage = await openStorage()
    const chain = await build(
      storage,
      await layerTar({ keep: '1', gone: '1', 'd/gone': '1', 'd/keep': '1', 'o/hidden': '1', 're/old': '1', 'dir/x': '1' }),
      await layerTar({
        '.wh.gone': '',
        'd/.wh.gone': '',
        'o/.wh..wh..opq': '',
        'o/new': '2',
        '.wh.re': '',
        're/new': '2',
        dir: 'now a file',
      }),
    )
    using view = storage.snapshotter.view({ chain })
    assert.deepEqual(readdirSync(view.path).sort(), ['d', 'dir', 'keep', 'o', 're'])
    assert.deepEqual(readdirSync(join(view.path, 'd')), ['keep'])
    assert.deepEqual(readdirSync(join(view.path, 'o')), ['new'])
    assert.deepEqual(readdirSync(join(view.path, 're')), ['new'], 'a directory that was deleted and made anew is empty below')
    assert.equal(readFileSync(join(view.path, 'dir'), 'utf8'), 'now a file')
    assert.throws(() => writeFileSync(join(view.path, 'x'), ''), { code: 'EROFS' })
  })

  it('shows a stack in which a layer comes twice', async () => {
    await using storage = await openStorage()
    const layer = await layerTar({ a: 'a' })
    const chain = await build(storage, layer, await layerTar({ '.wh.a': '' }), layer)
    using view = storage.snapshotter.view({ chain })
    assert.equal(readFileSync(join(view.path, 'a'), 'utf8'), 'a')
  })
})

/** The writable layer as a container sees it, mounted for as long as `change` runs; changed by a shell script. */
function changeInside(storage: Storage, key: string, script: string): void {
  using mounted = createMounts().overlay(storage.snapshotter.overlay(key))
  shell(mounted.path, script)
}

const CHANGES = `
  rm gone; rm -r d; mkdir d; printf n > d/new; printf more >> file; printf added > added; mkdir -p a/b; printf c > a/b/c
  ln added again; chmod 700 mode; touch -h -d '2011-11-11' link; mknod device c 1 5; ln -s x soft; printf same > same-content`

const BASE = { gone: '1', 'd/old': '1', file: '1', 'mode/x': '1', link: '1', untouched: '1', 'same/x': '1' }

describe('changes', () => {
  it('reports what a container has changed, and only that', async () => {
    await using storage = await openStorage()
    const chain = await build(storage, await layerTar(BASE))
    await storage.snapshotter.prepare('key', chain)
    changeInside(storage, 'key', CHANGES)
    // Copied up by opening for writing, but the same in all that counts.
    changeInside(storage, 'key', 'touch -r untouched /tmp/stamp.$$; : >> untouched; touch -r /tmp/stamp.$$ untouched; rm /tmp/stamp.$$')
    assert.deepEqual(
      (await storage.snapshotter.changes('key')).map(({ kind, path }) => `${kind} ${path}`),
      [
        'added /a',
        'added /a/b',
        'added /a/b/c',
        'added /added',
        'added /again',
        'modified /d',
        'added /d/new',
        'deleted /d/old',
        'added /device',
        'modified /file',
        'deleted /gone',
        'modified /link',
        'modified /mode',
        'added /same-content',
        'added /soft',
      ].sort((a, b) => ((a.split(' ')[1] ?? '') < (b.split(' ')[1] ?? '') ? -1 : 1)),
    )
    const usage = await storage.snapshotter.usage('key')
    assert.equal(usage.size, 'n'.length + '1more'.length + 'added'.length + 'c'.length + '1'.length * 2 + 'same'.length + 'x'.length)
  })

  it('shows nothing of the init layer', async () => {
    await using storage = await openStorage()
    const chain = await build(storage, await layerTar({ a: '1' }))
    await storage.snapshotter.prepare('key', chain)
    changeInside(
      storage,
      'key',
      'test -f .dockerenv -a -f etc/hosts -a -d dev/pts -a -d proc -a -d sys; test "$(readlink etc/mtab)" = /proc/mounts',
    )
    assert.deepEqual(await storage.snapshotter.changes('key'), [])
  })
})

describe('diff', () => {
  it('is a layer that gives the same tree on top of the same image', async () => {
    await using storage = await openStorage()
    const base = await layerTar(BASE)
    const chain = await build(storage, base)
    await storage.snapshotter.prepare('key', chain)
    changeInside(storage, 'key', `${CHANGES}; truncate -s 30M holes; printf end >> holes`)
    const tar = await buffer(storage.snapshotter.diff('key'))
    assert.ok(tar.length < 5 * 1024 * 1024, 'holes must stay holes')
    const committed = await build(storage, base, tar)
    await storage.snapshotter.prepare('again', committed)
    using before = storage.snapshotter.view({ key: 'key' })
    using after = storage.snapshotter.view({ key: 'again' })
    // The root's time is that of the upper directory, and each has an init layer of its own.
    const committedPart = (path: string): string[] =>
      listTree(path).filter((line) => !/^(\/(dev|etc|proc|sys|\.dockerenv)\b.*)? /.test(line))
    assert.deepEqual(committedPart(after.path), committedPart(before.path))
  })
})

describe('remove', () => {
  it('leaves what is being read to its readers, and takes it away when the last one has done', async () => {
    await using storage = await openStorage()
    const chain = await build(storage, await layerTar(BASE))
    await storage.snapshotter.prepare('key', chain)
    changeInside(storage, 'key', 'seq 100000 > new')
    const { upper } = storage.snapshotter.overlay('key')
    const path = join(storage.snapshotter.overlay('key').cwd, upper)
    const diff = storage.snapshotter.diff('key')
    const view = storage.snapshotter.view({ key: 'key' })
    await storage.snapshotter.remove('key')
    storage.snapshotter.collect(new Set())
    await storage.snapshotter.settled()
    assert.ok((await buffer(diff)).includes('\n99999\n'))
    assert.deepEqual(storage.snapshotter.leftovers(), [])
    assert.ok(readFileSync(join(view.path, 'new'), 'utf8').endsWith('\n100000\n'))
    assert.ok(storage.snapshotter.has(chain))
    view[Symbol.dispose]()
    await storage.snapshotter.settled()
    assert.ok(!existsSync(path))
    storage.snapshotter.collect(new Set())
    assert.ok(!storage.snapshotter.has(chain))
    assert.throws(() => storage.snapshotter.diff('key'), { code: 'NOT_FOUND' })
  })
})

describe('init layer', () => {
  it('is made inside the image, whatever links the image holds', async () => {
    await using storage = await openStorage()
    using work = mkdtempDisposableSync(join(tmpdir(), 'hostile-'))
    shell(
      work.path,
      `mkdir -p image outside/etc; printf secret > outside/secret
       ln -s ${work.path}/outside image/dev; ln -s ../../../../../..${work.path}/outside/etc image/etc
       printf file > image/proc; ln -s ${work.path}/outside/secret image/.dockerenv; tar -C image -cf layer.tar .`,
    )
    const chain = await build(storage, join(work.path, 'layer.tar'))
    await storage.snapshotter.prepare('key', chain)
    assert.equal(shell(work.path, 'find outside | sort'), 'outside\noutside/etc\noutside/secret\n')
    assert.equal(readFileSync(join(work.path, 'outside/secret'), 'utf8'), 'secret')
    using view = storage.snapshotter.view({ key: 'key' })
    assert.equal(lstatSync(join(view.path, 'dev/console')).isFile(), true)
    assert.equal(lstatSync(join(view.path, 'proc')).isDirectory(), true)
    assert.equal(readFileSync(join(view.path, 'etc/hosts'), 'utf8'), '')
  })
})

describe('restore', () => {
  it('unpacks again what was not on the disk when the machine went down', async () => {
    using work = mkdtempDisposableSync(join(tmpdir(), 'crash-'))
    const root = join(work.path, 'root')
    let chain: Digest
    {
      await using storage = await openStorage({ root, bootId: 'first' })
      chain = await build(storage, await layerTar({ a: 'whole', b: 'whole' }))
      await storage.snapshotter.prepare('key', chain)
      const [layer] = storage.snapshotter.layerPaths(chain)
      writeFileSync(join(layer ?? '', 'a'), '') // as a file system that lost the data but not the name
    }
    {
      await using storage = await openStorage({ root, bootId: 'first', owners: ['key'] })
      using view = storage.snapshotter.view({ chain })
      assert.equal(readFileSync(join(view.path, 'a'), 'utf8'), '', 'a restart of the daemon alone must not unpack again')
    }
    {
      await using storage = await openStorage({ root, bootId: 'second', owners: ['key'] })
      using view = storage.snapshotter.view({ key: 'key' })
      assert.equal(readFileSync(join(view.path, 'a'), 'utf8'), 'whole')
      assert.equal(existsSync(join(view.path, 'etc/hosts')), true)
      assert.deepEqual(storage.reported, [])
    }
  })

  it('gives up a layer whose blob is torn as well, and says so', async () => {
    using work = mkdtempDisposableSync(join(tmpdir(), 'torn-'))
    const root = join(work.path, 'root')
    let chain: Digest
    {
      await using storage = await openStorage({ root, bootId: 'first' })
      chain = await build(storage, await layerTar({ a: 'whole' }), await layerTar({ b: 'whole' }))
      const { blob } = storage.snapshotter.layer(chain)
      // The right size, and still an archive: only its digest tells.
      writeFileSync(storage.content.path(blob), await layerTar({ b: 'torn!' }))
    }
    await using storage = await openStorage({ root, bootId: 'second' })
    assert.match(String(storage.reported[0]), /layer has digest/)
    assert.equal(storage.snapshotter.has(chain), false)
  })

  it('throws away directories without a row', async () => {
    using work = mkdtempDisposableSync(join(tmpdir(), 'orphans-'))
    const root = join(work.path, 'root')
    for (const path of ['layers/99/diff/x', 'snapshots/lost/upper/x', 'tmp/trash/old/x']) mkdirSync(join(root, path), { recursive: true })
    await using storage = await openStorage({ root })
    await storage.snapshotter.settled()
    for (const path of ['layers', 'snapshots', 'tmp/trash']) assert.deepEqual(readdirSync(join(root, path)), [])
    assert.deepEqual(storage.reported, [])
  })
})
