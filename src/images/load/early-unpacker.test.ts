import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { digestOf } from '#oci'
import { dockerArchive, idOf, makeConfig, makeTar } from '../testing/make-archive.ts'
import { imagesUnderTest } from '../testing/images-under-test.ts'

const LAYER = await makeTar({ data: randomBytes(2 * 1024 * 1024) })

describe('load', () => {
  for (const [kind, blob] of Object.entries({ plain: LAYER, compressed: gzipSync(LAYER) })) {
    it(`unpacks a ${kind} layer before the archive has come to its end`, async () => {
      using test = imagesUnderTest()
      const config = makeConfig([LAYER])
      const archive = await dockerArchive({ config, layers: [blob], tags: ['app:1'] })
      async function* slowly(): AsyncGenerator<Buffer> {
        yield archive.subarray(0, -2048)
        for (let i = 0; i < 4000 && test.snapshotter.findLayer(digestOf(LAYER)) === undefined; i++) await sleep(5)
        assert.ok(test.snapshotter.findLayer(digestOf(LAYER)), 'it waits for the end')
        yield archive.subarray(-2048)
      }
      const { images } = test
      await images.load(Readable.from(slowly(), { objectMode: false }), { quiet: true, report: () => {} })
      assert.equal(images.get('app:1').id, idOf(config))
    })
  }

  it('is not led astray by a file that only looks like a layer', async () => {
    using test = imagesUnderTest()
    const config = makeConfig([LAYER])
    const decoy = gzipSync(randomBytes(200_000))
    const archive = await dockerArchive({ config, layers: [LAYER], tags: ['app:1'], extra: { decoy } })
    await test.load(archive)
    assert.equal(test.images.get('app:1').id, idOf(config))
  })
})
