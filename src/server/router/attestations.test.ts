import assert from 'node:assert/strict'
import { test } from 'node:test'
import { invalidArgument } from '#errors'
import { hostPlatform, MEDIA_TYPES, type Digest } from '#oci'
import { startServer } from '../testing/harness.ts'

const digest = (pair: string): Digest => `sha256:${pair.repeat(32)}`
const manifest = (pair: string) => ({ mediaType: MEDIA_TYPES.ociManifest, digest: digest(pair), size: 10 })
const layer = (pair: string, type: string) => ({
  mediaType: 'application/vnd.in-toto+json',
  digest: digest(pair),
  size: 20,
  annotations: { 'in-toto.io/predicate-type': type },
})
const STATEMENT = { predicateType: 'slsa', subject: [] }
const BLOBS: Record<string, object> = {
  [digest('bb')]: {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: { mediaType: MEDIA_TYPES.ociConfig, digest: digest('cc'), size: 2 },
    layers: [layer('d1', 'slsa'), layer('d2', 'spdx'), layer('d3', 'not here')],
  },
  [digest('d1')]: STATEMENT,
  [digest('d2')]: {},
}

const services: Parameters<typeof startServer>[0] = {
  images: {
    manifests: (ref) =>
      ref === 'own'
        ? []
        : [
            { descriptor: manifest('aa'), kind: 'image', available: true, contentSize: 1, platform: hostPlatform(), unpackedSize: 1 },
            {
              descriptor: manifest('bb'),
              kind: 'attestation',
              available: true,
              contentSize: 1,
              unpackedSize: 0,
              attestationFor: digest('aa'),
            },
            {
              descriptor: manifest('ee'),
              kind: 'attestation',
              available: true,
              contentSize: 1,
              unpackedSize: 0,
              attestationFor: digest('ff'),
            },
          ],
  },
  content: {
    has: (name) => name in BLOBS,
    readAll: (name) => Buffer.from(JSON.stringify(BLOBS[name])),
  },
}

test('attestations of the platform come with type and descriptor, and with their statement on request', async () => {
  await using server = await startServer(services)
  const list = (await server.request('GET', '/v1.55/images/x/attestations')).json()
  assert.deepEqual(list, [
    { Descriptor: layer('d1', 'slsa'), PredicateType: 'slsa' },
    { Descriptor: layer('d2', 'spdx'), PredicateType: 'spdx' },
  ])
  const one = (await server.request('GET', '/v1.55/images/x/attestations?type=slsa&statement=1')).json()
  assert.deepEqual(one, [{ Descriptor: layer('d1', 'slsa'), PredicateType: 'slsa', Statement: STATEMENT }])
})

test('an image made here has none, another platform is not found, two are refused', async () => {
  await using server = await startServer(services)
  assert.deepEqual((await server.request('GET', '/v1.55/images/own/attestations')).json(), [])
  const platform = `platform=${encodeURIComponent('{"os":"linux","architecture":"s390x"}')}`
  assert.equal((await server.request('GET', `/v1.55/images/x/attestations?${platform}`)).status, 404)
  assert.equal((await server.request('GET', `/v1.55/images/x/attestations?${platform}&${platform}`)).status, 400)
})

test('attestations that are no JSON are an error that names them, too many bytes are refused', async () => {
  const half = Buffer.from(JSON.stringify({ list: 'x'.repeat(40 * 1024 * 1024) }))
  const readAll = (name: Digest, limit: number): Buffer => {
    const bytes = name === digest('d1') || name === digest('d2') ? half : Buffer.from(JSON.stringify(BLOBS[name]))
    if (bytes.length > limit) throw invalidArgument(`blob is larger than ${limit} bytes`)
    return bytes
  }
  await using large = await startServer({ ...services, content: { ...services.content, readAll } })
  assert.equal((await large.request('GET', '/v1.55/images/x/attestations?statement=1')).status, 400)
  assert.equal((await large.request('GET', '/v1.55/images/x/attestations?statement=1&type=slsa')).status, 200)
  const garbage = (name: Digest): Buffer => Buffer.from(name === digest('d1') ? '{' : JSON.stringify(BLOBS[name]))
  await using broken = await startServer({ ...services, content: { ...services.content, readAll: garbage } })
  const answer = await broken.request('GET', '/v1.55/images/x/attestations?statement=1')
  assert.equal(answer.status, 500)
  assert.match(answer.text, /attestation sha256:d1d1\w+ is not readable/)
})
