import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forbidden } from '#errors'
import { digestOf, MEDIA_TYPES, parseReference } from '#oci'
import type { Descriptor } from '#oci'
import { imagesUnderTest } from '../testing/images-under-test.ts'
import type { ImagesUnderTest } from '../testing/images-under-test.ts'
import { json } from '../testing/make-archive.ts'
import type { UploadOptions } from '../types.ts'

/** A manifest of one blob, both stored. */
async function stored({ content }: ImagesUnderTest): Promise<UploadOptions> {
  const lease = content.lease() // as long as the test
  const blob = await content.ingest([Buffer.from('{}')], { lease })
  const described = { mediaType: 'application/x', ...blob }
  const bytes = json({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config: described, layers: [described] })
  const target: Descriptor = { mediaType: MEDIA_TYPES.ociManifest, digest: digestOf(bytes), size: bytes.length }
  await content.ingest([bytes], { lease })
  const signal = new AbortController().signal
  return { reference: parseReference('r:5000/app:1'), blobs: [blob, blob], manifests: [target], signal, report: () => {} }
}

describe('upload', () => {
  it('pushes each blob once, then the manifest under its tag', async () => {
    using test = imagesUnderTest()
    const options = await stored(test)
    await test.images.upload(options)
    assert.equal(test.registry.tags.get('r:5000/app:1'), options.manifests[0]!.digest)
    assert.equal(test.registry.requests.filter((request) => request.startsWith('PUT blob')).length, 1)
    assert.ok(test.registry.requests.at(-1)?.startsWith('PUT manifest 1'))
  })

  it('gives no tag where none is wanted', async () => {
    using test = imagesUnderTest()
    const options = await stored(test)
    await test.images.upload({ ...options, reference: parseReference('r:5000/app') })
    assert.equal(test.registry.tags.size, 0)
    assert.ok(test.registry.manifests.has(options.manifests[0]!.digest))
  })

  it('pushes no manifest when a blob is refused', async () => {
    using test = imagesUnderTest()
    const options = await stored(test)
    test.registry.beforeWrite = (request) => {
      if (request.includes('blob')) throw forbidden('denied: not yours')
    }
    await assert.rejects(test.images.upload(options), /denied: not yours/)
    assert.equal(test.registry.manifests.size, 0)
  })
})
