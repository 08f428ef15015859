import assert from 'node:assert/strict'
import { digestOf, MEDIA_TYPES } from '#oci'
import { section, type Case } from '../case.ts'
import { assertRefused, errorCodes, json, type Descriptor } from '../registry-client.ts'

const UNKNOWN: Descriptor = { mediaType: MEDIA_TYPES.ociLayer, digest: digestOf('nobody has pushed this'), size: 22 }
const MISSING = { statuses: [400, 404], codes: ['MANIFEST_BLOB_UNKNOWN', 'BLOB_UNKNOWN', 'MANIFEST_UNKNOWN'] }
const EMPTY = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf('{}'), size: 2 }
const MANIFEST_LIMIT = 4 * 1024 * 1024

export const PUSH_MANIFEST_CASES: Case[] = [
  ...section('Pushing Manifests (end-7)', {
    'PUT by tag answers 201 with the Location of the manifest': async (client) => {
      const name = client.newName()
      const manifest = JSON.stringify(await client.prepareImage(name))
      const answer = await client.putManifest(name, 'v1', manifest)
      assert.equal(answer.status, 201)
      assert.equal(answer.headers['docker-content-digest'], digestOf(manifest))
      const { pathname } = new URL(client.location(answer))
      assert.match(pathname, new RegExp(`^/v2/${name}/manifests/`))
    },
    'PUT by digest answers 201 and makes no tag': async (client) => {
      const name = client.newName()
      const manifest = JSON.stringify(await client.prepareImage(name))
      assert.equal((await client.putManifest(name, digestOf(manifest), manifest)).status, 201)
      assert.equal((await client.getManifest(name, digestOf(manifest))).status, 200)
      const tags = await client.send('GET', `/v2/${name}/tags/list`)
      assert.deepEqual(tags.status === 200 ? (json(tags).tags ?? []) : [], [])
    },
    'PUT by a digest that is not the content’s is refused': async (client) => {
      const name = client.newName()
      assertRefused(await client.putManifest(name, UNKNOWN.digest, await client.prepareImage(name)), 400, 'DIGEST_INVALID')
    },
    'PUT keeps white space and unknown members byte for byte': async (client) => {
      const name = client.newName()
      const image = await client.prepareImage(name, { 'com.example.unknown': { z: 1, a: [null, 1e3] } })
      const manifest = `${JSON.stringify(image, null, '\t')}\n \n`
      await client.pushManifest(name, 'v1', manifest)
      assert.equal(String((await client.getManifest(name, 'v1')).body), manifest)
    },
    'PUT of one manifest under two tags keeps both': async (client) => {
      const name = client.newName()
      const manifest = await client.prepareImage(name)
      const { digest } = await client.pushManifest(name, 'v1', manifest)
      await client.pushManifest(name, 'v2', manifest)
      for (const tag of ['v1', 'v2']) assert.equal((await client.getManifest(name, tag)).headers['docker-content-digest'], digest)
    },
    'PUT of a Docker manifest (v2 schema 2) is taken': async (client) => {
      const name = client.newName()
      const { config, layers } = await client.prepareImage(name)
      const manifest = {
        schemaVersion: 2,
        mediaType: MEDIA_TYPES.dockerManifest,
        config: { ...config, mediaType: MEDIA_TYPES.dockerConfig },
        layers: layers.map((layer) => ({ ...layer, mediaType: MEDIA_TYPES.dockerLayerGzip })),
      }
      await client.pushManifest(name, 'v1', manifest, MEDIA_TYPES.dockerManifest)
      assert.equal((await client.getManifest(name, 'v1')).headers['content-type'], MEDIA_TYPES.dockerManifest)
    },
    'PUT of a manifest without mediaType goes by its Content-Type': async (client) => {
      const name = client.newName()
      const { mediaType: _, ...manifest } = await client.prepareImage(name)
      await client.pushManifest(name, 'v1', manifest)
      assert.equal((await client.getManifest(name, 'v1')).headers['content-type'], MEDIA_TYPES.ociManifest)
    },
    'PUT of an image index whose manifests are there is taken': async (client) => {
      const name = client.newName()
      const entries = [await client.pushImage(name, 'amd64'), await client.pushImage(name, 'arm64')]
      const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: entries }
      await client.pushManifest(name, 'all', index, MEDIA_TYPES.ociIndex)
      assert.equal((await client.getManifest(name, 'all')).headers['content-type'], MEDIA_TYPES.ociIndex)
    },
    'PUT of an image index whose manifests are not there is refused': async (client) => {
      const name = client.newName()
      await client.pushImage(name, 'v1')
      const entry = { ...UNKNOWN, mediaType: MEDIA_TYPES.ociManifest }
      const answer = await client.putManifest(
        name,
        'all',
        { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [entry] },
        MEDIA_TYPES.ociIndex,
      )
      assertRefused(answer, MISSING.statuses, MISSING.codes)
    },
    'PUT of a manifest with an unknown layer is refused and names it': async (client) => {
      const name = client.newName()
      const image = await client.prepareImage(name)
      const answer = await client.putManifest(name, 'v1', { ...image, layers: [...image.layers, UNKNOWN] })
      assertRefused(answer, MISSING.statuses, MISSING.codes)
      assert.match(String(answer.body), new RegExp(UNKNOWN.digest))
      assert.equal((await client.getManifest(name, 'v1')).status, 404)
    },
    'PUT of a manifest with several unknown blobs has an error for each': async (client) => {
      const name = client.newName()
      const image = await client.prepareImage(name)
      const other = { ...UNKNOWN, digest: digestOf('nor this') }
      const answer = await client.putManifest(name, 'v1', { ...image, layers: [UNKNOWN, other] })
      assertRefused(answer, MISSING.statuses, MISSING.codes)
      assert.equal(errorCodes(answer).length, 2)
    },
    'PUT of a manifest with an unknown config is refused': async (client) => {
      const name = client.newName()
      const image = await client.prepareImage(name)
      assertRefused(
        await client.putManifest(name, 'v1', { ...image, config: { ...image.config, digest: UNKNOWN.digest } }),
        MISSING.statuses,
        MISSING.codes,
      )
    },
    'PUT of a manifest whose blobs only another repository has is refused': async (client) => {
      const image = await client.prepareImage(client.newName())
      assertRefused(await client.putManifest(client.newName(), 'v1', image), MISSING.statuses, MISSING.codes)
    },
    'PUT of a layer that may not be distributed and has URLs is taken without the blob': async (client) => {
      const name = client.newName()
      const image = await client.prepareImage(name)
      const foreign = {
        ...UNKNOWN,
        mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
        urls: ['https://example.com/layer'],
      }
      assert.equal((await client.putManifest(name, 'v1', { ...image, layers: [foreign] })).status, 201)
    },
    'PUT of what is no JSON is refused': async (client) => {
      assertRefused(await client.putManifest(client.newName(), 'v1', '{"schemaVersion": 2,'), 400, 'MANIFEST_INVALID')
    },
    'PUT of a list is refused': async (client) => {
      assertRefused(await client.putManifest(client.newName(), 'v1', '[]'), 400, 'MANIFEST_INVALID')
    },
    'PUT with another Content-Type than mediaType is refused': async (client) => {
      const name = client.newName()
      const image = await client.prepareImage(name)
      assertRefused(await client.putManifest(name, 'v1', image, MEDIA_TYPES.dockerManifest), 400, 'MANIFEST_INVALID')
    },
    'PUT of a document that is image and index at once is refused': async (client) => {
      const name = client.newName()
      const image = await client.prepareImage(name)
      const entry = await client.pushManifest(name, 'v0', image)
      assertRefused(await client.putManifest(name, 'v1', { ...image, manifests: [entry] }), 400, 'MANIFEST_INVALID')
    },
    'PUT of a descriptor whose digest is a path is refused': async (client) => {
      const name = client.newName()
      const image = await client.prepareImage(name)
      const answer = await client.putManifest(name, 'v1', { ...image, layers: [{ ...UNKNOWN, digest: '../../../etc/passwd' }] })
      assertRefused(answer, [400, 404], ['DIGEST_INVALID', 'MANIFEST_INVALID', 'MANIFEST_BLOB_UNKNOWN'])
    },
    'PUT of a manifest of 4 MiB is taken': async (client) => {
      const name = client.newName()
      const image = JSON.stringify(await client.prepareImage(name))
      assert.equal((await client.putManifest(name, 'v1', image + ' '.repeat(MANIFEST_LIMIT - image.length))).status, 201)
    },
    'PUT of a manifest over the limit answers 413': async (client) => {
      const name = client.newName()
      const image = JSON.stringify(await client.prepareImage(name))
      assert.equal((await client.putManifest(name, 'v1', image + ' '.repeat(MANIFEST_LIMIT + 1 - image.length))).status, 413)
    },
  }),

  ...section('Pulling manifests: grammar of <name> and <reference>', {
    'a tag of 128 characters of every kind is taken': async (client) => {
      const name = client.newName()
      const tag = `_aZ9.-_${'x'.repeat(121)}`
      await client.pushImage(name, tag)
      assert.equal((await client.getManifest(name, tag)).status, 200)
    },
    'a tag of 129 characters is refused': async (client) => {
      const name = client.newName()
      const { status } = await client.putManifest(name, 'x'.repeat(129), await client.prepareImage(name))
      assert.ok(status === 400 || status === 404, `status ${status}`)
    },
    'a tag that begins with a dot or a dash is refused': async (client) => {
      const name = client.newName()
      const image = await client.prepareImage(name)
      for (const tag of ['.dot', '-dash']) {
        const { status } = await client.putManifest(name, tag, image)
        assert.ok(status === 400 || status === 404, `${tag}: status ${status}`)
      }
    },
    'names with separators and many components are taken': async (client) => {
      const end = client.newName('x').replace('x/', '')
      for (const name of [`a.b/c_d/e__f/g-h/i---j/${end}`, `0/1/2/3/${end}`, `blobs/uploads/${end}/manifests/tags`]) {
        await client.pushImage(name, 'v1')
        assert.equal((await client.getManifest(name, 'v1')).status, 200, name)
      }
    },
    'names with strange separators are refused': async (client) => {
      for (const name of ['a..b', 'a/-b', 'a/b_', 'a//b', 'a._b']) {
        const { status } = await client.send('POST', `/v2/${name}/blobs/uploads/`)
        assert.ok(status === 400 || status === 404 || status === 301, `${name}: status ${status}`)
      }
    },
  }),

  ...section('image-spec v1.1, Guidelines for Artifact Usage', {
    'an artifact with artifactType and the empty config is taken': async (client) => {
      const name = client.newName()
      await client.pushBlob(name, '{}')
      const payload = await client.pushBlob(name, 'an SBOM')
      const artifact = {
        schemaVersion: 2,
        mediaType: MEDIA_TYPES.ociManifest,
        artifactType: 'application/vnd.example.sbom',
        config: EMPTY,
        layers: [{ ...payload, mediaType: 'text/spdx' }],
      }
      await client.pushManifest(name, 'sbom', artifact)
      assert.equal((await client.getManifest(name, 'sbom')).status, 200)
    },
    'a manifest of a type nobody knows is taken and comes back with it': async (client) => {
      const name = client.newName()
      const mediaType = 'application/vnd.example.manifest.v7+json'
      await client.pushManifest(name, 'v1', { mediaType, content: 'anything' }, mediaType)
      assert.equal((await client.getManifest(name, 'v1')).headers['content-type'], mediaType)
    },
  }),

  ...section('Pushing Manifests with Subject', {
    'PUT of a manifest with a subject answers with OCI-Subject': async (client) => {
      const name = client.newName()
      const subject = await client.pushImage(name, 'v1')
      const answer = await client.putManifest(name, 'signature', await client.prepareImage(name, { subject }))
      assert.equal(answer.status, 201)
      assert.equal(answer.headers['oci-subject'], subject.digest)
    },
    'PUT of a manifest whose subject is not there yet is taken': async (client) => {
      const name = client.newName()
      const subject = { ...UNKNOWN, mediaType: MEDIA_TYPES.ociManifest }
      const answer = await client.putManifest(name, 'signature', await client.prepareImage(name, { subject }))
      assert.equal(answer.status, 201)
      assert.equal(answer.headers['oci-subject'], subject.digest)
    },
    'PUT of an index with a subject answers with OCI-Subject': async (client) => {
      const name = client.newName()
      const subject = await client.pushImage(name, 'v1')
      const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [subject], subject }
      const answer = await client.putManifest(name, 'x', index, MEDIA_TYPES.ociIndex)
      assert.equal(answer.headers['oci-subject'], subject.digest)
    },
    'PUT of a manifest without a subject answers without OCI-Subject': async (client) => {
      const name = client.newName()
      const answer = await client.putManifest(name, 'v1', await client.prepareImage(name))
      assert.equal(answer.headers['oci-subject'], undefined)
    },
  }),
]
