/** Images on a real overlay: archives of other tools in, archives for other tools out. Needs root; skopeo and umoci where they are installed. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createReadStream, createWriteStream, mkdirSync, mkdtempDisposableSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { describe, it } from 'node:test'
import { createImageService } from '#images'
import type { Image, ImageService } from '#images'
import { createMounts } from '#kernel'
import { openStorage } from './storage.ts'
import type { Storage } from './storage.ts'
import { listTree, shell } from './tree-listing.ts'

function imagesOn(storage: Storage): ImageService {
  return createImageService({
    ...storage,
    users: { usersOf: () => [] },
    publish: () => {},
    remotes: {
      repository() {
        throw new Error('no test here asks a registry')
      },
    },
    maxConcurrentDownloads: () => 0,
    maxConcurrentUploads: () => 0,
    report: (error) => storage.reported.push(error),
  })
}

function missing(program: string): string | false {
  return spawnSync(program, ['--version']).error === undefined ? false : `${program} is not installed`
}

async function load(images: ImageService, path: string): Promise<Image> {
  const [image] = await images.load(createReadStream(path), { quiet: true, report: () => {} })
  assert.ok(image)
  return image
}

/** An image of two layers, the upper one made by a container: new files, a deletion, a directory replaced. */
async function makeImage(storage: Storage, images: ImageService, work: string): Promise<Image> {
  shell(
    work,
    `mkdir -p rootfs/bin rootfs/etc/conf rootfs/gone; printf app > rootfs/bin/app; chmod 4755 rootfs/bin/app; printf 1 > rootfs/etc/conf/a; printf x > rootfs/gone/x`,
  )
  shell(work, 'tar -C rootfs --xattrs --zstd -cf rootfs.tar.zst .')
  const base = await images.import(createReadStream(join(work, 'rootfs.tar.zst')), {
    repo: 'base',
    tag: '1',
    message: '',
    changes: ['CMD ["/bin/app"]'],
  })
  await storage.snapshotter.prepare('container', base.chain)
  {
    using root = createMounts().overlay(storage.snapshotter.overlay('container'))
    shell(root.path, 'rm -r gone; rm -r etc/conf; mkdir etc/conf; printf 2 > etc/conf/b; printf new > new; ln new linked')
  }
  const config = base.config.config
  return await images.commit({
    key: 'container',
    parent: base.id,
    config,
    repo: 'app',
    tag: '1',
    comment: '',
    author: '',
    createdBy: 'test',
    changes: ['ENV A=1'],
  })
}

describe('save', () => {
  it('writes what load makes the same file system of', async () => {
    await using storage = await openStorage()
    await using fresh = await openStorage()
    using work = mkdtempDisposableSync(join(tmpdir(), 'save-'))
    const images = imagesOn(storage)
    const made = await makeImage(storage, images, work.path)
    await pipeline(images.save(['app:1']), createWriteStream(join(work.path, 'saved.tar')))
    const loaded = await load(imagesOn(fresh), join(work.path, 'saved.tar'))
    assert.equal(loaded.id, made.id)
    using before = storage.snapshotter.view({ chain: made.chain! })
    using after = fresh.snapshotter.view({ chain: loaded.chain! })
    assert.deepEqual(listTree(after.path).slice(1), listTree(before.path).slice(1)) // the root's time is that of unpacking
    assert.deepEqual(readdirSync(join(after.path, 'etc/conf')), ['b'])
  })

  it('writes what skopeo reads in both formats, with the same image id', { skip: missing('skopeo') }, async () => {
    await using storage = await openStorage()
    using work = mkdtempDisposableSync(join(tmpdir(), 'skopeo-'))
    const images = imagesOn(storage)
    const made = await makeImage(storage, images, work.path)
    await pipeline(images.save(['app:1', 'base:1']), createWriteStream(join(work.path, 'saved.tar')))
    for (const source of ['docker-archive:saved.tar:app:1', 'docker-archive:saved.tar:base:1']) {
      const config = JSON.parse(shell(work.path, `skopeo inspect --config ${source}`)) as { config: { Cmd: string[] } }
      assert.deepEqual(config.config.Cmd, ['/bin/app'])
    }
    shell(work.path, 'mkdir layout; tar -C layout -xf saved.tar')
    const copied = JSON.parse(
      shell(work.path, 'skopeo inspect --raw oci:layout:1 2>/dev/null || skopeo inspect --raw docker-archive:saved.tar:app:1'),
    ) as { config: { digest: string } }
    assert.equal(copied.config.digest, made.id)
  })

  it('writes what umoci unpacks to the same tree', { skip: missing('umoci') || missing('skopeo') }, async () => {
    await using storage = await openStorage()
    using work = mkdtempDisposableSync(join(tmpdir(), 'umoci-'))
    const images = imagesOn(storage)
    const made = await makeImage(storage, images, work.path)
    await pipeline(images.save(['app:1']), createWriteStream(join(work.path, 'saved.tar')))
    shell(work.path, 'skopeo copy -q docker-archive:saved.tar:app:1 oci:layout:x && umoci unpack --image layout:x bundle')
    using view = storage.snapshotter.view({ chain: made.chain! })
    assert.deepEqual(listTree(view.path).slice(1), listTree(join(work.path, 'bundle/rootfs')).slice(1))
  })
})

describe('load', () => {
  for (const [format, target] of [
    ['docker-archive', 'docker-archive:other.tar:app:2'],
    ['oci-archive', 'oci-archive:other.tar:app:2'],
  ] as const) {
    it(`takes what skopeo writes as ${format}`, { skip: missing('skopeo') }, async () => {
      await using storage = await openStorage()
      await using fresh = await openStorage()
      using work = mkdtempDisposableSync(join(tmpdir(), 'skopeo-'))
      const images = imagesOn(storage)
      const made = await makeImage(storage, images, work.path)
      await pipeline(images.save(['app:1']), createWriteStream(join(work.path, 'saved.tar')))
      shell(work.path, `skopeo copy -q docker-archive:saved.tar:app:1 ${target}`)
      const loaded = await load(imagesOn(fresh), join(work.path, 'other.tar'))
      assert.deepEqual(loaded.repoTags, ['app:2'])
      assert.equal(loaded.chain, made.chain)
      using before = storage.snapshotter.view({ chain: made.chain! })
      using after = fresh.snapshotter.view({ chain: loaded.chain! })
      assert.deepEqual(listTree(after.path).slice(1), listTree(before.path).slice(1)) // the root's time is that of unpacking
    })
  }

  it('leaves nothing of an archive whose layer is hostile', async () => {
    await using storage = await openStorage()
    using work = mkdtempDisposableSync(join(tmpdir(), 'hostile-'))
    mkdirSync(join(work.path, 'outside'))
    shell(
      work.path,
      `printf secret > outside/secret; printf planted > secret; tar --transform 's,^,../../../../../../../..${work.path}/outside/,' -P -cf layer.tar secret
       d=$(sha256sum < layer.tar | cut -d' ' -f1)
       printf '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$d" > config.json
       printf '[{"Config":"config.json","RepoTags":["evil:1"],"Layers":["layer.tar"]}]' > manifest.json; tar -cf archive.tar layer.tar config.json manifest.json`,
    )
    const images = imagesOn(storage)
    await assert.rejects(load(images, join(work.path, 'archive.tar')), { code: 'INVALID_ARGUMENT', message: /is outside of the archive/ })
    await images.restore()
    await storage.snapshotter.settled()
    assert.equal(shell(work.path, 'cat outside/secret'), 'secret')
    assert.deepEqual(readdirSync(join(storage.root, 'layers')), [])
    assert.deepEqual(storage.content.list(), [])
  })
})

describe('remove', () => {
  it('frees the files of an image, and of a container that outlives it only with the container', async () => {
    await using storage = await openStorage()
    using work = mkdtempDisposableSync(join(tmpdir(), 'remove-'))
    const images = imagesOn(storage)
    await makeImage(storage, images, work.path)
    await images.remove('app:1', { force: true, prune: true })
    await images.remove('base:1', { force: true, prune: true })
    await images.restore()
    using view = storage.snapshotter.view({ key: 'container' })
    assert.ok(readdirSync(view.path).includes('bin'), 'the container still needs its layers')
    view[Symbol.dispose]()
    await storage.snapshotter.remove('container')
    await images.restore()
    await storage.snapshotter.settled()
    assert.deepEqual(readdirSync(join(storage.root, 'layers')), [])
    assert.deepEqual(storage.content.list(), [])
    assert.deepEqual(storage.reported, [])
  })
})
