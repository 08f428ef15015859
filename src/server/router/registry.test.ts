import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EngineError } from '#errors'
import { MEDIA_TYPES, type Digest } from '#oci'
import type { RemoteRepository, SearchResult } from '#remotes'
import { startServer } from '../testing/harness.ts'

const digest = (pair: string): Digest => `sha256:${pair.repeat(32)}`

function found(name: string, stars: number, isOfficial: boolean): SearchResult {
  return { name, description: `about ${name}`, stars, isOfficial, isAutomated: true }
}

test('search filters by stars and officiality, and checks the limit', async () => {
  const asked: unknown[] = []
  await using server = await startServer({
    remotes: {
      search: (term, { limit }) => {
        asked.push([term, limit])
        return Promise.resolve([found('alpine', 9000, true), found('me/alpine', 3, false)])
      },
    },
  })
  const search = (query: string) => server.request('GET', `/images/search?term=alpine${query}`)
  assert.deepEqual((await search('')).json(), [
    { star_count: 9000, is_official: true, name: 'alpine', is_automated: false, description: 'about alpine' },
    { star_count: 3, is_official: false, name: 'me/alpine', is_automated: false, description: 'about me/alpine' },
  ])
  const names = async (filters: object): Promise<string[]> =>
    ((await search(`&limit=5&filters=${encodeURIComponent(JSON.stringify(filters))}`)).json() as { name: string }[]).map(({ name }) => name)
  assert.deepEqual(await names({ stars: ['4'] }), ['alpine'])
  assert.deepEqual(await names({ 'is-official': ['false'] }), ['me/alpine'])
  assert.deepEqual(await names({ 'is-automated': ['true'] }), [])
  assert.deepEqual(asked.slice(0, 2), [
    ['alpine', 25],
    ['alpine', 5],
  ])
  assert.deepEqual((await search('&limit=101')).json(), { message: 'limit 101 is outside the range of [1, 100]' })
  assert.equal((await search('&limit=-1')).status, 400)
  assert.equal((await search(`&filters=${encodeURIComponent('{"stars":["x"]}')}`)).status, 400)
  assert.match((await server.request('GET', '/images/search?term=http://a/b')).text, /should not have a scheme/)
})

test('auth asks the registry, Docker Hub by default', async () => {
  const asked: unknown[] = []
  await using server = await startServer({
    remotes: {
      login: (registry, credentials) => {
        asked.push([registry, credentials])
        if (credentials.password === 'wrong') return Promise.reject(new EngineError('UNAUTHORIZED', 'login attempt failed'))
        return Promise.resolve({ status: 'Login Succeeded', identityToken: 'token' })
      },
    },
  })
  const login = (body: object) => server.request('POST', '/auth', { body })
  assert.deepEqual((await login({ username: 'me', password: 'secret', serveraddress: 'r:5000' })).json(), {
    IdentityToken: 'token',
    Status: 'Login Succeeded',
  })
  assert.equal((await login({ username: 'me', password: 'wrong' })).status, 401)
  assert.deepEqual((await login({ serveraddress: 5 })).json(), {
    message: 'invalid JSON: json: cannot unmarshal number into Go struct field AuthConfig.serveraddress of type string',
  })
  assert.equal((await login([])).status, 400)
  assert.deepEqual(asked, [
    ['r:5000', { username: 'me', password: 'secret' }],
    ['https://index.docker.io/v1/', { username: 'me', password: 'wrong' }],
  ])
})

function repositoryWith(mediaType: string, document: object, config = '{}'): Partial<RemoteRepository> {
  const bytes = Buffer.from(JSON.stringify(document))
  return {
    fetchManifest: () => Promise.resolve({ descriptor: { mediaType, digest: digest('aa'), size: bytes.length }, bytes }),
    fetchBlob: async function* () {
      yield Buffer.from(config)
    },
  }
}

test('distribution has no platforms for an image whose config makes no sense', async () => {
  const config = { mediaType: MEDIA_TYPES.ociConfig, digest: digest('cc'), size: 10 }
  const image = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers: [] }
  let text = ''
  await using server = await startServer({
    remotes: { repository: () => repositoryWith(MEDIA_TYPES.ociManifest, image, text) as RemoteRepository },
  })
  for (text of ['null', '[]', '{', '{"os":5,"architecture":"amd64"}', '{"os":"linux"}']) {
    const { status, json } = await server.request('GET', '/distribution/r:5000/x:1/json')
    assert.deepEqual([status, (json() as { Platforms: unknown }).Platforms], [200, null], text)
  }
})

test('distribution shows the platforms of an index, and that of a single image', async () => {
  const size = 10
  const platforms = [
    { architecture: 'amd64', os: 'linux' },
    { architecture: 'arm', os: 'linux', variant: 'v7' },
  ]
  const manifests = platforms.map((platform) => ({ mediaType: MEDIA_TYPES.ociManifest, digest: digest('bb'), size, platform }))
  const index = repositoryWith(MEDIA_TYPES.ociIndex, { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests })
  const image = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.dockerManifest,
    config: { mediaType: MEDIA_TYPES.dockerConfig, digest: digest('cc'), size },
    layers: [],
  }
  const single = repositoryWith(MEDIA_TYPES.dockerManifest, image, '{"os":"linux","architecture":"arm64","config":{}}')
  const asked: unknown[] = []
  await using server = await startServer({
    remotes: {
      repository: (name, intent, options) => {
        asked.push([name.path, intent, options?.credentials])
        return (name.path === 'index' ? index : single) as RemoteRepository
      },
    },
  })
  const auth = { 'X-Registry-Auth': Buffer.from('{"username":"me","password":"p"}').toString('base64url') }
  const many = (await server.request('GET', '/distribution/r:5000/index/json', { headers: auth })).json() as { Platforms: unknown }
  assert.deepEqual(many.Platforms, platforms)
  const one = await server.request('GET', '/distribution/r:5000/single:1/json')
  assert.deepEqual(one.json(), {
    Descriptor: { mediaType: MEDIA_TYPES.dockerManifest, digest: digest('aa'), size: JSON.stringify(image).length },
    Platforms: [{ architecture: 'arm64', os: 'linux' }],
  })
  assert.deepEqual(asked, [
    ['index', 'pull', { username: 'me', password: 'p' }],
    ['single', 'pull', undefined],
  ])
  const id = await server.request('GET', `/distribution/${'ab'.repeat(32)}/json`)
  assert.deepEqual([id.status, id.json()], [500, { message: 'no manifest found for full image ID' }])
})
