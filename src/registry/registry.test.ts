import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Readable } from 'node:stream'
import { digestOf, MEDIA_TYPES } from '#oci'
import { registryUnderTest } from './testing/registry-under-test.ts'
import { until } from './testing/until.ts'
import type { Access, AccessController, AccessDecision, Upstream } from './types.ts'

const CONTENT = 'content of a layer'
const DIGEST = digestOf(CONTENT)
const REFERRERS = ['sbom', 'signature'].map((what) => ({
  mediaType: MEDIA_TYPES.ociManifest,
  digest: digestOf(what),
  size: what.length,
  artifactType: `a/${what}`,
}))

/** Decides by a function of the rights that are asked for, as `repository:a:pull`. */
function access(decide: (wanted: string[]) => AccessDecision): AccessController {
  const text = ({ type, name, action }: Access): string => `${type}:${name}:${action}`
  return { authorise: (_request, wanted) => Promise.resolve(decide(wanted.map(text))) }
}

async function codeOf(response: Response): Promise<string> {
  return ((await response.json()) as { errors: [{ code: string }] }).errors[0].code
}

describe('createRegistry: access', () => {
  it('asks for the rights that an endpoint needs', async () => {
    const asked: string[] = []
    await using test = await registryUnderTest({
      access: access((wanted) => {
        asked.push(wanted.join(' '))
        return { kind: 'denied' }
      }),
    })
    const REQUESTS: [method: string, path: string, wanted: string][] = [
      ['GET', '/v2/', ''],
      ['GET', '/v2/_catalog', 'registry:catalog:*'],
      ['GET', '/v2/a/tags/list', 'repository:a:pull'],
      ['HEAD', `/v2/a/b/blobs/${DIGEST}`, 'repository:a/b:pull'],
      ['POST', '/v2/a/blobs/uploads/', 'repository:a:pull repository:a:push'],
      ['GET', '/v2/a/blobs/uploads/id', 'repository:a:pull repository:a:push'],
      ['DELETE', '/v2/a/blobs/uploads/id', 'repository:a:pull repository:a:push'],
      ['PUT', '/v2/a/manifests/x', 'repository:a:pull repository:a:push'],
      ['DELETE', '/v2/a/manifests/x', 'repository:a:delete'],
      ['DELETE', `/v2/a/blobs/${DIGEST}`, 'repository:a:delete'],
      ['GET', `/v2/a/referrers/${DIGEST}`, 'repository:a:pull'],
    ]
    for (const [method, path, wanted] of REQUESTS) {
      const response = await test.fetch(path, { method })
      assert.deepEqual([response.status, asked.pop()], [403, wanted], `${method} ${path}`)
    }
  })

  it('answers a challenge with 401 and its headers', async () => {
    const headers = { 'WWW-Authenticate': 'Bearer realm="https://tokens"' }
    await using test = await registryUnderTest({ access: access(() => ({ kind: 'challenge', headers })) })
    const response = await test.fetch('/v2/')
    assert.equal(response.status, 401)
    assert.equal(response.headers.get('www-authenticate'), 'Bearer realm="https://tokens"')
    assert.equal(response.headers.get('docker-distribution-api-version'), 'registry/2.0')
    assert.equal(await codeOf(response), 'UNAUTHORIZED')
  })

  it('answers 429 with Retry-After to who asks too often', async () => {
    await using test = await registryUnderTest({ access: access(() => ({ kind: 'throttled', retryAfter: 2.4 })) })
    const response = await test.fetch('/v2/')
    assert.deepEqual([response.status, response.headers.get('retry-after'), await codeOf(response)], [429, '3', 'TOOMANYREQUESTS'])
  })

  it('begins an upload instead of a mount from a repository that the client may not read', async () => {
    const decide = (wanted: string[]): AccessDecision =>
      wanted.some((right) => right.includes('secret:pull')) ? { kind: 'denied' } : { kind: 'allowed' }
    await using test = await registryUnderTest({ access: access(decide) })
    const repository = test.registry.repositories.open('secret')
    await test.registry.keeper.put(DIGEST, Buffer.from(CONTENT))
    await repository.linkBlob(DIGEST)
    const response = await test.fetch(`/v2/mine/blobs/uploads/?mount=${DIGEST}&from=secret`, { method: 'POST' })
    assert.equal(response.status, 202)
    assert.equal((await test.fetch(`/v2/mine/blobs/${DIGEST}`)).status, 404)
  })

  it('answers 500 and logs when the controller fails, without telling why', async () => {
    await using test = await registryUnderTest({ access: { authorise: () => Promise.reject(new Error('password file is gone')) } })
    const response = await test.fetch('/v2/')
    assert.equal(response.status, 500)
    assert.doesNotMatch(await response.text(), /password/)
    assert.match(String(test.errors[0]), /password file is gone/)
  })
})

describe('createRegistry: modes', () => {
  it('refuses pushes and deletes in read-only mode, and serves pulls', async () => {
    await using first = await registryUnderTest()
    await first.pushImage('a', 'v1')
    await using test = await registryUnderTest({ root: first.root, readOnly: true })
    assert.equal((await test.fetch('/v2/a/manifests/v1')).status, 200)
    const WRITES: [method: string, path: string][] = [
      ['POST', '/v2/a/blobs/uploads/'],
      ['PUT', '/v2/a/manifests/v1'],
      ['DELETE', '/v2/a/manifests/v1'],
      ['DELETE', `/v2/a/blobs/${DIGEST}`],
    ]
    for (const [method, path] of WRITES) {
      const response = await test.fetch(path, { method })
      assert.deepEqual([response.status, response.headers.get('allow'), await codeOf(response)], [405, 'GET, HEAD', 'UNSUPPORTED'])
    }
  })

  it('does not touch content in read-only mode', async () => {
    await using first = await registryUnderTest()
    const digest = await first.pushBlob('a', CONTENT)
    await using test = await registryUnderTest({
      root: first.root,
      readOnly: true,
      wrap: (storage) => ({ ...storage, blobs: { ...storage.blobs, touch: () => Promise.reject(new Error('read-only file system')) } }),
    })
    assert.equal((await test.fetch(`/v2/a/blobs/${digest}`, { method: 'HEAD' })).status, 200)
  })

  it('answers 405 to deletes when deleting is off, and takes pushes', async () => {
    await using test = await registryUnderTest({ deletes: false })
    const digest = await test.pushImage('a', 'v1')
    for (const path of ['/v2/a/manifests/v1', `/v2/a/manifests/${digest}`, `/v2/a/blobs/${digestOf('{}')}`]) {
      const response = await test.fetch(path, { method: 'DELETE' })
      assert.deepEqual([response.status, await codeOf(response)], [405, 'UNSUPPORTED'])
    }
    assert.equal((await test.fetch('/v2/a/manifests/v1')).status, 200)
  })

  it('serves pages beside the API without asking for rights', async () => {
    await using test = await registryUnderTest({
      access: access(() => ({ kind: 'denied' })),
      pages: { '/metrics': (_request, response) => void response.end('up 1') },
    })
    assert.equal(await (await test.fetch('/metrics?x=1')).text(), 'up 1')
    assert.equal((await test.fetch('/other')).status, 404)
    assert.equal((await test.fetch('/constructor')).status, 404)
  })

  it('sends clients to where the storage says a blob is', async () => {
    await using test = await registryUnderTest({
      wrap: (storage) => ({ ...storage, redirect: (digest, method) => Promise.resolve(`https://bucket.example/${method}/${digest}`) }),
    })
    await test.pushBlob('a', CONTENT)
    for (const method of ['GET', 'HEAD']) {
      const response = await test.fetch(`/v2/a/blobs/${DIGEST}`, { method, redirect: 'manual' })
      assert.deepEqual([response.status, response.headers.get('location')], [307, `https://bucket.example/${method}/${DIGEST}`])
    }
  })

  it('says that the storage is full with 507', async () => {
    const full = (): Promise<never> => Promise.reject(Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' }))
    await using test = await registryUnderTest({ wrap: (storage) => ({ ...storage, uploads: { ...storage.uploads, append: full } }) })
    const response = await test.fetch(`/v2/a/blobs/uploads/?digest=${DIGEST}`, { method: 'POST', body: CONTENT })
    assert.deepEqual([response.status, await codeOf(response)], [507, 'UNAVAILABLE'])
    assert.deepEqual(await Array.fromAsync(test.storage.uploads.list()), [])
  })
})

describe('createRegistry: events', () => {
  it('tells of push, mount, pull and delete with what and who', async () => {
    await using test = await registryUnderTest({ access: access(() => ({ kind: 'allowed', actor: 'ann' })), now: () => 1234 })
    const digest = await test.pushImage('a', 'v1')
    await test.fetch(`/v2/b/blobs/uploads/?mount=${digestOf('{}')}&from=a`, { method: 'POST' })
    await (await test.fetch('/v2/a/manifests/v1', { headers: { 'User-Agent': 'test/1' } })).text()
    await (await test.fetch(`/v2/a/blobs/${digestOf('{}')}`)).text()
    await test.fetch('/v2/a/manifests/v1', { method: 'DELETE' })
    await test.fetch(`/v2/a/manifests/${digest}`, { method: 'DELETE' })
    assert.deepEqual(
      test.events.map(({ action, repository, target }) => [action, repository, target.digest, target.tag, target.fromRepository]),
      [
        ['push', 'a', digestOf('{}'), undefined, undefined],
        ['push', 'a', digest, 'v1', undefined],
        ['mount', 'b', digestOf('{}'), undefined, 'a'],
        ['pull', 'a', digest, 'v1', undefined],
        ['pull', 'a', digestOf('{}'), undefined, undefined],
        ['delete', 'a', undefined, 'v1', undefined],
        ['delete', 'a', digest, undefined, undefined],
      ],
    )
    const { actor, time, request, target } = test.events[3]!
    assert.deepEqual([actor, time, request.userAgent, request.method], ['ann', 1234, 'test/1', 'GET'])
    assert.equal(target.path, `/v2/a/manifests/${digest}`)
    assert.match(request.id, /^[0-9a-f]{32}$/)
  })

  it('tells nothing of what did not happen', async () => {
    await using test = await registryUnderTest()
    await test.pushImage('a', 'v1')
    test.events.length = 0
    await test.fetch('/v2/a/manifests/v2')
    await test.fetch('/v2/a/manifests/v1', { headers: { 'If-None-Match': '*' } })
    await test.fetch('/v2/a/manifests/v9', { method: 'PUT', body: 'x' })
    await test.fetch(`/v2/a/blobs/${DIGEST}`, { method: 'DELETE' })
    assert.deepEqual(test.events, [])
  })

  it('reports each request with route, status and bytes', async () => {
    await using test = await registryUnderTest()
    await test.pushBlob('a', CONTENT)
    await (await test.fetch(`/v2/a/blobs/${DIGEST}`)).text()
    await until(() => test.reports.length === 2)
    await (await test.fetch('/nowhere')).text()
    await until(() => test.reports.length === 3)
    assert.deepEqual(
      test.reports.map(({ route, repository, status, received, sent, aborted }) => [
        route,
        repository,
        status,
        received,
        sent > 0 ? 'bytes' : 0,
        aborted,
      ]),
      [
        ['uploads', 'a', 201, CONTENT.length, 0, false],
        ['blobs', 'a', 200, 0, 'bytes', false],
        ['unknown', undefined, 404, 0, 'bytes', false],
      ],
    )
    assert.equal(test.reports[1]?.sent, CONTENT.length)
  })
})

describe('createRegistry: with an upstream', () => {
  const upstream = (calls: string[]) => (): Upstream => ({
    refreshManifest: (name, reference) => Promise.resolve(void calls.push(`${name} ${JSON.stringify(reference)}`)),
    statBlob: (_name, digest) => Promise.resolve(digest === DIGEST ? { size: CONTENT.length } : undefined),
    referrers: (_name, subject) => Promise.resolve(subject === DIGEST ? REFERRERS : undefined),
    readBlob: (_name, _digest, { range }) =>
      Promise.resolve(Readable.from([Buffer.from(CONTENT).subarray(range?.start, range && range.end + 1)])),
  })

  it('serves blobs it has not, whole and in part', async () => {
    await using test = await registryUnderTest({ upstream: upstream([]) })
    assert.equal(await (await test.fetch(`/v2/a/blobs/${DIGEST}`)).text(), CONTENT)
    const part = await test.fetch(`/v2/a/blobs/${DIGEST}`, { headers: { Range: 'bytes=3-5' } })
    assert.deepEqual([part.status, await part.text()], [206, CONTENT.slice(3, 6)])
    assert.equal((await test.fetch(`/v2/a/blobs/${digestOf('other')}`)).status, 404)
  })

  it('lists what the upstream says of a subject by type and in order, and what is here when it does not say', async () => {
    await using test = await registryUnderTest({ upstream: upstream([]) })
    const list = async (path: string): Promise<string[]> => {
      const { manifests } = (await (await test.fetch(`/v2/a/referrers/${path}`)).json()) as { manifests: { digest: string }[] }
      return manifests.map(({ digest }) => digest)
    }
    const [first, second] = REFERRERS.map(({ digest }) => digest).sort()
    assert.deepEqual(await list(DIGEST), [first, second])
    assert.deepEqual(await list(`${DIGEST}?last=${first}`), [second])
    assert.deepEqual(await list(`${DIGEST}?artifactType=a/sbom`), [digestOf('sbom')])
    assert.deepEqual(await list(digestOf('other')), [])
  })

  it('lets the upstream bring manifests before it looks for them', async () => {
    const calls: string[] = []
    await using test = await registryUnderTest({ upstream: upstream(calls) })
    assert.equal((await test.fetch('/v2/library/x/manifests/v1')).status, 404)
    assert.deepEqual(calls, ['library/x {"tag":"v1"}'])
  })

  it('takes no pushes', async () => {
    await using test = await registryUnderTest({ upstream: upstream([]) })
    const response = await test.fetch('/v2/a/blobs/uploads/', { method: 'POST' })
    assert.deepEqual([response.status, await codeOf(response)], [405, 'UNSUPPORTED'])
  })
})
