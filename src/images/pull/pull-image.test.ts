import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { digestOf, MEDIA_TYPES } from '#oci'
import { json, makeConfig, makeLayer, platform } from '../testing/make-archive.ts'
import { imagesUnderTest } from '../testing/images-under-test.ts'
import type { ImagesUnderTest } from '../testing/images-under-test.ts'
import { BASE, BASE_NAME, blobRequests, BLOBS, CONFIG, ID, linesOf, NAME, pull, TOP, TOP_NAME, withImage } from '../testing/pulling.ts'

describe('pull', () => {
  it("downloads, unpacks and names an image, in Docker's words", async () => {
    using test = imagesUnderTest()
    const manifest = test.registry.addImage(CONFIG, BLOBS)
    test.registry.tag(NAME, manifest)
    const lines = await pull(test)
    assert.deepEqual(lines.slice(0, 3), ['1: Pulling from app', `${BASE_NAME}: Pulling fs layer`, `${TOP_NAME}: Pulling fs layer`])
    for (const id of [BASE_NAME, TOP_NAME]) {
      const expected = ['Pulling fs layer', 'Downloading', 'Verifying Checksum', 'Download complete', 'Pull complete']
      assert.deepEqual(linesOf(lines, id), expected)
    }
    assert.deepEqual(lines.slice(-2), [`Digest: ${manifest.digest}`, `Status: Downloaded newer image for ${NAME}`])
    const { id, repoTags, repoDigests, descriptor } = test.images.get(NAME)
    assert.deepEqual([id, repoTags, repoDigests, descriptor], [ID, [NAME], [`registry:5000/app@${manifest.digest}`], manifest])
    assert.deepEqual(test.events, ['pull registry:5000/app'])
  })

  it('asks once whether an image is up to date, and downloads nothing', async () => {
    using test = withImage()
    await pull(test)
    test.registry.requests.length = 0
    const lines = await pull(test)
    assert.deepEqual(test.registry.requests, ['HEAD manifest 1'])
    assert.deepEqual(
      lines.map((line) => line.replace(/sha256:.*/, '…')),
      ['1: Pulling from app', 'Digest: …', `Status: Image is up to date for ${NAME}`],
    )
  })

  it('moves a tag, and downloads only what is new', async () => {
    using test = withImage()
    await pull(test)
    const other = await makeLayer('other', 'other')
    test.registry.tag(NAME, test.registry.addImage(makeConfig([BASE, other]), [BLOBS[0], gzipSync(other)]))
    const lines = await pull(test)
    assert.deepEqual(linesOf(lines, BASE_NAME), ['Already exists'])
    assert.equal(lines.at(-1), `Status: Downloaded newer image for ${NAME}`)
    assert.deepEqual(test.images.get(ID).repoTags, [])
  })

  it('takes gzip, zstd and plain layers, one blob once', async () => {
    using test = imagesUnderTest()
    const third = await makeLayer('third', 'third')
    const { registry } = test
    const layers = [
      registry.addBlob(MEDIA_TYPES.ociLayer, BASE),
      registry.addBlob(MEDIA_TYPES.ociLayerZstd, zstdCompressSync(TOP)),
      registry.addBlob(MEDIA_TYPES.ociLayerGzip, gzipSync(third)),
    ]
    const config = registry.addBlob(MEDIA_TYPES.ociConfig, makeConfig([BASE, TOP, third, TOP]))
    const manifest = { schemaVersion: 2, config, layers: [...layers, layers[1]] }
    registry.tag(NAME, registry.addManifest(manifest, MEDIA_TYPES.ociManifest))
    await pull(test)
    assert.equal(blobRequests(test).length, 4)
    assert.equal(test.images.layerPaths(config.digest).length, 3) // a layer that is there twice is one
  })

  it('gives the addresses of foreign layers on', async () => {
    using test = imagesUnderTest()
    const { registry } = test
    const layer = registry.addBlob('application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', BLOBS[0], {
      urls: ['https://else.where/x'],
    })
    const config = registry.addBlob(MEDIA_TYPES.dockerConfig, makeConfig([BASE]))
    registry.tag(NAME, registry.addManifest({ schemaVersion: 2, config, layers: [layer] }, MEDIA_TYPES.dockerManifest))
    const asked: (string[] | undefined)[] = []
    registry.beforeChunk = ({ blob }) => void asked.push(blob.urls)
    await pull(test)
    assert.deepEqual(asked, [undefined, ['https://else.where/x']])
  })

  it('pulls by digest, without a tag', async () => {
    using test = withImage()
    const [digest] = test.registry.tags.values()
    const lines = await pull(test, `registry:5000/app@${digest}`)
    assert.equal(lines[0], `${digest}: Pulling from app`)
    assert.equal(lines.at(-1), `Status: Downloaded newer image for registry:5000/app@${digest}`)
    assert.deepEqual(test.images.get(ID).repoTags, [])
    assert.deepEqual(test.images.get(ID).repoDigests, [`registry:5000/app@${digest}`])
    test.registry.requests.length = 0
    await pull(test, `registry:5000/app@${digest}`)
    assert.deepEqual(test.registry.requests, [`HEAD manifest ${digest}`])
  })

  it('pulls all tags of a repository', async () => {
    using test = withImage()
    const config = makeConfig([TOP], { author: 'two' })
    test.registry.tag('registry:5000/app:2', test.registry.addImage(config, [gzipSync(TOP)]))
    test.registry.tag('registry:5000/other:3', test.registry.addImage(makeConfig([]), []))
    const lines = await pull(test, 'registry:5000/app')
    assert.deepEqual(
      lines.filter((line) => line.includes('Pulling from')),
      ['1: Pulling from app', '2: Pulling from app'],
    )
    assert.equal(lines.at(-1), 'Status: Downloaded newer image for registry:5000/app')
    assert.deepEqual([test.images.get('registry:5000/app:1').id, test.images.get('registry:5000/app:2').id], [ID, digestOf(config)])
    assert.throws(() => test.images.get('registry:5000/other:3'), { code: 'NOT_FOUND' })
  })

  it('says when a download is tried again, and when it waits for its turn', async () => {
    using test = withImage()
    test.limits.downloads = 1
    test.registry.beforeChunk = ({ retrying }) => retrying?.(5)
    const lines = await pull(test)
    assert.deepEqual(
      linesOf(lines, TOP_NAME)
        .concat(linesOf(lines, BASE_NAME))
        .filter((line) => line === 'Waiting').length,
      1,
    )
    assert.ok(linesOf(lines, BASE_NAME).includes('Retrying in 5 seconds'))
  })

  it('obeys the limit of downloads, of all pulls together', async () => {
    using test = imagesUnderTest()
    test.limits.downloads = 2
    for (const name of ['a', 'b', 'c']) {
      const layers = await Promise.all([0, 1].map((index) => makeLayer(name, `${name}${index}`)))
      test.registry.tag(
        `registry:5000/${name}:1`,
        test.registry.addImage(
          makeConfig(layers),
          layers.map((layer) => gzipSync(layer)),
        ),
      )
    }
    const configs = new Set(['a', 'b', 'c'])
    let [now, most] = [0, 0]
    test.registry.beforeChunk = async ({ retrying }) => {
      if (retrying === undefined) return // a config
      most = Math.max(most, ++now)
      await sleep(2)
      now--
    }
    await Promise.all([...configs].map((name) => pull(test, `registry:5000/${name}:1`)))
    assert.equal(most, 2)
  })
})

describe('pull of an index', () => {
  const OTHER = makeConfig([TOP], { architecture: 'arm64', variant: 'v8' })

  function withIndex(): ImagesUnderTest {
    const test = imagesUnderTest()
    const { registry } = test
    const attestation = registry.addManifest(
      { schemaVersion: 2, config: registry.addBlob(MEDIA_TYPES.ociConfig, json({})), layers: [] },
      MEDIA_TYPES.ociManifest,
      { platform: { os: 'unknown', architecture: 'unknown' }, annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } },
    )
    const index = registry.addIndex([
      attestation,
      registry.addImage(OTHER, [gzipSync(TOP)], platform('arm64')),
      registry.addImage(CONFIG, BLOBS, platform('amd64')),
    ])
    registry.tag(NAME, registry.addIndex([index]))
    return test
  }

  it('takes the platform that is asked for, through indexes in indexes, and nothing else', async () => {
    using test = withIndex()
    const lines = await pull(test, NAME, { platform: 'linux/amd64' })
    const [digest] = test.registry.tags.values()
    assert.ok(lines.includes(`Digest: ${digest}`))
    assert.equal(test.images.get(NAME).id, ID)
    assert.equal(test.registry.requests.filter((request) => request.startsWith('GET manifest')).length, 3)
    await pull(test, NAME, { platform: 'linux/arm64' })
    assert.equal(test.images.get(NAME).id, digestOf(OTHER))
  })

  it("says with Docker's words that there is none", async () => {
    using test = withIndex()
    const CASES = { 'linux/s390x': 'linux/s390x', 'linux/arm/v7': 'linux/arm/v7', 'windows/arm64/v8': 'windows/arm64/v8' }
    for (const [wanted, shown] of Object.entries(CASES)) {
      const message = `no matching manifest for ${shown} in the manifest list entries: not found`
      await assert.rejects(pull(test, NAME, { platform: wanted }), { code: 'NOT_FOUND', message })
    }
    await assert.rejects(pull(test, NAME, { platform: 'a/b/c/d' }), { code: 'INVALID_ARGUMENT' })
  })

  it('warns of a single image for another platform', async () => {
    using test = withImage()
    const lines = await pull(test, NAME, { platform: 'linux/arm64' })
    assert.equal(lines.at(-1), `WARNING: image with reference ${NAME} was found but does not provide the specified platform (linux/arm64)`)
  })

  it('refuses indexes that are nested without end', async () => {
    using test = imagesUnderTest()
    let index = test.registry.addIndex([test.registry.addImage(CONFIG, BLOBS)])
    for (let depth = 0; depth < 10; depth++) index = test.registry.addIndex([index])
    test.registry.tag(NAME, index)
    await assert.rejects(pull(test), { code: 'INVALID_ARGUMENT', message: /nested too deeply/ })
  })
})
