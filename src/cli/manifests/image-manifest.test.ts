import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { MEDIA_TYPES } from '#oci'
import { manifestList, manifestText, parseManifestText, type LocalManifest } from './image-manifest.ts'
import { createManifestStore } from './manifest-store.ts'

const DIGEST = `sha256:${'ab'.repeat(32)}` as const

function image(mediaType: string, changes: Partial<LocalManifest> = {}): LocalManifest {
  return {
    ref: 'docker.io/library/alpine:3',
    descriptor: { mediaType, digest: DIGEST, size: 7, platform: { os: 'linux', architecture: 'arm', variant: 'v7' } },
    raw: Buffer.from('{\n  "a<b": 1.0\n}'),
    ...changes,
  }
}

describe('manifestText', () => {
  it('has the members and the escapes of a Go struct, and the manifest with its numbers untouched', () => {
    const raw = image(MEDIA_TYPES.ociManifest).raw.toString('base64')
    assert.equal(
      manifestText(image(MEDIA_TYPES.ociManifest)),
      `{"Ref":"docker.io/library/alpine:3","Descriptor":{"mediaType":"${MEDIA_TYPES.ociManifest}","digest":"${DIGEST}","size":7,` +
        `"platform":{"architecture":"arm","os":"linux","variant":"v7"}},"Raw":"${raw}","OCIManifest":{"a\\u003cb":1.0}}`,
    )
    assert.match(manifestText(image(MEDIA_TYPES.dockerManifest)), /,"SchemaV2Manifest":\{/)
  })

  it('is read back by parseManifestText, which refuses what has no bytes', () => {
    assert.deepEqual(parseManifestText(manifestText(image(MEDIA_TYPES.ociManifest)), 'x'), {
      ...image(MEDIA_TYPES.ociManifest),
      descriptor: {
        mediaType: MEDIA_TYPES.ociManifest,
        digest: DIGEST,
        size: 7,
        platform: { architecture: 'arm', os: 'linux', variant: 'v7' },
      },
    })
    assert.throws(() => parseManifestText('{"Ref":"a","Descriptor":{}}', '/m/x'), /\/m\/x is not complete/)
  })
})

describe('manifestList', () => {
  it('is an index when its first image is an OCI one, with three blanks of indent', () => {
    const { mediaType, bytes } = manifestList([image(MEDIA_TYPES.ociManifest), image(MEDIA_TYPES.dockerManifest)])
    assert.equal(mediaType, MEDIA_TYPES.ociIndex)
    assert.match(bytes.toString(), /^\{\n {3}"schemaVersion": 2,\n {3}"mediaType": .*\n {3}"manifests": \[\n {6}\{\n {9}"mediaType"/)
    assert.equal(manifestList([image(MEDIA_TYPES.dockerManifest)]).mediaType, MEDIA_TYPES.dockerManifestList)
  })
})

describe('createManifestStore', () => {
  it('keeps lists in files that docker finds', () => {
    const directory = mkdtempSync(join(tmpdir(), 'manifests-'))
    try {
      const store = createManifestStore(directory)
      const list = 'registry:5000/a/b:list'
      assert.equal(store.list(list), undefined)
      store.save(list, 'registry:5000/a/b:2', image(MEDIA_TYPES.ociManifest, { ref: 'two' }))
      store.save(list, 'registry:5000/a/b:1', image(MEDIA_TYPES.ociManifest, { ref: 'one' }))
      const path = join(directory, 'manifests/registry-5000_a_b-list')
      assert.deepEqual(readdirSync(path).toSorted(), ['registry-5000_a_b-1', 'registry-5000_a_b-2'])
      assert.match(readFileSync(join(path, 'registry-5000_a_b-1'), 'utf8'), /^\{"Ref":"one"/)
      assert.deepEqual(
        store.list(list)?.map(({ ref }) => ref),
        ['one', 'two'],
      )
      assert.equal(store.get(list, 'registry:5000/a/b:3'), undefined)
      store.remove(list)
      assert.equal(store.list(list), undefined)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
