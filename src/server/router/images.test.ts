import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ImageManifestSummary } from '#images'
import type { Digest } from '#oci'
import { CONTAINER_ID, fakeImage, fakeSummary, IMAGE_ID } from '../testing/fake-services.ts'
import { startServer } from '../testing/harness.ts'

const digest = (pair: string): Digest => `sha256:${pair.repeat(32)}`
const descriptor = (pair: string) => ({ mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: digest(pair), size: 500 })

const MANIFESTS: ImageManifestSummary[] = [
  {
    descriptor: descriptor('11'),
    kind: 'image',
    available: true,
    contentSize: 1000,
    platform: { os: 'linux', architecture: 'amd64' },
    image: IMAGE_ID,
    unpackedSize: 3000,
  },
  { descriptor: descriptor('22'), kind: 'attestation', available: false, contentSize: 0, unpackedSize: 0, attestationFor: digest('11') },
  { descriptor: descriptor('33'), kind: 'unknown', available: false, contentSize: 0, unpackedSize: 0 },
]

const WIRE_MANIFESTS = [
  {
    ID: digest('11'),
    Descriptor: descriptor('11'),
    Available: true,
    Size: { Content: 1000, Total: 4000 },
    Kind: 'image',
    ImageData: { Platform: { os: 'linux', architecture: 'amd64' }, Containers: [CONTAINER_ID], Size: { Unpacked: 3000 } },
  },
  {
    ID: digest('22'),
    Descriptor: descriptor('22'),
    Available: false,
    Size: { Content: 0, Total: 0 },
    Kind: 'attestation',
    AttestationData: { For: digest('11') },
  },
  { ID: digest('33'), Descriptor: descriptor('33'), Available: false, Size: { Content: 0, Total: 0 }, Kind: 'unknown' },
]

test('list and inspect show manifests on request, from the version on that knows them', async () => {
  const image = fakeImage({ descriptor: descriptor('44') })
  await using server = await startServer({
    images: { list: () => [image], get: () => image, manifests: () => MANIFESTS, layerPaths: () => [] },
    containers: { list: () => Promise.resolve([fakeSummary()]) },
  })
  const member = async (path: string, name: string): Promise<unknown> => {
    const body = (await server.request('GET', path)).json()
    return ((Array.isArray(body) ? body[0] : body) as Record<string, unknown>)[name]
  }
  assert.deepEqual(await member('/v1.47/images/json?manifests=1', 'Manifests'), WIRE_MANIFESTS)
  assert.equal(await member('/v1.46/images/json?manifests=1', 'Manifests'), undefined)
  assert.equal(await member('/v1.51/images/json', 'Manifests'), undefined)
  assert.deepEqual(await member('/v1.48/images/x/json?manifests=1', 'Manifests'), WIRE_MANIFESTS)
  assert.deepEqual(await member('/v1.48/images/json', 'Descriptor'), descriptor('44'))
  assert.equal(await member('/v1.47/images/json', 'Descriptor'), undefined)
})

test('identity needs manifests', async () => {
  await using server = await startServer()
  const answer = await server.request('GET', '/v1.54/images/json?identity=1')
  assert.deepEqual([answer.status, answer.json()], [400, { message: 'conflicting options: identity requires manifests=1' }])
})

test('inspect and history of a platform ask for the image of that platform', async () => {
  const asked: unknown[] = []
  const other = fakeImage({ id: digest('55') })
  await using server = await startServer({
    images: {
      get: () => fakeImage(),
      resolve: (ref, platform) => {
        asked.push([ref, platform])
        return Promise.resolve(other)
      },
      history: (ref) => {
        asked.push(ref)
        return []
      },
      layerPaths: () => [],
    },
  })
  const platform = `platform=${encodeURIComponent('{"os":"linux","architecture":"arm64","variant":"v8"}')}`
  const inspected = (await server.request('GET', `/v1.49/images/x/json?${platform}`)).json() as { Id: string }
  assert.equal(inspected.Id, other.id)
  await server.request('GET', `/v1.48/images/x/history?${platform}`)
  await server.request('GET', `/v1.47/images/x/history?${platform}`)
  assert.deepEqual(asked, [['x', 'linux/arm64/v8'], ['x', 'linux/arm64/v8'], other.id, 'x'])
  const both = await server.request('GET', `/v1.49/images/x/json?manifests=1&${platform}`)
  assert.equal(both.status, 400)
})

test('single platforms are deleted from API 1.50 on', async () => {
  const asked: unknown[] = []
  await using server = await startServer({
    images: {
      remove: (_, { platforms }) => {
        asked.push(platforms)
        return Promise.resolve([{ deleted: IMAGE_ID }])
      },
    },
  })
  const platforms = `platforms=${encodeURIComponent('{"os":"linux","architecture":"arm64"}')}`
  assert.deepEqual((await server.request('DELETE', `/v1.50/images/x?${platforms}`)).json(), [{ Deleted: IMAGE_ID }])
  await server.request('DELETE', `/v1.49/images/x?${platforms}`)
  assert.deepEqual(asked, [[{ os: 'linux', architecture: 'arm64' }], undefined])
})
