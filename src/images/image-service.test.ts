import assert from 'node:assert/strict'
import { once } from 'node:events'
import { rmSync, truncateSync } from 'node:fs'
import { describe, it } from 'node:test'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { END_OF_ARCHIVE, readTar } from '#archive'
import { chainIds, digestOf, hexOf, hostPlatform } from '#oci'
import type { ImageConfigFile } from '#oci'
import { imagesUnderTest } from './testing/images-under-test.ts'
import type { ImagesUnderTest } from './testing/images-under-test.ts'
import { dockerArchive, idOf, makeConfig, makeLayer } from './testing/make-archive.ts'

const BASE = await makeLayer('base', 'base')
const TOP = await makeLayer('top', 'top!')
const CONFIG = makeConfig([BASE, TOP])
const ID = idOf(CONFIG)
const NO_FILTER = { reference: [], label: [], labelNot: [] }

async function loaded(tags: string[] = ['app:1'], members: Partial<ImageConfigFile> = {}): Promise<ImagesUnderTest> {
  const test = imagesUnderTest()
  await add(test, tags, members)
  return test
}

async function add(test: ImagesUnderTest, tags: string[], members: Partial<ImageConfigFile> = {}): Promise<void> {
  await test.load(await dockerArchive({ config: makeConfig([BASE, TOP], members), layers: [BASE, TOP], tags }))
}

function stream(bytes: Buffer): Readable {
  return Readable.from([bytes], { objectMode: false })
}

describe('get', () => {
  it('finds by name, id, and unique prefix of an id', async () => {
    using test = await loaded(['app:latest', 'quay.io/a/b:2'])
    for (const ref of [
      'app',
      'app:latest',
      'docker.io/library/app',
      'quay.io/a/b:2',
      ID,
      hexOf(ID),
      hexOf(ID).slice(0, 12),
      ID.slice(0, 20),
    ]) {
      assert.equal(test.images.get(ref).id, ID, ref)
    }
  })

  it('does not take the name of the algorithm for the beginning of an id', async () => {
    using test = await loaded(['app:1'])
    for (const ref of ['s', 'sha', 'sha256']) assert.throws(() => test.images.get(ref), { code: 'NOT_FOUND' })
    await test.images.tag('app:1', 's', 'latest')
    assert.deepEqual(await test.images.remove('s', { force: false, prune: true }), [{ untagged: 's:latest' }])
  })

  it('prefers a name to an id that begins so', async () => {
    const name = hexOf(ID).slice(0, 8)
    using test = await loaded([])
    await add(test, [`${name}:latest`], { author: 'other' })
    assert.equal(test.images.get(name).config.author, 'other')
  })

  it("throws with Docker's words", async () => {
    using test = await loaded()
    const CASES: [string, string, string][] = [
      ['nothing', 'NOT_FOUND', 'No such image: nothing:latest'],
      ['app:2', 'NOT_FOUND', 'No such image: app:2'],
      ['f'.repeat(64), 'NOT_FOUND', `No such image: sha256:${'f'.repeat(64)}`],
      ['Nothing', 'INVALID_ARGUMENT', 'invalid reference format: repository name (library/Nothing) must be lowercase'],
      ['', 'INVALID_ARGUMENT', 'invalid reference format'],
    ]
    for (const [ref, code, message] of CASES) assert.throws(() => test.images.get(ref), { code, message })
  })

  it('finds after a restart what was there before', async () => {
    using test = await loaded()
    const images = test.restart()
    await images.restore()
    assert.deepEqual(images.get('app:1'), test.images.get('app:1'))
  })
})

describe('tag', () => {
  it('gives another name and says so', async () => {
    using test = await loaded()
    await test.images.tag('app:1', 'registry:5000/x', 'v2')
    await test.images.tag('app:1', 'y', '')
    assert.deepEqual(test.images.get('y').repoTags, ['app:1', 'registry:5000/x:v2', 'y:latest'])
    assert.deepEqual(test.events.slice(-2), ['tag registry:5000/x:v2', 'tag y:latest'])
    assert.ok(test.images.get('y').lastTagged > Date.now() - 10_000)
  })

  it('refuses bad names', async () => {
    using test = await loaded()
    const CASES: [string, string, string][] = [
      ['UPPER', '1', 'invalid reference format: repository name (library/UPPER) must be lowercase'],
      ['x', 'bad tag', 'invalid tag format'],
      ['', '1', 'invalid reference format'],
      ['sha256', '1', 'refusing to create an ambiguous tag using digest algorithm as name'],
      [`x@${ID}`, '', 'cannot import digest reference'],
    ]
    for (const [repo, tag, message] of CASES)
      await assert.rejects(test.images.tag('app:1', repo, tag), { code: 'INVALID_ARGUMENT', message })
  })
})

describe('list', () => {
  const names = (test: ImagesUnderTest, filters: object, all = false): string[][] =>
    test.images.list({ all, filters: { ...NO_FILTER, ...filters } }).map(({ repoTags }) => repoTags)

  it('sorts by age and applies filters', async () => {
    using test = await loaded(['old:1'], { created: '2020-01-01T00:00:00Z', config: { Labels: { tier: 'db' } } })
    await add(test, ['new:1', 'alias:2'], { created: '2022-01-01T00:00:00Z' })
    await add(test, [], { created: '2021-01-01T00:00:00Z' })
    assert.deepEqual(names(test, {}), [['alias:2', 'new:1'], [], ['old:1']])
    assert.deepEqual(names(test, { reference: ['n*'] }), [['new:1']])
    assert.deepEqual(names(test, { reference: ['*:2', 'old'] }), [['alias:2'], ['old:1']])
    assert.deepEqual(names(test, { dangling: true }), [[]])
    assert.deepEqual(names(test, { dangling: false }), [['alias:2', 'new:1'], ['old:1']])
    assert.deepEqual(names(test, { label: ['tier=db'] }), [['old:1']])
    assert.deepEqual(names(test, { label: ['tier=web'] }), [])
    assert.deepEqual(names(test, { before: 'new:1' }), [[], ['old:1']])
    assert.deepEqual(names(test, { since: 'old:1' }), [['alias:2', 'new:1'], []])
    assert.deepEqual(names(test, { until: Date.parse('2020-06-01') }), [['old:1']])
    assert.throws(() => names(test, { since: 'nothing' }), { code: 'NOT_FOUND' })
  })
})

describe('history', () => {
  it('lists steps from the newest, with sizes of layers', async () => {
    using test = await loaded(['app:1'], {
      history: [
        { created: '2020-01-01T00:00:00Z', created_by: 'base' },
        { created: '2020-01-02T00:00:00Z', created_by: 'ENV A=1', empty_layer: true },
        { created: '2020-01-03T00:00:00Z', created_by: 'top', comment: 'why' },
      ],
    })
    const { id } = test.images.get('app:1')
    assert.deepEqual(test.images.history('app:1'), [
      { id, created: 1577836800 + 2 * 86_400, createdBy: 'top', tags: ['app:1'], size: 4, comment: 'why' },
      { id: '<missing>', created: 1577836800 + 86_400, createdBy: 'ENV A=1', tags: null, size: 0, comment: '' },
      { id: '<missing>', created: 1577836800, createdBy: 'base', tags: null, size: 4, comment: '' },
    ])
  })

  it('names parents that are here', async () => {
    using test = await loaded()
    await test.snapshotter.prepare('c', test.images.get('app:1').chain)
    const child = await test.images.commit({
      key: 'c',
      parent: ID,
      config: {},
      repo: 'child',
      tag: '',
      comment: '',
      author: '',
      createdBy: 'sh',
      changes: [],
    })
    assert.deepEqual(
      test.images.history('child').map((entry) => entry.id),
      [child.id, ID, '<missing>'],
    )
  })
})

describe('import', () => {
  const options = { repo: 'rootfs', tag: '', message: 'made by a test', changes: [] }

  it('makes an image of one layer', async () => {
    using test = imagesUnderTest()
    const image = await test.images.import(stream(gzipSync(BASE)), {
      ...options,
      changes: ['CMD ["/bin/sh"]', 'ENV A=b'],
      platform: 'linux/arm/v7',
    })
    assert.deepEqual(image.repoTags, ['rootfs:latest'])
    assert.deepEqual(image.config.rootfs.diff_ids, [digestOf(BASE)])
    assert.deepEqual(image.config.config, { Cmd: ['/bin/sh'], Env: ['A=b'] })
    assert.deepEqual([image.config.architecture, image.config.variant], ['arm', 'v7'])
    assert.equal(image.config.history?.[0]?.comment, 'made by a test')
    assert.equal(image.size, 4)
    assert.deepEqual(test.events, [`import ${image.id}`, 'tag rootfs:latest'])
  })

  it('takes the platform of this machine by default, and no name for none', async () => {
    using test = imagesUnderTest()
    const image = await test.images.import(stream(BASE), { ...options, repo: '' })
    assert.equal(image.config.architecture, hostPlatform().architecture)
    assert.deepEqual(image.repoTags, [])
  })

  it('refuses bad input before or after reading it, and leaves nothing', async () => {
    using test = imagesUnderTest()
    const CASES: [Buffer, object, RegExp][] = [
      [BASE, { repo: 'UPPER' }, /must be lowercase/],
      [BASE, { changes: ['RUN rm -rf /'] }, /run is not a valid change command/],
      [BASE, { platform: 'a/b/c/d' }, /expected format/],
      [Buffer.alloc(4000, 'x'), {}, /invalid tar header/],
      [BASE.subarray(0, 513), {}, /unexpected EOF/],
      [gzipSync(BASE).subarray(0, -8), {}, /Cannot decompress/],
    ]
    for (const [tar, members, message] of CASES)
      await assert.rejects(test.images.import(stream(tar), { ...options, ...members }), { code: 'INVALID_ARGUMENT', message })
    await test.images.restore()
    assert.deepEqual(test.content.list(), [])
  })
})

describe('commit', () => {
  const options = {
    key: 'c',
    parent: ID,
    config: { Cmd: ['sh'], Env: ['A=1'] },
    repo: 'made',
    tag: 'v1',
    comment: 'why',
    author: 'who',
    createdBy: 'sh -c x',
    changes: ['ENV B=2'],
  }

  it('puts the writable layer on top of the parent', async () => {
    using test = await loaded()
    await test.snapshotter.prepare('c', test.images.get('app:1').chain)
    const added = await makeLayer('added', 'added')
    test.snapshotter.write('c', { tar: added })
    const image = await test.images.commit(options)
    assert.equal(image.chain, chainIds([digestOf(BASE), digestOf(TOP), digestOf(added)]).at(-1))
    assert.equal(image.parent, ID)
    assert.deepEqual(image.repoTags, ['made:v1'])
    assert.deepEqual(image.config.config, { Cmd: ['sh'], Env: ['A=1', 'B=2'] })
    assert.equal(image.size, 13)
    const { created: _, ...step } = image.config.history?.at(-1) ?? {}
    assert.deepEqual(step, { created_by: 'sh -c x', author: 'who', comment: 'why' })
  })

  it('adds no layer when nothing was written', async () => {
    using test = await loaded()
    await test.snapshotter.prepare('c', test.images.get('app:1').chain)
    test.snapshotter.write('c', { tar: END_OF_ARCHIVE })
    const image = await test.images.commit(options)
    assert.equal(image.chain, test.images.get('app:1').chain)
    assert.equal(image.config.history?.at(-1)?.empty_layer, true)
  })

  it('goes on when the parent is removed meanwhile', async () => {
    using test = await loaded()
    const { chain } = test.images.get('app:1')
    await test.snapshotter.prepare('c', chain)
    const added = await makeLayer('added', 'added')
    test.snapshotter.write('c', { tar: added })
    const committed = test.images.commit(options)
    await test.images.remove('app:1', { force: true, prune: true })
    const image = await committed
    assert.deepEqual([image.parent, image.chain], ['', chainIds([digestOf(BASE), digestOf(TOP), digestOf(added)]).at(-1)])
  })

  it('makes an image without a parent', async () => {
    using test = imagesUnderTest()
    await test.snapshotter.prepare('c', undefined)
    test.snapshotter.write('c', { tar: BASE })
    const image = await test.images.commit({ ...options, parent: '' })
    assert.deepEqual(image.config.rootfs.diff_ids, [digestOf(BASE)])
  })
})

describe('save', () => {
  async function saved(test: ImagesUnderTest, refs: string[]): Promise<Buffer> {
    return await buffer(test.images.save(refs))
  }

  it('writes an archive that loads as the same images', async () => {
    using test = await loaded(['app:1', 'app:2', 'other:1'])
    const archive = await saved(test, ['app', ID])
    using fresh = imagesUnderTest()
    const { images } = await fresh.load(archive)
    assert.deepEqual(
      images.map(({ id, repoTags }) => [id, repoTags]),
      [[ID, ['app:1', 'app:2']]],
    )
    assert.deepEqual(await buffer(fresh.snapshotter.layerTar(images[0]!.chain!)), TOP)
  })

  it('writes names as Docker does', async () => {
    using test = await loaded(['app:1'])
    const documents = new Map<string, unknown>()
    for await (const { entry, body } of readTar(Readable.from([await saved(test, ['app:1'])]))) {
      if (entry.type === 'file' && !entry.path.startsWith('blobs/')) documents.set(entry.path, JSON.parse((await buffer(body)).toString()))
    }
    const layers = [BASE, TOP].map((layer) => `blobs/sha256/${hexOf(digestOf(layer))}`)
    const [manifest] = documents.get('manifest.json') as Record<string, unknown>[]
    assert.deepEqual([manifest?.['Config'], manifest?.['RepoTags'], manifest?.['Layers']], [`blobs/sha256/${hexOf(ID)}`, ['app:1'], layers])
    const index = documents.get('index.json') as { manifests: { annotations: object }[] }
    assert.deepEqual(index.manifests[0]?.annotations, {
      'io.containerd.image.name': 'docker.io/library/app:1',
      'org.opencontainers.image.ref.name': '1',
    })
    assert.deepEqual(documents.get('oci-layout'), { imageLayoutVersion: '1.0.0' })
    assert.deepEqual(documents.get('repositories'), { app: { 1: hexOf(digestOf(TOP)) } })
  })

  it('gives equal archives for equal images', async () => {
    using test = await loaded()
    using other = await loaded()
    assert.deepEqual(await saved(test, ['app:1']), await saved(other, ['app:1']))
  })

  it('goes on when the image is removed meanwhile', async () => {
    using test = await loaded()
    const archive = await saved(test, ['app:1'])
    const iterator = test.images.save(['app:1'])[Symbol.asyncIterator]() as AsyncIterator<Buffer>
    const first = await iterator.next()
    await test.images.remove('app:1', { force: true, prune: true })
    await test.images.restore() // waits for the collection
    const rest: Buffer[] = [first.value as Buffer]
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) rest.push(next.value)
    assert.deepEqual(Buffer.concat(rest), archive)
    await test.images.restore()
    assert.deepEqual(test.content.list(), [])
  })

  it('keeps what it consists of before it is read, and until it is closed', async () => {
    using test = await loaded()
    const archive = test.images.save(['app:1'])
    await test.images.remove('app:1', { force: true, prune: true })
    await test.images.restore() // waits for the collection
    assert.equal(test.content.list().length, 3)
    archive.destroy()
    await once(archive, 'close')
    await test.images.restore()
    assert.deepEqual(test.content.list(), [])
  })

  it('throws before the first byte when the archive of a layer is lost', async () => {
    using test = await loaded()
    rmSync(test.content.path(digestOf(BASE)))
    const message = `layer ${digestOf(BASE)}: its archive is gone; pull or load the image again`
    assert.throws(() => test.images.save(['app:1']), { code: 'DATA_LOSS', message })
    await test.images.remove('app:1', { force: true, prune: true })
    await test.images.restore()
    assert.deepEqual(test.content.list(), []) // it holds nothing
  })

  it('throws before the first byte when an image is not there', async () => {
    using test = await loaded()
    assert.throws(() => test.images.save(['app:1', 'nothing']), { code: 'NOT_FOUND', message: 'No such image: nothing:latest' })
  })
})

describe('load', () => {
  it('keeps nothing of the archive but the images', async () => {
    using test = await loaded()
    await test.images.restore() // waits for the collection
    assert.deepEqual(new Set(test.content.list().map(({ digest }) => digest)), new Set([ID, digestOf(BASE), digestOf(TOP)]))
  })
})

describe('sizes', () => {
  it('counts shared layers once, and what an image shares', async () => {
    using test = await loaded()
    const single = makeConfig([BASE])
    await test.load(await dockerArchive({ config: single, layers: [BASE], tags: ['base:1'] }))
    assert.equal(test.images.sharedSize(ID), 4)
    assert.equal(test.images.layerPaths(ID).length, 2)
  })
})

describe('restore', () => {
  it('forgets an image whose content is gone and says so', async () => {
    using test = await loaded()
    await test.content.collect(new Set())
    await test.restart().restore()
    assert.match(String(test.reported[0]), /its config is gone/)
    assert.throws(() => test.restart().get('app:1'), { code: 'NOT_FOUND' })
  })

  it('forgets an image whose config is torn: the others are listed', async () => {
    using test = await loaded()
    const other = makeConfig([BASE])
    await test.load(await dockerArchive({ config: other, layers: [BASE], tags: ['base:1'] }))
    truncateSync(test.content.path(ID), 10)
    const images = test.restart()
    await images.restore()
    assert.match(String(test.reported[0]), /its config cannot be read/)
    assert.deepEqual(
      images.list({ all: true, filters: NO_FILTER }).map(({ repoTags }) => repoTags),
      [['base:1']],
    )
  })
})
