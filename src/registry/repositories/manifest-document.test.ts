import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { digestOf, MEDIA_TYPES } from '#oci'
import { readManifest } from './manifest-document.ts'

const [A, B, C] = [digestOf('a'), digestOf('b'), digestOf('c')]
const config = { mediaType: MEDIA_TYPES.ociConfig, digest: A, size: 1 }
const layer = { mediaType: MEDIA_TYPES.ociLayer, digest: B, size: 1 }
const image = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers: [layer] }

const read = (document: unknown, contentType?: string): ReturnType<typeof readManifest> =>
  readManifest(Buffer.from(typeof document === 'string' ? document : JSON.stringify(document)), contentType)

describe('readManifest', () => {
  it('gives the blobs of an image, each once', () => {
    const { mediaType, blobs, manifests, subject } = read({ ...image, layers: [layer, layer, config] })
    assert.deepEqual(
      { mediaType, blobs, manifests, subject },
      { mediaType: MEDIA_TYPES.ociManifest, blobs: [A, B], manifests: [], subject: undefined },
    )
  })

  it('gives the manifests of an index', () => {
    const index = read({ schemaVersion: 2, manifests: [{ ...layer, digest: C }] }, MEDIA_TYPES.dockerManifestList)
    assert.deepEqual([index.mediaType, index.manifests, index.blobs], [MEDIA_TYPES.dockerManifestList, [C], []])
  })

  it('gives blobs, subject and type of an artifact of a type it does not know', () => {
    const artifact = read({ mediaType: 'application/x+json', artifactType: 'text/sbom', blobs: [layer], subject: { ...config, digest: C } })
    assert.deepEqual([artifact.blobs, artifact.subject, artifact.artifactType], [[B], C, 'text/sbom'])
  })

  it('takes the config’s media type for the artifact type, and null for nothing', () => {
    assert.equal(read({ ...image, artifactType: null, subject: null, annotations: null }).artifactType, MEDIA_TYPES.ociConfig)
    assert.equal(read({ ...image, artifactType: '' }).artifactType, MEDIA_TYPES.ociConfig)
  })

  it('reads the type from the header without parameters, from the document, or from its form', () => {
    const { mediaType: _, ...untyped } = image
    assert.equal(read(untyped, 'application/vnd.docker.distribution.manifest.v2+json; charset=utf-8').mediaType, MEDIA_TYPES.dockerManifest)
    assert.equal(read(image, '').mediaType, MEDIA_TYPES.ociManifest)
    assert.equal(read(untyped).mediaType, MEDIA_TYPES.ociManifest)
    assert.equal(read({ schemaVersion: 2, manifests: [] }).mediaType, MEDIA_TYPES.ociIndex)
  })

  it('does not count layers that are somewhere else', () => {
    const foreign = { mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', digest: C, size: 1 }
    assert.deepEqual(read({ ...image, layers: [{ ...foreign, urls: ['https://example.com'] }] }).blobs, [A])
    assert.deepEqual(read({ ...image, layers: [foreign] }).blobs, [A, C])
    assert.deepEqual(read({ ...image, layers: [{ ...layer, urls: ['https://example.com'] }] }).blobs, [A, B])
  })

  const BAD: [why: string, document: unknown, contentType?: string][] = [
    ['no JSON', '{'],
    ['no object', '"x"'],
    ['too deep', `{"a":${'['.repeat(100)}${']'.repeat(100)}}`],
    ['no type', { content: 1 }],
    ['a type that would break a header', { mediaType: 'a/b\r\nSet-Cookie: x' }],
    ['a type without a slash', {}, 'json'],
    ['a type that the header contradicts', image, MEDIA_TYPES.dockerManifest],
    ['schema 1', { schemaVersion: 1 }, 'application/vnd.docker.distribution.manifest.v1+prettyjws'],
    ['an image of another schema', { ...image, schemaVersion: 3 }],
    ['an image without config', { ...image, config: undefined }],
    ['image and index at once', { ...image, manifests: [] }],
    ['index and image at once', { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [], layers: [] }],
    ['layers that are no list', { ...image, layers: {} }],
    ['a layer that is no object', { ...image, layers: ['x'] }],
    ['a negative size', { ...image, layers: [{ ...layer, size: -1 }] }],
    ['a media type that is no string', { ...image, mediaType: 7 }],
    ['annotations that are no strings', { ...image, annotations: { a: 1 } }],
  ]
  for (const [why, document, contentType] of BAD) {
    it(`refuses ${why}`, () => assert.throws(() => read(document, contentType), { code: 'MANIFEST_INVALID' }))
  }

  it('refuses digests of another algorithm by name', () => {
    const digest = `sha512:${'0'.repeat(128)}`
    assert.throws(() => read({ ...image, layers: [{ ...layer, digest }] }), { code: 'DIGEST_INVALID', message: /layers\[0\]/ })
  })
})
