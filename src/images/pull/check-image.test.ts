import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { digestOf, MEDIA_TYPES } from '#oci'
import { json, makeConfig } from '../testing/make-archive.ts'
import { imagesUnderTest } from '../testing/images-under-test.ts'
import type { ImagesUnderTest } from '../testing/images-under-test.ts'
import { BASE, BLOBS, CONFIG, ID, NAME, pull, TOP, withImage } from '../testing/pulling.ts'

describe('pull refuses', () => {
  /** What a registry may serve under NAME, and Docker's words for it. */
  const CASES: Record<string, { serve: (test: ImagesUnderTest) => void; message: string | RegExp }> = {
    'an artifact': {
      serve: ({ registry }) => {
        const config = registry.addBlob('application/vnd.cncf.helm.config.v1+json', json({}))
        registry.tag(NAME, registry.addManifest({ schemaVersion: 2, config, layers: [] }, MEDIA_TYPES.ociManifest))
      },
      message: 'unsupported media type application/vnd.cncf.helm.config.v1+json',
    },
    'an attestation': {
      serve: ({ registry }) => registry.tag(NAME, registry.addImage(makeConfig([BASE]), [BASE], {}, 'application/vnd.in-toto+json')),
      message: 'unsupported media type application/vnd.in-toto+json',
    },
    'schema 1': {
      serve: ({ registry }) =>
        registry.tag(NAME, registry.addManifest({ schemaVersion: 1 }, 'application/vnd.docker.distribution.manifest.v1+prettyjws')),
      message:
        /^Docker Image Format v1 and Docker Image manifest version 2, schema 1 support has been removed\. Suggest the author of registry:5000\/app:1 to/,
    },
    'another operating system': {
      serve: ({ registry }) => registry.tag(NAME, registry.addImage(makeConfig([BASE], { os: 'windows' }), [BASE])),
      message: 'image operating system "windows" cannot be used on this platform',
    },
    'more layers than the config has': {
      serve: ({ registry }) => registry.tag(NAME, registry.addImage(makeConfig([BASE]), BLOBS)),
      message: "layers from manifest don't match image configuration",
    },
    'other layers than the config has': {
      serve: ({ registry }) => registry.tag(NAME, registry.addImage(makeConfig([TOP]), [gzipSync(BASE)])),
      message: /^layers from manifest don't match image configuration/,
    },
    'one blob for two layers': {
      serve: ({ registry }) => registry.tag(NAME, registry.addImage(makeConfig([BASE, TOP]), [gzipSync(BASE), gzipSync(BASE)])),
      message: /^layers from manifest don't match image configuration/,
    },
    'a manifest that says it is an index': {
      serve: ({ registry }) => {
        const document = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [] }
        registry.tag(NAME, registry.addManifest(document, MEDIA_TYPES.ociManifest))
      },
      message: `mediaType in manifest should be '${MEDIA_TYPES.ociManifest}' not '${MEDIA_TYPES.ociIndex}'`,
    },
    'an index served as a manifest': {
      serve: ({ registry }) => registry.tag(NAME, registry.addManifest({ schemaVersion: 2, manifests: [] }, MEDIA_TYPES.ociManifest)),
      message: `invalid manifest: not of media type ${MEDIA_TYPES.ociManifest}`,
    },
    'what nobody says what it is': {
      serve: ({ registry }) => registry.tag(NAME, registry.addManifest({ schemaVersion: 2, manifests: [] }, 'text/plain')),
      message: 'unsupported manifest media type and no default available: text/plain',
    },
    'a config beyond the limit': {
      serve: ({ registry }) => {
        const config = { ...registry.addBlob(MEDIA_TYPES.ociConfig, CONFIG), size: 1e9 }
        registry.tag(NAME, registry.addManifest({ schemaVersion: 2, config, layers: [] }, MEDIA_TYPES.ociManifest))
      },
      message: /invalid image config: 1000000000 bytes/,
    },
    'a config with another digest': {
      serve: ({ registry }) => {
        registry.tag(NAME, registry.addImage(CONFIG, BLOBS))
        registry.blobs.set(ID, Buffer.from(CONFIG).fill(' ', CONFIG.length - 1))
      },
      message: `error pulling image configuration: image config verification failed for digest ${ID}`,
    },
    'a broken layer': {
      serve: ({ registry }) => {
        registry.tag(NAME, registry.addImage(CONFIG, BLOBS))
        registry.blobs.set(digestOf(BLOBS[1]), Buffer.from(BLOBS[1]).fill(0, 20, 30))
      },
      message: new RegExp(`^filesystem layer verification failed for digest ${digestOf(BLOBS[1])}`),
    },
    'a layer that ends too early': {
      serve: ({ registry }) => {
        registry.tag(NAME, registry.addImage(CONFIG, BLOBS))
        registry.blobs.set(digestOf(BLOBS[1]), BLOBS[1].subarray(0, 40))
      },
      message: /^filesystem layer verification failed/,
    },
    'a layer that goes on': {
      serve: ({ registry }) => {
        registry.tag(NAME, registry.addImage(CONFIG, BLOBS))
        registry.blobs.set(digestOf(BLOBS[1]), Buffer.concat([BLOBS[1], BASE]))
      },
      message: /^filesystem layer verification failed/,
    },
    'a layer that is no archive': {
      serve: ({ registry }) => registry.tag(NAME, registry.addImage(makeConfig([BASE]), [Buffer.alloc(2000, 'no tar')])),
      message: /invalid tar header/,
    },
    'a layer that is missing': {
      serve: ({ registry }) => {
        registry.tag(NAME, registry.addImage(CONFIG, BLOBS))
        registry.blobs.delete(digestOf(BLOBS[0]))
      },
      message: 'blob unknown to registry',
    },
  }

  for (const [what, { serve, message }] of Object.entries(CASES)) {
    it(what, async () => {
      using test = imagesUnderTest()
      serve(test)
      await assert.rejects(pull(test), { message })
      assert.throws(() => test.images.get(NAME), { code: 'NOT_FOUND' })
      assert.deepEqual(test.events, [])
    })
  }

  it('another manifest than the digest names', async () => {
    using test = withImage()
    const { registry } = test
    const [digest] = registry.tags.values()
    const other = registry.addImage(makeConfig([]), [])
    const swapped = registry.manifests.get(other.digest)
    assert.ok(digest && swapped)
    registry.manifests.set(digest, swapped)
    const message = `manifest verification failed for digest ${digest}`
    await assert.rejects(pull(test, `registry:5000/app@${digest}`), { code: 'INVALID_ARGUMENT', message })
  })
})
