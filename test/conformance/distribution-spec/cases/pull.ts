import assert from 'node:assert/strict'
import { digestOf, MEDIA_TYPES } from '#oci'
import { section, type Case } from '../case.ts'
import { ACCEPT, assertRefused, json } from '../registry-client.ts'

const UNKNOWN = digestOf('nobody has pushed this')
const CONTENT = '0123456789abcdefghij'

export const PULL_CASES: Case[] = [
  ...section('Determining Support (end-1)', {
    'GET /v2/ answers 200': async (client) => {
      assert.equal((await client.send('GET', '/v2/')).status, 200)
    },
    'HEAD /v2/ answers without a body': async (client) => {
      const answer = await client.send('HEAD', '/v2/')
      assert.equal(answer.status, 200)
      assert.equal(answer.body.length, 0)
    },
    'GET /v2/ names the version of the API as Docker does': async (client) => {
      assert.equal((await client.send('GET', '/v2/')).headers['docker-distribution-api-version'], 'registry/2.0')
    },
  }),

  ...section('Pulling manifests (end-3)', {
    'GET by tag gives the bytes that were pushed': async (client) => {
      const name = client.newName()
      const manifest = JSON.stringify(await client.prepareImage(name), null, 3)
      await client.pushManifest(name, 'v1', manifest)
      const answer = await client.getManifest(name, 'v1')
      assert.equal(answer.status, 200)
      assert.equal(String(answer.body), manifest)
    },
    'GET by digest gives the bytes of that digest': async (client) => {
      const name = client.newName()
      const { digest } = await client.pushImage(name, 'v1')
      const answer = await client.getManifest(name, digest)
      assert.equal(answer.status, 200)
      assert.equal(digestOf(answer.body), digest)
    },
    'GET tells the media type that was pushed': async (client) => {
      const name = client.newName()
      await client.pushImage(name, 'v1')
      assert.equal((await client.getManifest(name, 'v1')).headers['content-type'], MEDIA_TYPES.ociManifest)
    },
    'GET tells the digest and the length': async (client) => {
      const name = client.newName()
      const { digest, size } = await client.pushImage(name, 'v1')
      const { headers } = await client.getManifest(name, 'v1')
      assert.equal(headers['docker-content-digest'], digest)
      assert.equal(headers['content-length'], String(size))
    },
    'GET without Accept gives the manifest as it is': async (client) => {
      const name = client.newName()
      const { digest } = await client.pushImage(name, 'v1')
      const answer = await client.send('GET', `/v2/${name}/manifests/v1`)
      assert.equal(answer.status, 200)
      assert.equal(digestOf(answer.body), digest)
    },
    'GET with an Accept that does not fit gives the manifest as it is': async (client) => {
      const name = client.newName()
      await client.pushImage(name, 'v1')
      const answer = await client.send('GET', `/v2/${name}/manifests/v1`, { headers: { Accept: MEDIA_TYPES.dockerManifestList } })
      assert.equal(answer.status, 200)
      assert.equal(answer.headers['content-type'], MEDIA_TYPES.ociManifest)
    },
    'GET of an unknown tag answers 404': async (client) => {
      const name = client.newName()
      await client.pushImage(name, 'v1')
      assertRefused(await client.getManifest(name, 'v2'), 404, 'MANIFEST_UNKNOWN')
    },
    'GET of an unknown digest answers 404': async (client) => {
      const name = client.newName()
      await client.pushImage(name, 'v1')
      assertRefused(await client.getManifest(name, UNKNOWN), 404, 'MANIFEST_UNKNOWN')
    },
    'GET in an unknown repository answers 404': async (client) => {
      assertRefused(await client.getManifest(client.newName(), 'v1'), 404, ['MANIFEST_UNKNOWN', 'NAME_UNKNOWN'])
    },
    'GET of what can be no tag answers 404': async (client) => {
      const name = client.newName()
      await client.pushImage(name, 'v1')
      assert.equal((await client.getManifest(name, '.no-tag')).status, 404)
    },
    'GET of a digest that is none answers 400 or 404': async (client) => {
      const name = client.newName()
      await client.pushImage(name, 'v1')
      assertRefused(await client.getManifest(name, 'sha256:0123'), [400, 404], ['DIGEST_INVALID', 'MANIFEST_UNKNOWN', 'MANIFEST_INVALID'])
    },
    'GET of a manifest that only another repository has answers 404': async (client) => {
      const { digest } = await client.pushImage(client.newName(), 'v1')
      const name = client.newName()
      await client.pushImage(name, 'v1')
      assertRefused(await client.getManifest(name, digest), 404, 'MANIFEST_UNKNOWN')
    },
    'GET of a tag that was moved gives the new manifest, the old digest stays': async (client) => {
      const name = client.newName()
      const before = await client.pushImage(name, 'v1')
      const after = await client.pushImage(name, 'v1')
      assert.equal((await client.getManifest(name, 'v1')).headers['docker-content-digest'], after.digest)
      assert.equal((await client.getManifest(name, before.digest)).status, 200)
    },
    'GET with the digest in If-None-Match answers 304': async (client) => {
      const name = client.newName()
      const { digest } = await client.pushImage(name, 'v1')
      const answer = await client.send('GET', `/v2/${name}/manifests/v1`, { headers: { ...ACCEPT, 'If-None-Match': `"${digest}"` } })
      assert.equal(answer.status, 304)
      assert.equal(answer.body.length, 0)
    },
  }),

  ...section('Checking if content exists in the registry (end-3)', {
    'HEAD of a manifest by tag tells type, length and digest': async (client) => {
      const name = client.newName()
      const { digest, size } = await client.pushImage(name, 'v1')
      const { status, headers, body } = await client.send('HEAD', `/v2/${name}/manifests/v1`, { headers: ACCEPT })
      assert.equal(status, 200)
      assert.equal(headers['content-length'], String(size))
      assert.equal(headers['content-type'], MEDIA_TYPES.ociManifest)
      assert.equal(headers['docker-content-digest'], digest)
      assert.equal(body.length, 0)
    },
    'HEAD of a manifest by digest answers 200': async (client) => {
      const name = client.newName()
      const { digest } = await client.pushImage(name, 'v1')
      assert.equal((await client.send('HEAD', `/v2/${name}/manifests/${digest}`, { headers: ACCEPT })).status, 200)
    },
    'HEAD of an unknown manifest answers 404 without a body': async (client) => {
      const answer = await client.send('HEAD', `/v2/${client.newName()}/manifests/v1`, { headers: ACCEPT })
      assert.equal(answer.status, 404)
      assert.equal(answer.body.length, 0)
    },
  }),

  ...section('Pulling blobs (end-2)', {
    'GET gives the bytes, their length and digest': async (client) => {
      const name = client.newName()
      const { digest } = await client.pushBlob(name, CONTENT)
      const answer = await client.send('GET', `/v2/${name}/blobs/${digest}`)
      assert.equal(answer.status, 200)
      assert.equal(String(answer.body), CONTENT)
      assert.equal(answer.headers['content-length'], String(CONTENT.length))
      assert.equal(answer.headers['docker-content-digest'], digest)
    },
    'GET takes a percent-encoded digest': async (client) => {
      const name = client.newName()
      const { digest } = await client.pushBlob(name, CONTENT)
      assert.equal(String((await client.send('GET', `/v2/${name}/blobs/${encodeURIComponent(digest)}`)).body), CONTENT)
    },
    'GET gives an empty blob': async (client) => {
      const name = client.newName()
      const { digest } = await client.pushBlob(name, '')
      const answer = await client.send('GET', `/v2/${name}/blobs/${digest}`)
      assert.equal(answer.status, 200)
      assert.equal(answer.body.length, 0)
    },
    'HEAD tells length and digest': async (client) => {
      const name = client.newName()
      const { digest } = await client.pushBlob(name, CONTENT)
      const { status, headers, body } = await client.send('HEAD', `/v2/${name}/blobs/${digest}`)
      assert.equal(status, 200)
      assert.equal(headers['content-length'], String(CONTENT.length))
      assert.equal(headers['docker-content-digest'], digest)
      assert.equal(body.length, 0)
    },
    'GET and HEAD of an unknown blob answer 404': async (client) => {
      const name = client.newName()
      await client.pushBlob(name, CONTENT)
      assertRefused(await client.send('GET', `/v2/${name}/blobs/${UNKNOWN}`), 404, 'BLOB_UNKNOWN')
      assert.equal((await client.send('HEAD', `/v2/${name}/blobs/${UNKNOWN}`)).status, 404)
    },
    'GET of a blob that only another repository has answers 404': async (client) => {
      const { digest } = await client.pushBlob(client.newName(), 'secret of another team')
      const name = client.newName()
      await client.pushBlob(name, CONTENT)
      assertRefused(await client.send('GET', `/v2/${name}/blobs/${digest}`), 404, 'BLOB_UNKNOWN')
    },
    'GET of a digest that is none answers 400 or 404': async (client) => {
      const answer = await client.send('GET', `/v2/${client.newName()}/blobs/sha256:xyz`)
      assertRefused(answer, [400, 404], ['DIGEST_INVALID', 'BLOB_UNKNOWN'])
    },
    'GET with the digest in If-None-Match answers 304': async (client) => {
      const name = client.newName()
      const { digest } = await client.pushBlob(name, CONTENT)
      const answer = await client.send('GET', `/v2/${name}/blobs/${digest}`, { headers: { 'If-None-Match': `"${digest}"` } })
      assert.equal(answer.status, 304)
    },
  }),

  ...section('Pulling blobs: range requests (RFC 9110, 14)', {
    'a range with both ends gives that part': async (client) => {
      const answer = await getRange(client, 'bytes=2-5')
      assert.equal(answer.status, 206)
      assert.equal(String(answer.body), '2345')
      assert.equal(answer.headers['content-range'], 'bytes 2-5/20')
      assert.equal(answer.headers['content-length'], '4')
    },
    'a range without an end goes to the end': async (client) => {
      const answer = await getRange(client, 'bytes=15-')
      assert.equal(answer.status, 206)
      assert.equal(String(answer.body), 'fghij')
    },
    'a range without a start gives the last bytes': async (client) => {
      const answer = await getRange(client, 'bytes=-3')
      assert.equal(answer.status, 206)
      assert.equal(String(answer.body), 'hij')
      assert.equal(answer.headers['content-range'], 'bytes 17-19/20')
    },
    'a suffix longer than the blob gives all of it': async (client) => {
      assert.equal(String((await getRange(client, 'bytes=-500')).body), CONTENT)
    },
    'an end behind the last byte is cut': async (client) => {
      const answer = await getRange(client, 'bytes=18-500')
      assert.equal(answer.status, 206)
      assert.equal(answer.headers['content-range'], 'bytes 18-19/20')
    },
    'a range behind the end answers 416 with the size': async (client) => {
      const answer = await getRange(client, 'bytes=20-')
      assert.equal(answer.status, 416)
      assert.equal(answer.headers['content-range'], 'bytes */20')
    },
    'a malformed range is ignored or refused': async (client) => {
      const answer = await getRange(client, 'bytes=5-2')
      assert.ok(answer.status === 200 ? String(answer.body) === CONTENT : answer.status === 416)
    },
    'another unit is ignored': async (client) => {
      const answer = await getRange(client, 'lines=1-2')
      assert.ok(answer.status === 200 ? String(answer.body) === CONTENT : answer.status === 416)
    },
    'several ranges are answered with all of them or with the whole': async (client) => {
      const answer = await getRange(client, 'bytes=0-1,5-6')
      if (answer.status === 206) assert.match(answer.headers['content-type'] ?? '', /^multipart\/byteranges/)
      else assert.equal(String(answer.body), CONTENT)
    },
    'If-Range with another content gives the whole': async (client) => {
      const answer = await getRange(client, 'bytes=2-5', { 'If-Range': `"${UNKNOWN}"` })
      assert.equal(answer.status, 200)
      assert.equal(String(answer.body), CONTENT)
    },
    'a HEAD ignores Range': async (client) => {
      const name = client.newName()
      const { digest } = await client.pushBlob(name, CONTENT)
      const answer = await client.send('HEAD', `/v2/${name}/blobs/${digest}`, { headers: { Range: 'bytes=1-2' } })
      assert.equal(answer.status, 200)
      assert.equal(answer.headers['content-length'], '20')
    },
  }),

  ...section('Error Codes', {
    'an error is JSON with a list of codes and messages': async (client) => {
      const answer = await client.getManifest(client.newName(), 'v1')
      assert.match(answer.headers['content-type'] ?? '', /^application\/json/)
      const { errors } = json(answer)
      assert.ok(errors.length > 0)
      for (const { code, message } of errors) {
        assert.match(code, /^[A-Z_]+$/)
        assert.equal(typeof message, 'string')
      }
    },
    'a name with capitals is refused': async (client) => {
      assertRefused(await client.getManifest('Conformance/Upper', 'v1'), [400, 404], ['NAME_INVALID', 'NAME_UNKNOWN'])
    },
    'a method that a path does not have answers 405 with Allow': async (client) => {
      const answer = await client.send('POST', `/v2/${client.newName()}/tags/list`)
      assert.equal(answer.status, 405)
      assert.match(answer.headers.allow ?? '', /GET/)
    },
  }),
]

async function getRange(
  client: Parameters<Case['check']>[0],
  range: string,
  headers: Record<string, string> = {},
): ReturnType<typeof client.send> {
  const name = client.newName()
  const { digest } = await client.pushBlob(name, CONTENT)
  return await client.send('GET', `/v2/${name}/blobs/${digest}`, { headers: { Range: range, ...headers } })
}
