import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { chainIds, decodeImageConfig, digestOf, parseReference } from '#oci'
import type { ImagesUnderTest } from '../testing/images-under-test.ts'
import { makeConfig, platform } from '../testing/make-archive.ts'
import { BASE, becomesEmpty, blobRequests, BLOBS, CONFIG, NAME, pull, TOP, withImage } from '../testing/pulling.ts'
import type { FetchOptions, FetchProgress } from '../types.ts'

const AMD64 = { os: 'linux', architecture: 'amd64' }

function options(test: ImagesUnderTest, name: string = NAME, members: Partial<FetchOptions> = {}): FetchOptions & Disposable {
  const lease = test.content.lease()
  const signal = new AbortController().signal
  const reference = parseReference(name)
  return { reference, platform: AMD64, lease, signal, ...members, [Symbol.dispose]: () => lease[Symbol.dispose]() }
}

describe('inspectRemote', () => {
  it('gives config and manifest of one platform, and fetches no layer', async () => {
    using test = withImage()
    const { registry } = test
    const arm = makeConfig([BASE], { architecture: 'arm64' })
    const manifest = registry.addImage(arm, [gzipSync(BASE)], platform('arm64'))
    const index = registry.addIndex([registry.addImage(CONFIG, BLOBS, platform('amd64')), manifest])
    registry.tag(NAME, index)
    using request = options(test, NAME, { platform: { os: 'linux', architecture: 'arm64' } })
    const image = await test.images.inspectRemote(request)
    assert.deepEqual([image.target, image.config, image.manifest.config.digest], [index, decodeImageConfig(arm), digestOf(arm)])
    assert.deepEqual(blobRequests(test), [`GET blob ${digestOf(arm).slice(7, 19)}`])
    assert.deepEqual(test.images.list({ all: true, filters: { reference: [], label: [], labelNot: [] } }), [])
  })

  it('asks nobody for what is here by its digest', async () => {
    using test = withImage()
    using request = options(test)
    const { target } = await test.images.inspectRemote(request)
    test.registry.requests.length = 0
    const again = await test.images.inspectRemote({ ...request, reference: parseReference(`registry:5000/app@${target.digest}`) })
    assert.deepEqual([again.target, test.registry.requests], [target, []])
    await test.images.inspectRemote(request)
    assert.deepEqual(test.registry.requests, ['GET manifest 1'])
  })

  it('only asks whether a name of the engine still means the same', async () => {
    using test = withImage()
    await pull(test)
    test.registry.requests.length = 0
    using request = options(test)
    await test.images.inspectRemote(request)
    assert.deepEqual(test.registry.requests, ['HEAD manifest 1'])
  })
})

describe('fetch', () => {
  it('makes the layers be here, tells of each, and makes no image', async () => {
    using test = withImage()
    const heard: FetchProgress[] = []
    using request = options(test)
    const { chain, config } = await test.images.fetch({ ...request, progress: (progress) => heard.push(progress) })
    assert.equal(chain, chainIds([BASE, TOP].map(digestOf)).at(-1))
    assert.ok(chain !== undefined && test.snapshotter.has(chain))
    assert.equal(config.rootfs.diff_ids.length, 2)
    for (const blob of BLOBS) {
      const own = heard.filter(({ layer }) => layer === digestOf(blob))
      const { length: total } = blob
      assert.deepEqual(own.at(0), { layer: digestOf(blob), phase: 'download', current: total, total, done: false })
      assert.deepEqual(own.at(-1), { layer: digestOf(blob), phase: 'extract', current: total, total, done: true })
    }
    assert.throws(() => test.images.get(NAME), { code: 'NOT_FOUND' })
  })

  it('says of layers that are here that they are done', async () => {
    using test = withImage()
    await pull(test)
    const heard: FetchProgress[] = []
    using request = options(test)
    await test.images.fetch({ ...request, progress: (progress) => heard.push(progress) })
    assert.deepEqual(
      heard.map(({ phase, done }) => [phase, done]),
      [
        ['download', true],
        ['download', true],
      ],
    )
  })

  it('leaves nothing when the lease ends', async () => {
    using test = withImage()
    {
      using request = options(test)
      await test.images.fetch(request)
    }
    await test.images.prune({ reference: [], label: [], labelNot: [] }) // collects
    await becomesEmpty(test)
  })

  it('takes images from elsewhere, and then does not look at names of the engine', async () => {
    using test = withImage()
    await pull(test)
    test.registry.requests.length = 0
    const origin = test.registry.remotes.repository(parseReference(NAME), 'pull')
    using request = options(test, NAME, { origin })
    const { chain } = await test.images.fetch(request)
    assert.ok(chain)
    assert.deepEqual(test.registry.requests, ['GET manifest 1'])
  })
})
