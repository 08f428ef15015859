import assert from 'node:assert/strict'
import { digestOf, MEDIA_TYPES } from '#oci'
import { section, type Case } from '../case.ts'
import { assertRefused, json } from '../registry-client.ts'

const UNKNOWN = digestOf('nobody has pushed this')

export const CONTENT_MANAGEMENT_CASES: Case[] = [
  ...section('Deleting tags (end-9)', {
    'DELETE of a tag answers 202, the tag is gone, the manifest stays': async (client) => {
      const name = client.newName()
      const { digest } = await client.pushImage(name, 'v1')
      assert.equal((await client.send('DELETE', `/v2/${name}/manifests/v1`)).status, 202)
      assertRefused(await client.getManifest(name, 'v1'), 404, 'MANIFEST_UNKNOWN')
      assert.equal((await client.getManifest(name, digest)).status, 200)
    },
    'DELETE of a tag leaves other tags of the same manifest': async (client) => {
      const name = client.newName()
      const image = await client.prepareImage(name)
      for (const tag of ['v1', 'v2']) await client.pushManifest(name, tag, image)
      assert.equal((await client.send('DELETE', `/v2/${name}/manifests/v1`)).status, 202)
      assert.equal((await client.getManifest(name, 'v2')).status, 200)
      assert.deepEqual(json(await client.send('GET', `/v2/${name}/tags/list`)).tags, ['v2'])
    },
    'DELETE of an unknown tag answers 404': async (client) => {
      const name = client.newName()
      await client.pushImage(name, 'v1')
      assertRefused(await client.send('DELETE', `/v2/${name}/manifests/v2`), 404, 'MANIFEST_UNKNOWN')
    },
  }),

  ...section('Deleting Manifests (end-9)', {
    'DELETE by digest answers 202, and the manifest is gone': async (client) => {
      const name = client.newName()
      const { digest } = await client.pushImage(name, 'v1')
      assert.equal((await client.send('DELETE', `/v2/${name}/manifests/${digest}`)).status, 202)
      assertRefused(await client.getManifest(name, digest), 404, 'MANIFEST_UNKNOWN')
    },
    'DELETE by digest takes its tags along': async (client) => {
      const name = client.newName()
      const image = await client.prepareImage(name)
      const { digest } = await client.pushManifest(name, 'v1', image)
      await client.pushManifest(name, 'v2', image)
      await client.pushImage(name, 'other')
      assert.equal((await client.send('DELETE', `/v2/${name}/manifests/${digest}`)).status, 202)
      for (const tag of ['v1', 'v2']) assert.equal((await client.getManifest(name, tag)).status, 404)
      assert.deepEqual(json(await client.send('GET', `/v2/${name}/tags/list`)).tags, ['other'])
    },
    'DELETE by digest leaves tags that were moved to another manifest': async (client) => {
      const name = client.newName()
      const { digest } = await client.pushImage(name, 'v1')
      await client.pushImage(name, 'v1')
      assert.equal((await client.send('DELETE', `/v2/${name}/manifests/${digest}`)).status, 202)
      assert.equal((await client.getManifest(name, 'v1')).status, 200)
    },
    'DELETE of an unknown manifest answers 404': async (client) => {
      const name = client.newName()
      await client.pushImage(name, 'v1')
      assertRefused(await client.send('DELETE', `/v2/${name}/manifests/${UNKNOWN}`), 404, 'MANIFEST_UNKNOWN')
    },
    'DELETE for the second time answers 404': async (client) => {
      const name = client.newName()
      const { digest } = await client.pushImage(name, 'v1')
      await client.send('DELETE', `/v2/${name}/manifests/${digest}`)
      assertRefused(await client.send('DELETE', `/v2/${name}/manifests/${digest}`), 404, 'MANIFEST_UNKNOWN')
    },
    'DELETE in one repository leaves the manifest of another': async (client) => {
      const [a, b] = [client.newName(), client.newName()]
      const image = await client.prepareImage(a)
      const { digest } = await client.pushManifest(a, 'v1', image)
      for (const blob of [image.config, ...image.layers])
        await client.send('POST', `/v2/${b}/blobs/uploads/?mount=${blob.digest}&from=${a}`)
      await client.pushManifest(b, 'v1', image)
      await client.send('DELETE', `/v2/${a}/manifests/${digest}`)
      assert.equal((await client.getManifest(b, 'v1')).status, 200)
      assert.equal((await client.getManifest(b, digest)).status, 200)
    },
    'a manifest can be pushed again after it was deleted': async (client) => {
      const name = client.newName()
      const image = await client.prepareImage(name)
      const { digest } = await client.pushManifest(name, 'v1', image)
      await client.send('DELETE', `/v2/${name}/manifests/${digest}`)
      await client.pushManifest(name, 'v1', image)
      assert.equal((await client.getManifest(name, digest)).status, 200)
    },
    'DELETE of an index leaves its manifests': async (client) => {
      const name = client.newName()
      const entry = await client.pushImage(name, 'amd64')
      const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [entry] }
      const { digest } = await client.pushManifest(name, 'all', index, MEDIA_TYPES.ociIndex)
      assert.equal((await client.send('DELETE', `/v2/${name}/manifests/${digest}`)).status, 202)
      assert.equal((await client.getManifest(name, entry.digest)).status, 200)
    },
  }),

  ...section('Deleting Blobs (end-10)', {
    'DELETE answers 202, and the blob is gone': async (client) => {
      const name = client.newName()
      const { digest } = await client.pushBlob(name, 'to be deleted')
      assert.equal((await client.send('DELETE', `/v2/${name}/blobs/${digest}`)).status, 202)
      assertRefused(await client.send('GET', `/v2/${name}/blobs/${digest}`), 404, 'BLOB_UNKNOWN')
    },
    'DELETE of an unknown blob answers 404': async (client) => {
      const name = client.newName()
      await client.pushBlob(name, 'something')
      assertRefused(await client.send('DELETE', `/v2/${name}/blobs/${UNKNOWN}`), 404, 'BLOB_UNKNOWN')
    },
    'DELETE for the second time answers 404': async (client) => {
      const name = client.newName()
      const { digest } = await client.pushBlob(name, 'to be deleted twice')
      await client.send('DELETE', `/v2/${name}/blobs/${digest}`)
      assertRefused(await client.send('DELETE', `/v2/${name}/blobs/${digest}`), 404, 'BLOB_UNKNOWN')
    },
    'DELETE in one repository leaves the blob in another': async (client) => {
      const [a, b] = [client.newName(), client.newName()]
      const { digest } = await client.pushBlob(a, 'shared')
      await client.pushBlob(b, 'shared')
      await client.send('DELETE', `/v2/${a}/blobs/${digest}`)
      assert.equal((await client.send('GET', `/v2/${b}/blobs/${digest}`)).status, 200)
    },
    'a blob can be pushed again after it was deleted': async (client) => {
      const name = client.newName()
      const { digest } = await client.pushBlob(name, 'again')
      await client.send('DELETE', `/v2/${name}/blobs/${digest}`)
      await client.pushBlob(name, 'again')
      assert.equal((await client.send('GET', `/v2/${name}/blobs/${digest}`)).status, 200)
    },
    'DELETE of a digest that is none answers 400 or 404': async (client) => {
      const answer = await client.send('DELETE', `/v2/${client.newName()}/blobs/sha256:x`)
      assertRefused(answer, [400, 404], ['DIGEST_INVALID', 'BLOB_UNKNOWN'])
    },
  }),
]
