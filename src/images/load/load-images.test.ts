import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Readable } from 'node:stream'
import { randomBytes } from 'node:crypto'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { chainIds, digestOf, hexOf, hostPlatform } from '#oci'
import { imagesUnderTest } from '../testing/images-under-test.ts'
import type { ImagesUnderTest } from '../testing/images-under-test.ts'
import { dockerArchive, idOf, json, LayoutBuilder, makeConfig, makeLayer, makeTar, platform } from '../testing/make-archive.ts'

const LAYERS = [await makeLayer('a', 'lower'), await makeLayer('b', 'upper')] as const
const CONFIG = makeConfig(LAYERS)
const HOST = hostPlatform().architecture

async function assertLoaded(test: ImagesUnderTest, archive: Buffer, tags: string[]): Promise<void> {
  const { images, messages } = await test.load(archive)
  assert.equal(images.length, 1)
  const [image] = images
  assert.deepEqual([image?.id, image?.repoTags, image?.repoDigests], [idOf(CONFIG), tags, []])
  assert.equal(image?.chain, chainIds(LAYERS.map(digestOf)).at(-1))
  assert.equal(image?.size, 'lower'.length + 'upper'.length)
  assert.deepEqual(
    messages.map(({ stream }) => stream),
    tags.length > 0 ? tags.map((tag) => `Loaded image: ${tag}\n`) : [`Loaded image ID: ${idOf(CONFIG)}\n`],
  )
}

describe('load', () => {
  it('takes what Docker before 25 saved', async () => {
    using test = imagesUnderTest()
    await assertLoaded(test, await dockerArchive({ config: CONFIG, layers: [...LAYERS], tags: ['app:1', 'registry:5000/app:2'] }), [
      'app:1',
      'registry:5000/app:2',
    ])
    assert.deepEqual(test.events, [`load ${idOf(CONFIG)}`, 'tag app:1', 'tag registry:5000/app:2'])
  })

  it('takes an image without a name', async () => {
    using test = imagesUnderTest()
    await assertLoaded(test, await dockerArchive({ config: CONFIG, layers: [...LAYERS], tags: null }), [])
  })

  for (const [name, compress] of [
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ] as const) {
    it(`takes layers and archives compressed with ${name}`, async () => {
      using test = imagesUnderTest()
      const layout = new LayoutBuilder()
      const image = layout.addImage(
        CONFIG,
        LAYERS.map((layer) => compress(layer)),
        { annotations: { 'io.containerd.image.name': 'docker.io/library/app:1' } },
      )
      await assertLoaded(test, compress(await layout.archive([image])), ['app:1'])
    })
  }

  it('follows links between equal layers', async () => {
    using test = imagesUnderTest()
    const [layer] = LAYERS
    const config = makeConfig([layer, layer])
    const archive = await makeTar({
      'second/layer.tar': { link: '../first/layer.tar' },
      'first/layer.tar': layer,
      'c.json': config,
      'manifest.json': json([{ Config: 'c.json', RepoTags: ['app:1'], Layers: ['first/layer.tar', 'second/layer.tar'] }]),
    })
    assert.equal((await test.load(archive)).images[0]?.id, idOf(config))
  })

  it('takes the manifest of this platform from nested indexes, and no attestations', async () => {
    using test = imagesUnderTest()
    const layout = new LayoutBuilder()
    const other = layout.addImage(makeConfig([], { architecture: 's390x' }), [], platform('s390x'))
    const attestation = layout.addImage(makeConfig([]), [], {
      ...platform('unknown'),
      annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
    })
    const wanted = layout.addImage(CONFIG, LAYERS, platform(HOST))
    const index = layout.addIndex([attestation, other, wanted], { annotations: { 'org.opencontainers.image.ref.name': 'quay.io/app:1' } })
    await assertLoaded(test, await layout.archive([index]), ['quay.io/app:1'])
  })

  it('takes a bare tag for no name', async () => {
    using test = imagesUnderTest()
    const layout = new LayoutBuilder()
    const image = layout.addImage(CONFIG, LAYERS, { annotations: { 'org.opencontainers.image.ref.name': 'latest' } })
    await assertLoaded(test, await layout.archive([image]), [])
  })

  it('takes several images, and several names of one', async () => {
    using test = imagesUnderTest()
    const layout = new LayoutBuilder()
    const second = makeConfig([LAYERS[0]])
    const named = (name: string) => ({ annotations: { 'io.containerd.image.name': name } })
    const { images, messages } = await test.load(
      await layout.archive([
        layout.addImage(CONFIG, LAYERS, named('docker.io/library/one:1')),
        layout.addImage(CONFIG, LAYERS, named('docker.io/library/one:2')),
        layout.addImage(second, [LAYERS[0]], named('docker.io/library/two:1')),
      ]),
    )
    assert.deepEqual(
      images.map(({ repoTags }) => repoTags),
      [['one:1', 'one:2'], ['two:1']],
    )
    assert.equal(messages.length, 3)
  })

  it('gives a name that another image has to the loaded one', async () => {
    using test = imagesUnderTest()
    const old = makeConfig([])
    await test.load(await dockerArchive({ config: old, layers: [], tags: ['app:1'] }))
    await test.load(await dockerArchive({ config: CONFIG, layers: [...LAYERS], tags: ['app:1'] }))
    assert.equal(test.images.get('app:1').id, idOf(CONFIG))
    assert.deepEqual(test.images.get(idOf(old)).repoTags, [])
  })

  it('reports progress unless asked to be quiet', async () => {
    using test = imagesUnderTest()
    const statuses: (string | undefined)[] = []
    const archive = await dockerArchive({ config: CONFIG, layers: [...LAYERS], tags: ['app:1'] })
    await test.images.load(Readable.from([archive], { objectMode: false }), {
      quiet: false,
      report: ({ status, id }) => statuses.push(status && `${status} ${id}`),
    })
    for (const layer of LAYERS) assert.ok(statuses.includes(`Loading layer ${hexOf(digestOf(layer)).slice(0, 12)}`))
  })

  it('enters no image when one of several is bad', async () => {
    using test = imagesUnderTest()
    const archive = await makeTar({
      'good.json': CONFIG,
      'bad.json': makeConfig([], { os: 'plan9' }),
      1: LAYERS[0],
      2: LAYERS[1],
      'manifest.json': json([
        { Config: 'good.json', RepoTags: ['good:1'], Layers: ['1', '2'] },
        { Config: 'bad.json', RepoTags: ['bad:1'], Layers: [] },
      ]),
    })
    await assert.rejects(test.load(archive), /cannot load plan9/)
    assert.throws(() => test.images.get('good:1'), { code: 'NOT_FOUND' })
  })

  it('keeps what was there when a bad archive names it', async () => {
    using test = imagesUnderTest()
    const whole = await dockerArchive({ config: CONFIG, layers: [...LAYERS], tags: ['app:1'] })
    await test.load(whole)
    await assert.rejects(test.load(whole.subarray(0, 1200)))
    await test.images.restore()
    assert.equal(test.images.get('app:1').id, idOf(CONFIG))
    assert.equal(test.content.list().length, 3)
  })

  it('ends with its signal', async () => {
    using test = imagesUnderTest()
    const whole = await dockerArchive({ config: CONFIG, layers: [...LAYERS], tags: ['app:1'] })
    const archive = Readable.from([whole], { objectMode: false })
    await assert.rejects(test.images.load(archive, { quiet: true, report: () => {}, signal: AbortSignal.abort() }), { name: 'AbortError' })
  })
})

describe('load of layers that are large enough to be unpacked early', () => {
  it('forgets what only looked like a layer', async () => {
    using test = imagesUnderTest()
    const layer = await makeLayer('a', 'x'.repeat(100_000))
    const config = makeConfig([layer])
    const decoys = { notes: await makeLayer('decoy', 'y'.repeat(100_000)), broken: gzipSync(randomBytes(100_000)).subarray(0, -8) }
    const { images } = await test.load(await dockerArchive({ config, layers: [layer], tags: ['app:1'], extra: decoys }))
    assert.deepEqual(images[0]?.repoTags, ['app:1'])
    await test.images.restore()
    assert.deepEqual([...test.snapshotter.blobs()], [digestOf(layer)])
    assert.equal(test.content.list().length, 2)
  })
})
