import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { conflict, forbidden } from '#errors'
import { digestOf, hexOf, hostPlatform, MEDIA_TYPES, parsePlatform, parseReference } from '#oci'
import type { Descriptor, Digest, ImageManifest } from '#oci'
import { imagesUnderTest } from '../testing/images-under-test.ts'
import type { ImagesUnderTest } from '../testing/images-under-test.ts'
import { dockerArchive, idOf, makeConfig, makeLayer, platform } from '../testing/make-archive.ts'
import type { ProgressMessage, PushOptions } from '../types.ts'

const LAYERS = [await makeLayer('a', 'lower'), await makeLayer('b', 'upper')] as const
const CONFIG = makeConfig(LAYERS)
const ID = idOf(CONFIG)
const GZIPPED = LAYERS.map((layer) => gzipSync(layer, { level: 9 }))

/** An image made here (no manifest), with these names. */
async function made(...tags: string[]): Promise<ImagesUnderTest> {
  const test = imagesUnderTest()
  await test.load(await dockerArchive({ config: CONFIG, layers: [...LAYERS], tags }))
  return test
}

async function push(test: ImagesUnderTest, name: string, options: Partial<PushOptions> = {}): Promise<ProgressMessage[]> {
  const messages: ProgressMessage[] = []
  await test.images.push({ reference: parseReference(name), report: (message) => messages.push(message), ...options })
  return messages
}

async function pull(test: ImagesUnderTest, name: string, wanted?: string): Promise<void> {
  const options = wanted === undefined ? {} : { platform: wanted }
  await test.images.pull({ reference: parseReference(name), report: () => {}, ...options })
}

function text(messages: readonly ProgressMessage[]): string[] {
  return messages.flatMap(({ id, status, progress }) =>
    status === undefined || progress !== undefined ? [] : id === undefined ? status : `${id}: ${status}`,
  )
}

function pushedManifest(test: ImagesUnderTest, name: string): { descriptor: Descriptor; bytes: Buffer; manifest: ImageManifest } {
  const found = test.registry.manifests.get(test.registry.tags.get(name)!)!
  return { ...found, manifest: JSON.parse(found.bytes.toString()) as ImageManifest }
}

const short = (digest: Digest): string => hexOf(digest).slice(0, 12)

describe('push of an image made here', () => {
  it('makes a manifest of config and compressed layers, and says what Docker says', async () => {
    using test = await made('r:5000/app:1')
    const messages = await push(test, 'r:5000/app:1')
    const { descriptor, manifest } = pushedManifest(test, 'r:5000/app:1')
    assert.equal(descriptor.mediaType, MEDIA_TYPES.dockerManifest)
    assert.deepEqual(manifest.config, { mediaType: MEDIA_TYPES.dockerConfig, size: CONFIG.length, digest: ID })
    assert.deepEqual(
      manifest.layers.map(({ digest }) => gunzipSync(test.registry.blobs.get(digest)!)),
      LAYERS,
    )
    assert.ok(manifest.layers.every(({ mediaType }) => mediaType === MEDIA_TYPES.dockerLayerGzip))
    const [lower, upper] = LAYERS.map((layer) => short(digestOf(layer)))
    const said = text(messages)
    assert.deepEqual(said.slice(0, 3), ['The push refers to repository [r:5000/app]', `${lower}: Preparing`, `${upper}: Preparing`])
    assert.deepEqual(said.slice(3, -1).sort(), [`${lower}: Pushed`, `${upper}: Pushed`].sort())
    assert.equal(said.at(-1), `1: digest: ${descriptor.digest} size: ${descriptor.size}`)
    assert.deepEqual(messages.at(-1)?.aux, { Tag: '1', Digest: descriptor.digest, Size: descriptor.size })
    assert.equal(test.events.at(-1), 'push r:5000/app')
  })

  it('knows the image by its digest afterwards, also after a restart and a collection', async () => {
    using test = await made('r:5000/app:1')
    await push(test, 'r:5000/app:1')
    const { descriptor } = pushedManifest(test, 'r:5000/app:1')
    const images = test.restart()
    await images.restore()
    assert.deepEqual(images.get('r:5000/app:1').repoDigests, [`r:5000/app@${descriptor.digest}`])
    assert.equal(images.get(`r:5000/app@${descriptor.digest}`).id, ID)
    assert.deepEqual(images.get('r:5000/app:1').descriptor, descriptor)
    assert.ok(test.content.has(descriptor.digest))
  })

  it('sends nothing the second time, and compresses nothing', async () => {
    using test = await made('r:5000/app:1', 'r:5000/app:2')
    await push(test, 'r:5000/app:1')
    test.registry.requests.length = 0
    test.snapshotter.layerTar = () => assert.fail('a layer is read')
    const said = text(await push(test, 'r:5000/app:2'))
    for (const layer of LAYERS) assert.ok(said.includes(`${short(digestOf(layer))}: Layer already exists`))
    assert.deepEqual(test.registry.requests, ['PUT manifest 2'])
    assert.equal(test.registry.tags.get('r:5000/app:2'), test.registry.tags.get('r:5000/app:1'))
  })

  it('has nothing to download afterwards, and can be sent again', async () => {
    using test = await made('r:5000/app:1', 'other:1')
    await push(test, 'r:5000/app:1')
    const { descriptor } = pushedManifest(test, 'r:5000/app:1')
    await test.images.remove('r:5000/app:1', { force: false, prune: true })
    await test.images.restore() // waits for the collection
    test.registry.requests.length = 0
    await pull(test, 'r:5000/app:1')
    assert.deepEqual(test.registry.requests, ['GET manifest 1'])
    await push(test, 'r:5000/app:1')
    assert.equal(pushedManifest(test, 'r:5000/app:1').descriptor.digest, descriptor.digest)
  })

  it('mounts what another repository of the registry has', async () => {
    using test = await made('r:5000/one/app:1', 'r:5000/two:1', 'other:5000/three:1')
    await push(test, 'r:5000/one/app:1')
    const said = text(await push(test, 'r:5000/two:1'))
    assert.equal(said.filter((line) => line.endsWith(': Mounted from one/app')).length, 2)
    await push(test, 'other:5000/three:1')
    const digests = ['r:5000/one/app:1', 'r:5000/two:1', 'other:5000/three:1'].map((name) => test.registry.tags.get(name))
    assert.equal(new Set(digests).size, 1)
  })

  it('sends it when the mount is refused', async () => {
    using test = await made('r:5000/one:1', 'r:5000/two:1')
    await push(test, 'r:5000/one:1')
    test.registry.pushed.clear()
    test.registry.blobs.clear()
    await push(test, 'r:5000/two:1')
    assert.equal(test.registry.requests.filter((request) => request.includes('from one')).length, 3)
    assert.deepEqual(pushedManifest(test, 'r:5000/two:1').manifest.config.digest, ID)
  })

  it('compresses anew when the compressor makes something else than it did', async () => {
    using test = await made('r:5000/app:1')
    const wrong = digestOf('from another version of zlib')
    for (const layer of LAYERS) test.metadata.repository('compressedLayers').put(digestOf(layer), { digest: wrong, size: 5 })
    await test.restart().push({ reference: parseReference('r:5000/app:1'), report: () => {} })
    const { manifest } = pushedManifest(test, 'r:5000/app:1')
    assert.deepEqual(
      manifest.layers.map(({ digest }) => gunzipSync(test.registry.blobs.get(digest)!)),
      LAYERS,
    )
  })

  it('sends layers that came compressed as they came', async () => {
    using test = imagesUnderTest()
    await test.load(await dockerArchive({ config: CONFIG, layers: GZIPPED, tags: ['r:5000/app:1'] }))
    await push(test, 'r:5000/app:1')
    assert.deepEqual(
      pushedManifest(test, 'r:5000/app:1').manifest.layers.map(({ digest }) => digest),
      GZIPPED.map(digestOf),
    )
  })

  it('sends a layer once that lies in it twice', async () => {
    using test = imagesUnderTest()
    const [layer] = LAYERS
    await test.load(await dockerArchive({ config: makeConfig([layer, layer]), layers: [layer, layer], tags: ['r:5000/app:1'] }))
    await push(test, 'r:5000/app:1')
    const { layers } = pushedManifest(test, 'r:5000/app:1').manifest
    assert.equal(layers.length, 2)
    assert.deepEqual(layers[0], layers[1])
    assert.equal(test.registry.requests.filter((request) => request === 'PUT blob …').length, 1)
  })

  it('pushes all tags of a repository when no tag is given', async () => {
    using test = await made('r:5000/app:2', 'r:5000/app:1', 'r:5000/other:1')
    const said = text(await push(test, 'r:5000/app'))
    assert.deepEqual(
      said.filter((line) => line.includes('digest: ')).map((line) => line.slice(0, 2)),
      ['1:', '2:'],
    )
    assert.equal(test.registry.tags.has('r:5000/other:1'), false)
  })

  it('uploads as many at once as it may', async () => {
    using test = await made('r:5000/app:1')
    test.limits.uploads = 1
    let running = 0
    let most = 0
    test.registry.beforeWrite = async () => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setTimeout(resolve, 1))
      running--
    }
    const said = text(await push(test, 'r:5000/app:1'))
    assert.equal(most, 1)
    assert.ok(said.some((line) => line.endsWith(': Waiting')))
  })
})

describe('push of an image that was pulled', () => {
  it('sends manifest, config and layers as they came, unknown members and all', async () => {
    using test = imagesUnderTest()
    const { registry } = test
    const layers = GZIPPED.map((layer) => registry.addBlob(MEDIA_TYPES.ociLayerGzip, layer))
    const document = {
      schemaVersion: 2,
      config: registry.addBlob(MEDIA_TYPES.ociConfig, CONFIG),
      layers,
      'com.example.unknown': [1, { a: null }],
    }
    const bytes = Buffer.from(JSON.stringify(document, null, 7))
    registry.tag('hub:5000/app:1', registry.addManifest(bytes, MEDIA_TYPES.ociManifest))
    await pull(test, 'hub:5000/app:1')
    await test.images.tag('hub:5000/app:1', 'r:5000/copy', 'x')
    await test.images.remove('hub:5000/app:1', { force: false, prune: true })
    await test.images.restore() // a collection
    registry.blobs.clear()
    const said = text(await push(test, 'r:5000/copy:x'))
    assert.deepEqual(pushedManifest(test, 'r:5000/copy:x').bytes, bytes)
    assert.deepEqual(pushedManifest(test, 'r:5000/copy:x').descriptor.mediaType, MEDIA_TYPES.ociManifest)
    assert.ok(said.includes(`${short(digestOf(GZIPPED[0]!))}: Pushed`))
    assert.deepEqual(test.images.get('r:5000/copy:x').repoDigests, [`r:5000/copy@${digestOf(bytes)}`])
  })

  it('mounts from where it was pulled', async () => {
    using test = imagesUnderTest()
    test.registry.tag('r:5000/base:1', test.registry.addImage(CONFIG, GZIPPED))
    await pull(test, 'r:5000/base:1')
    // Pulled content is everywhere in the fake; a real registry has it in one repository.
    for (const digest of test.registry.blobs.keys()) test.registry.pushed.set(digest, new Set(['r:5000/base']))
    await test.images.tag('r:5000/base:1', 'r:5000/copy', '1')
    const said = text(await push(test, 'r:5000/copy:1'))
    assert.equal(said.filter((line) => line.endsWith('Mounted from base')).length, 2)
  })

  it('does not send layers that may not be distributed', async () => {
    using test = imagesUnderTest()
    const { registry } = test
    const foreign = {
      ...registry.addBlob('application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', GZIPPED[0]!),
      urls: ['http://vendor/x'],
    }
    const layers = [foreign, registry.addBlob(MEDIA_TYPES.dockerLayerGzip, GZIPPED[1]!)]
    const config = registry.addBlob(MEDIA_TYPES.dockerConfig, CONFIG)
    const document = { schemaVersion: 2, mediaType: MEDIA_TYPES.dockerManifest, config, layers }
    registry.tag('r:5000/app:1', registry.addManifest(document, MEDIA_TYPES.dockerManifest))
    await pull(test, 'r:5000/app:1')
    registry.blobs.clear()
    registry.pushed.clear()
    await push(test, 'r:5000/app:1')
    assert.deepEqual(new Set(registry.blobs.keys()), new Set([ID, layers[1]!.digest]))
  })

  it('asks the registry for layers that are not kept, and makes a new manifest when it has them not', async () => {
    using test = imagesUnderTest()
    const { registry } = test
    const descriptor = registry.addImage(CONFIG, GZIPPED)
    registry.tag('r:5000/app:1', descriptor)
    await pull(test, 'r:5000/app:1')
    const kept = GZIPPED.map(digestOf)
    const has = test.content.has.bind(test.content)
    test.content.has = (digest) => !kept.includes(digest) && has(digest)
    await push(test, 'r:5000/app:1')
    assert.equal(registry.tags.get('r:5000/app:1'), descriptor.digest)
    for (const digest of kept) registry.blobs.delete(digest)
    await push(test, 'r:5000/app:1')
    const { manifest } = pushedManifest(test, 'r:5000/app:1')
    assert.deepEqual(
      manifest.layers.map(({ digest }) => gunzipSync(registry.blobs.get(digest)!)),
      LAYERS,
    )
  })
})

describe('push of an image whose layers a push once compressed', () => {
  it('makes a new manifest when the compressor makes something else of them', async () => {
    using test = imagesUnderTest()
    const { registry } = test
    registry.tag('r:5000/app:1', registry.addImage(CONFIG, GZIPPED))
    await pull(test, 'r:5000/app:1')
    const kept = GZIPPED.map(digestOf)
    const has = test.content.has.bind(test.content)
    test.content.has = (digest) => !kept.includes(digest) && has(digest)
    for (const digest of kept) registry.blobs.delete(digest)
    for (const [index, layer] of LAYERS.entries()) {
      test.metadata.repository('compressedLayers').put(digestOf(layer), { digest: kept[index], size: 5 })
    }
    await test.restart().push({ reference: parseReference('r:5000/app:1'), report: () => {} })
    const { manifest } = pushedManifest(test, 'r:5000/app:1')
    assert.deepEqual(
      manifest.layers.map(({ digest }) => gunzipSync(registry.blobs.get(digest)!)),
      LAYERS,
    )
  })
})

describe('push of an image with several platforms', () => {
  const HOST = hostPlatform().architecture
  const OTHER = makeConfig(LAYERS, { architecture: 's390x' })

  /** `r:5000/app:1` in the registry, pulled for this machine. */
  async function indexed(): Promise<{ test: ImagesUnderTest; index: Descriptor; host: Descriptor; other: Descriptor }> {
    const test = imagesUnderTest()
    const { registry } = test
    const host = registry.addImage(CONFIG, GZIPPED, platform(HOST))
    const other = registry.addImage(OTHER, GZIPPED, platform('s390x'))
    const index = registry.addIndex([host, other])
    registry.tag('r:5000/app:1', index)
    await pull(test, 'r:5000/app:1')
    return { test, index, host, other }
  }

  it('sends one manifest when the others are not here, and says so', async () => {
    const { test, index, host } = await indexed()
    using _ = test
    await test.images.tag('r:5000/app:1', 'other:5000/app', '1')
    const messages = await push(test, 'other:5000/app:1')
    assert.equal(test.registry.tags.get('other:5000/app:1'), host.digest)
    const note = messages.flatMap(({ aux }) => (aux === undefined ? [] : [aux as Record<string, { digest: Digest }>]))[0]
    assert.equal(note?.['manifestPushedInsteadOfIndex'], true)
    assert.deepEqual([note?.['originalIndex']?.digest, note?.['selectedManifest']?.digest], [index.digest, host.digest])
    assert.equal(test.images.get('other:5000/app:1').descriptor?.digest, index.digest)
    assert.deepEqual(test.images.get('other:5000/app:1').repoDigests.sort(), [
      `other:5000/app@${host.digest}`,
      `r:5000/app@${index.digest}`,
    ])
  })

  it('sends all of it when all of it is here, the index last', async () => {
    const { test, index, host, other } = await indexed()
    using _ = test
    await pull(test, 'r:5000/app:1', 'linux/s390x')
    await test.images.tag('r:5000/app:1', 'other:5000/app', '1')
    test.registry.requests.length = 0
    await push(test, 'other:5000/app:1')
    assert.equal(test.registry.tags.get('other:5000/app:1'), index.digest)
    assert.deepEqual(
      test.registry.requests.filter((request) => request.startsWith('PUT manifest')),
      [`PUT manifest ${host.digest}`, `PUT manifest ${other.digest}`, 'PUT manifest 1'],
    )
  })

  it('sends the platform that is asked for', async () => {
    const { test, index, host } = await indexed()
    using _ = test
    await push(test, 'r:5000/app:1', { platform: hostPlatform() })
    assert.equal(test.registry.tags.get('r:5000/app:1'), host.digest)
    assert.equal(test.images.get('r:5000/app:1').descriptor?.digest, index.digest)
    await assert.rejects(push(test, 'r:5000/app:1', { platform: parsePlatform('linux/s390x') }), {
      code: 'NOT_FOUND',
      message: 'image with reference r:5000/app:1 was found but does not provide the specified platform (linux/s390x)',
    })
  })
})

describe('push that cannot be', () => {
  it("throws with Docker's words", async () => {
    using test = await made('r:5000/app:1')
    const messages: ProgressMessage[] = []
    const CASES: [string, string][] = [
      ['r:5000/nothing', 'An image does not exist locally with the tag: r:5000/nothing'],
      ['nothing:1', 'An image does not exist locally with the tag: nothing'],
      ['r:5000/app:2', 'tag does not exist: r:5000/app:2'],
      [`r:5000/app@${ID}`, 'cannot push a digest reference'],
    ]
    for (const [name, message] of CASES) {
      await assert.rejects(push(test, name, { report: (line) => messages.push(line) }), { message })
    }
    assert.equal(messages[1]?.status, 'The push refers to repository [docker.io/library/nothing]')
    await assert.rejects(push(test, 'r:5000/app:1', { platform: parsePlatform('linux/s390x') }), /does not provide the specified platform/)
  })

  it('passes on what the registry says, and gives up the other layers', async () => {
    using test = await made('r:5000/app:1')
    test.registry.beforeWrite = () => {
      throw forbidden('denied: requested access to the resource is denied')
    }
    await assert.rejects(push(test, 'r:5000/app:1'), { code: 'FORBIDDEN', message: /^denied/ })
    test.registry.beforeWrite = (request) => {
      if (request.startsWith('PUT manifest')) throw conflict('tag is immutable')
    }
    await assert.rejects(push(test, 'r:5000/app:1'), { code: 'CONFLICT' })
    assert.deepEqual(test.images.get('r:5000/app:1').repoDigests, [])
    assert.equal(test.events.includes('push r:5000/app'), false)
  })

  it('ends with its signal', async () => {
    using test = await made('r:5000/app:1')
    const stop = new AbortController()
    test.registry.beforeWrite = () => stop.abort(new Error('enough'))
    await assert.rejects(push(test, 'r:5000/app:1', { signal: stop.signal }), /enough/)
    await test.images.restore()
    assert.equal(test.registry.tags.size, 0)
  })
})
