import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gunzipSync, gzipSync, zstdDecompressSync } from 'node:zlib'
import { digestOf, MEDIA_TYPES } from '#oci'
import type { Digest } from '#oci'
import { createCompressedLayers } from './push/compressed-layers.ts'
import { createLayerBlobs } from './layer-blob.ts'
import { imagesUnderTest } from './testing/images-under-test.ts'
import type { ImagesUnderTest } from './testing/images-under-test.ts'
import { makeLayer } from './testing/make-archive.ts'

const TAR = await makeLayer('file', 'content')

/** A layer that came as these bytes. */
async function unpacked({ content, snapshotter }: ImagesUnderTest, bytes: Buffer): Promise<Digest> {
  using lease = content.lease()
  const { digest } = await content.ingest([bytes], { lease })
  const { diffId } = await snapshotter.unpack(digest, { lease })
  return snapshotter.stack(undefined, diffId, lease)
}

describe('layerBlob', () => {
  it('compresses a layer, the same way each time', async () => {
    using test = imagesUnderTest()
    const chain = await unpacked(test, TAR)
    using lease = test.content.lease()
    const { images } = test
    const gzip = await images.layerBlob({ chain, compression: 'gzip', force: false, lease })
    assert.deepEqual(gunzipSync(test.content.readAll(gzip.digest, 1 << 20)), TAR)
    assert.equal(gzip.mediaType, MEDIA_TYPES.ociLayerGzip)
    assert.equal(gzip.diffId, digestOf(TAR))
    assert.deepEqual(await images.layerBlob({ chain, compression: 'gzip', force: false, lease }), gzip)
    const zstd = await images.layerBlob({ chain, compression: 'zstd', level: 5, force: false, lease })
    assert.deepEqual(zstdDecompressSync(test.content.readAll(zstd.digest, 1 << 20)), TAR)
    const plain = await images.layerBlob({ chain, compression: 'uncompressed', force: false, lease })
    assert.equal(plain.digest, digestOf(TAR))
  })

  it('makes the blob that a push would make', async () => {
    using test = imagesUnderTest()
    const chain = await unpacked(test, TAR)
    using lease = test.content.lease()
    const compressed = createCompressedLayers(test)
    const layerBlob = createLayerBlobs({ ...test, compressed })
    const { digest, size } = await layerBlob({ chain, compression: 'gzip', force: false, lease })
    assert.deepEqual(compressed.get(digestOf(TAR)), { digest, size })
    const other = await layerBlob({ chain, compression: 'gzip', level: 9, force: false, lease })
    assert.equal(compressed.get(digestOf(TAR), 'gzip:9')?.digest, other.digest)
    compressed.retain(() => false)
    assert.deepEqual(compressed.blobs(), new Set())
  })

  it('keeps a layer as it came unless another compression is forced', async () => {
    using test = imagesUnderTest()
    const bytes = gzipSync(TAR, { level: 1 })
    const chain = await unpacked(test, bytes)
    using lease = test.content.lease()
    const kept = await test.images.layerBlob({ chain, compression: 'zstd', force: false, lease })
    assert.deepEqual([kept.digest, kept.mediaType], [digestOf(bytes), MEDIA_TYPES.ociLayerGzip])
    const forced = await test.images.layerBlob({ chain, compression: 'zstd', force: true, lease })
    assert.equal(forced.mediaType, MEDIA_TYPES.ociLayerZstd)
  })

  it('is made once for two who want it at the same time', async () => {
    using test = imagesUnderTest()
    const chain = await unpacked(test, TAR)
    using lease = test.content.lease()
    let reads = 0
    const snapshotter = { ...test.snapshotter, layerTar: (of: Digest) => (reads++, test.snapshotter.layerTar(of)) }
    const layerBlob = createLayerBlobs({ content: test.content, snapshotter, compressed: createCompressedLayers(test) })
    const options = { chain, compression: 'gzip', force: false, lease } as const
    const [one, two] = await Promise.all([layerBlob(options), layerBlob(options)])
    assert.deepEqual(one, two)
    assert.equal(reads, 1)
  })
})
