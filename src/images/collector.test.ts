import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseReference } from '#oci'
import { createBlobPlaces } from './blob-places.ts'
import { createCollector } from './collector.ts'
import { createImageStore } from './image-store.ts'
import { createManifestGraph } from './manifest-graph.ts'
import { createCompressedLayers } from './push/compressed-layers.ts'
import { createLayerBlobs } from './layer-blob.ts'
import { makeManifest } from './push/make-manifest.ts'
import { imagesUnderTest } from './testing/images-under-test.ts'
import { makeConfig, makeLayer } from './testing/make-archive.ts'

const TAR = await makeLayer('file', 'content')
const CONFIG = makeConfig([TAR])

describe('collect with layer blobs to be discarded', () => {
  for (const [compression, isKept] of [
    ['gzip', false],
    ['zstd', true],
  ] as const) {
    it(`${isKept ? 'keeps' : 'frees'} what ${compression} made of a layer for the manifest of a build`, async () => {
      using test = imagesUnderTest()
      const { content } = test
      const lease = content.lease()
      const { digest } = await content.ingest([TAR], { lease })
      const layer = await test.snapshotter.unpack(digest, { lease })
      const chain = test.snapshotter.stack(undefined, layer.diffId, lease)
      const compressed = createCompressedLayers(test)
      const blob = await createLayerBlobs({ ...test, compressed })({ chain, compression, force: false, lease })
      const config = await content.ingest([CONFIG], { lease })
      const { descriptor: target, bytes } = makeManifest(config, [blob])
      await content.ingest([bytes], { lease })
      await test.images.enter({ config: config.digest, names: [parseReference('app:1')], target, lease })
      lease[Symbol.dispose]()
      const collector = createCollector({
        store: createImageStore(test),
        content,
        snapshotter: { ...test.snapshotter, blobs: () => new Set(), spareBlobs: () => new Set([layer.blob]) },
        graph: createManifestGraph(test),
        places: createBlobPlaces(test),
        compressed,
        otherChains: () => [],
      })
      await collector.collect()
      assert.deepEqual(
        [config.digest, target.digest, layer.blob, blob.digest].map((one) => content.has(one)),
        [true, true, false, isKept],
      )
    })
  }
})
