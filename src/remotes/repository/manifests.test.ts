import assert from 'node:assert/strict'
import type { IncomingMessage, RequestListener } from 'node:http'
import { describe, it } from 'node:test'
import { digestOf, MAX_MANIFEST_SIZE, MEDIA_TYPES, parseReference } from '#oci'
import { bodyOf, hostAt, startServer } from '../testing/fake-server.ts'
import type { FakeServer } from '../testing/fake-server.ts'
import { remotesAt } from '../testing/remotes-at.ts'
import type { RegistryHost, RemoteManifest } from '../types.ts'

const NAME = parseReference('registry.example/a/b:1')
const BYTES = Buffer.from(
  JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.dockerManifest, config: {}, layers: [], extra: 'kept' }),
)
const DIGEST = digestOf(BYTES)
const DESCRIPTOR = { mediaType: MEDIA_TYPES.dockerManifest, digest: DIGEST, size: BYTES.length }

function registry(manifest: RequestListener): Promise<FakeServer> {
  return startServer((request, response) => (request.url === '/v2/' ? void response.end() : manifest(request, response)))
}

/** Serves `body` under any name; undefined headers are left out. */
function serving(body: Buffer, headers: Record<string, string | undefined> = {}): RequestListener {
  return (_, response) => {
    const all = { 'content-type': MEDIA_TYPES.dockerManifest, 'docker-content-digest': digestOf(body), ...headers }
    response.writeHead(200, Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Record<string, string>)
    response.end(body)
  }
}

function failing(status: number, body: string): RequestListener {
  return (_, response) => void response.writeHead(status, { 'content-type': 'application/json' }).end(body)
}

async function fetched(host: RegistryHost, reference: Parameters<typeof resolved>[1] = { tag: '1' }): Promise<RemoteManifest> {
  await using remotes = remotesAt([host])
  return await remotes.repository(NAME, 'pull').fetchManifest(reference)
}

async function resolved(hosts: RegistryHost[], reference: { tag: string } | { digest: typeof DIGEST; size?: number }): Promise<object> {
  await using remotes = remotesAt(hosts)
  return await remotes.repository(NAME, 'pull').resolve(reference)
}

describe('resolve', () => {
  it('asks by HEAD, with all kinds of manifests in Accept', async () => {
    await using server = await registry((request, response) => {
      assert.equal(
        request.headers.accept,
        `${MEDIA_TYPES.dockerManifest}, ${MEDIA_TYPES.dockerManifestList}, ${MEDIA_TYPES.ociManifest}, ${MEDIA_TYPES.ociIndex}`,
      )
      response.setHeader('content-length', BYTES.length)
      serving(BYTES)(request, response)
    })
    assert.deepEqual(await resolved([hostAt(server.url)], { tag: '1' }), DESCRIPTOR)
    assert.deepEqual(server.lines(), ['GET /v2/', 'HEAD /v2/a/b/manifests/1'])
  })

  it('asks by GET where HEAD does not tell the digest', async () => {
    await using server = await registry(serving(BYTES, { 'docker-content-digest': undefined }))
    assert.deepEqual(await resolved([hostAt(server.url)], { tag: '1' }), DESCRIPTOR)
    assert.deepEqual(server.lines().slice(1), ['HEAD /v2/a/b/manifests/1', 'GET /v2/a/b/manifests/1'])
  })

  const REFUSALS: [number, string, string, string][] = [
    [
      404,
      '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{}}]}',
      'NOT_FOUND',
      'manifest for registry.example/a/b:1 not found: manifest unknown: manifest unknown',
    ],
    [
      403,
      '{"errors":[{"code":"DENIED","message":"no"}]}',
      'NOT_FOUND',
      "pull access denied for registry.example/a/b, repository does not exist or may require 'docker login': denied: no",
    ],
    [
      404,
      '{"errors":[{"code":"NAME_UNKNOWN"}]}',
      'NOT_FOUND',
      'repository registry.example/a/b not found: name unknown: repository name not known to registry',
    ],
    [401, 'nonsense', 'UNAUTHORIZED', 'unauthorized: authentication required'],
    [
      429,
      '{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your rate limit."}]}',
      'RESOURCE_EXHAUSTED',
      'toomanyrequests: You have reached your rate limit.',
    ],
    [
      404,
      '404 page not found',
      'NOT_FOUND',
      `error parsing HTTP 404 response body: invalid character '4' looking for beginning of value: "404 page not found"`,
    ],
    [404, '', 'NOT_FOUND', 'error parsing HTTP 404 response body: unexpected end of JSON input: ""'],
    [404, '{}', 'NOT_FOUND', 'error parsing HTTP 404 response body: no error details found in HTTP response body: "{}"'],
    [400, '{"errors":[{"code":"SOMETHING_NEW","message":"hm"}]}', 'INVALID_ARGUMENT', 'unknown: hm'],
    [500, 'boom', 'UNAVAILABLE', 'received unexpected HTTP status: 500 Internal Server Error'],
  ]
  for (const [status, body, code, message] of REFUSALS) {
    it(`says what Docker says for ${status} with ${body || 'nothing'}`, async () => {
      await using server = await registry(failing(status, body))
      await assert.rejects(resolved([hostAt(server.url)], { tag: '1' }), { code, message })
      assert.equal(server.seen.length, 3, 'a refusal is not asked for again')
    })
  }

  it('names the tag that was asked for', async () => {
    await using server = await registry(failing(404, '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}'))
    await assert.rejects(resolved([hostAt(server.url)], { tag: 'other' }), {
      message: /^manifest for registry\.example\/a\/b:other not found/,
    })
  })

  it('reads at most 64 KiB of an error', async () => {
    await using server = await registry(failing(404, 'x'.repeat(1 << 20)))
    await assert.rejects(resolved([hostAt(server.url)], { tag: '1' }), {
      message: 'error parsing HTTP 404 response body: unexpected end of JSON input: ""',
    })
  })

  it('asks a mirror first and falls through to the registry, whose error counts', async () => {
    await using mirror = await registry(failing(404, '{"errors":[{"code":"DENIED","message":"mirror"}]}'))
    await using server = await registry(serving(BYTES))
    const hosts = [hostAt(mirror.url, { capabilities: new Set(['pull', 'resolve']) }), hostAt(server.url)]
    assert.deepEqual(await resolved(hosts, { digest: DIGEST }), DESCRIPTOR)
    await using broken = await registry(failing(500, ''))
    await assert.rejects(resolved([hosts[0] as RegistryHost, hostAt(broken.url)], { tag: '1' }), { message: /500 Internal/ })
  })

  it('does not ask a host that is not to resolve, and tells a mirror which registry is meant', async () => {
    await using content = await registry(serving(BYTES))
    await using mirror = await registry(serving(BYTES))
    const hosts = [hostAt(content.url, { capabilities: new Set(['pull']) }), hostAt(mirror.url, { namespace: 'registry.example' })]
    await resolved(hosts, { tag: '1' })
    assert.deepEqual(content.lines(), [])
    assert.equal(mirror.lines()[1], 'HEAD /v2/a/b/manifests/1?ns=registry.example')
  })

  it('asks again when the connection breaks, three times in all', async () => {
    await using server = await registry((_, response) => response.destroy())
    await assert.rejects(resolved([hostAt(server.url)], { tag: '1' }), { code: 'UNAVAILABLE', message: /^Head ".*\/manifests\/1": EOF$/ })
  })
})

describe('fetchManifest', () => {
  it('gives the bytes as they came', async () => {
    await using server = await registry(serving(BYTES))
    const { descriptor, bytes } = await fetched(hostAt(server.url), { digest: DIGEST, size: BYTES.length })
    assert.deepEqual([descriptor, bytes], [DESCRIPTOR, BYTES])
  })

  it('takes the type from the body, and from the header where the body is silent', async () => {
    const silent = Buffer.from('{"schemaVersion":2,"manifests":[]}')
    await using server = await registry(serving(silent, { 'content-type': 'application/json' }))
    assert.equal((await fetched(hostAt(server.url))).descriptor.mediaType, MEDIA_TYPES.ociIndex)
    await using plain = await registry(serving(BYTES, { 'content-type': 'text/plain; charset=utf-8' }))
    assert.equal((await fetched(hostAt(plain.url))).descriptor.mediaType, MEDIA_TYPES.dockerManifest)
  })

  const schema1 = Buffer.from('{"schemaVersion":1}')
  const BAD: [string, RequestListener, RegExp][] = [
    [
      'other bytes than the header says',
      serving(BYTES, { 'docker-content-digest': digestOf('x') }),
      /^manifest verification failed for digest sha256:2d71/,
    ],
    [
      'a type that the body denies',
      serving(BYTES, { 'content-type': MEDIA_TYPES.ociIndex }),
      /^mediaType in manifest should be '.*index.*' not '.*v2\+json'$/,
    ],
    [
      'schema 1 by header',
      serving(schema1, { 'content-type': 'application/vnd.docker.distribution.manifest.v1+prettyjws' }),
      /^Docker Image Format v1 .* has been removed\. Suggest the author of registry\.example\/a\/b:1 to upgrade/,
    ],
    ['schema 1 by content', serving(schema1), /^Docker Image Format v1/],
    ['what is not JSON', serving(Buffer.from('<html>')), /^unsupported manifest format$/],
    ['a list', serving(Buffer.from('[]')), /^unsupported manifest format$/],
    ['nesting without end', serving(Buffer.from('['.repeat(1000))), /^unsupported manifest format$/],
    ['more than 4 MiB', serving(Buffer.alloc(MAX_MANIFEST_SIZE + 1, ' ')), /^manifest is larger than the limit/],
  ]
  for (const [name, listener, message] of BAD) {
    it(`refuses ${name}`, async () => {
      await using server = await registry(listener)
      await assert.rejects(fetched(hostAt(server.url)), { code: 'INVALID_ARGUMENT', message })
    })
  }

  it('refuses another digest or size than was asked for', async () => {
    await using server = await registry(serving(BYTES))
    await assert.rejects(fetched(hostAt(server.url), { digest: digestOf('x') }), { message: /^manifest verification failed for digest/ })
    await assert.rejects(fetched(hostAt(server.url), { digest: DIGEST, size: 1 }), { message: /its descriptor says 1$/ })
  })
})

describe('pushManifest', () => {
  async function pushed(listener: (request: IncomingMessage, body: Buffer) => [number, Record<string, string>, string]): Promise<string> {
    await using server = await registry((request, response) => {
      void bodyOf(request).then((body) => {
        const [status, headers, text] = listener(request, body)
        response.writeHead(status, headers).end(text)
      })
    })
    await using remotes = remotesAt([hostAt(server.url)])
    return await remotes.repository(NAME, 'push').pushManifest({ tag: 'new' }, { mediaType: MEDIA_TYPES.dockerManifest, bytes: BYTES })
  }

  it('sends the bytes with their type', async () => {
    const digest = await pushed((request, body) => {
      assert.deepEqual([request.method, request.url], ['PUT', '/v2/a/b/manifests/new'])
      assert.equal(request.headers['content-type'], MEDIA_TYPES.dockerManifest)
      assert.deepEqual(body, BYTES)
      return [201, { 'docker-content-digest': DIGEST }, '']
    })
    assert.equal(digest, DIGEST)
  })

  it('refuses a registry that changed the manifest', async () => {
    await assert.rejects(
      pushed(() => [201, { 'docker-content-digest': digestOf('x') }, '']),
      { code: 'INVALID_ARGUMENT' },
    )
  })

  it('shows all that the registry and its challenge say, as docker push does', async () => {
    const challenge = { 'www-authenticate': 'Bearer realm="http://127.0.0.1:1/token",error="insufficient_scope"' }
    const refused = pushed((request) =>
      request.method === 'PUT' ? [403, challenge, '{"errors":[{"code":"UNAUTHORIZED"}]}'] : [200, {}, ''],
    )
    await assert.rejects(refused, {
      code: 'FORBIDDEN',
      message: 'errors:\ndenied: requested access to the resource is denied\nunauthorized: authentication required\n',
    })
  })
})
