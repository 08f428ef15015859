import assert from 'node:assert/strict'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { describe, it } from 'node:test'
import { digestOf, MEDIA_TYPES, parseReference } from '#oci'
import { bodyOf, hostAt, startServer } from '../testing/fake-server.ts'
import type { FakeServer } from '../testing/fake-server.ts'
import { remotesAt } from '../testing/remotes-at.ts'
import type { Credentials, RegistryHost } from '../types.ts'

const NAME = parseReference('registry.example/a/b:1')
const MANIFEST = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [] }))
const USER: Credentials = { username: 'me', password: 'secret' }
const BASIC = `Basic ${Buffer.from('me:secret').toString('base64')}`

/** A registry that accepts one `Authorization` and says how to get it otherwise. */
function guarded(challenge: () => string, accepted: () => string): Promise<FakeServer> {
  return startServer((request, response) => {
    if (request.headers.authorization !== accepted()) return void response.writeHead(401, { 'www-authenticate': challenge() }).end()
    if (request.url === '/v2/') return void response.end()
    response.writeHead(200, { 'content-type': MEDIA_TYPES.ociIndex, 'docker-content-digest': digestOf(MANIFEST) }).end(MANIFEST)
  })
}

const tokens = (answer: (request: IncomingMessage, body: URLSearchParams) => object | number): Promise<FakeServer> =>
  startServer((request, response) => {
    void bodyOf(request).then((body) => reply(response, answer(request, new URLSearchParams(body.toString()))))
  })

function reply(response: ServerResponse, answer: object | number): void {
  if (typeof answer === 'number') response.writeHead(answer).end('{"details":"incorrect username or password"}')
  else response.end(JSON.stringify(answer))
}

const bearer = (server: FakeServer): string => `Basic realm="also", Bearer realm="${server.url}/token?x=y",service="reg"`

async function fetched(host: RegistryHost, credentials: Credentials = USER, times = 1): Promise<void> {
  await using remotes = remotesAt([host])
  for (let time = 0; time < times; time++) await remotes.repository(NAME, 'pull', { credentials }).fetchManifest({ tag: '1' })
}

describe('Authorizer', () => {
  it('sends Basic credentials after a challenge, not before', async () => {
    await using server = await guarded(
      () => 'Basic realm="r"',
      () => BASIC,
    )
    await fetched(hostAt(server.url))
    assert.deepEqual(
      server.seen.map(({ headers }) => headers.authorization),
      [undefined, BASIC],
    )
  })

  it('says that there are no credentials', async () => {
    await using server = await guarded(
      () => 'Basic realm="r"',
      () => BASIC,
    )
    await assert.rejects(fetched(hostAt(server.url), {}), {
      code: 'UNAUTHORIZED',
      message: `Get "${server.url}/v2/a/b/manifests/1": no basic auth credentials`,
    })
  })

  it('does not repeat a refused password', async () => {
    await using server = await guarded(
      () => 'Basic realm="r"',
      () => BASIC,
    )
    await assert.rejects(fetched(hostAt(server.url), { username: 'me', password: 'wrong' }), {
      code: 'UNAUTHORIZED',
      message: 'unauthorized: authentication required',
    })
    assert.equal(server.seen.length, 2)
  })

  it('prefers a token, asks for it as Docker does, and keeps it', async () => {
    await using auth = await tokens(() => ({ token: 'T1', expires_in: 300 }))
    await using server = await guarded(
      () => bearer(auth),
      () => 'Bearer T1',
    )
    await fetched(hostAt(server.url), USER, 3)
    assert.deepEqual(auth.lines(), ['GET /token?x=y&service=reg&scope=repository%3Aa%2Fb%3Apull&account=me'])
    assert.equal(auth.seen[0]?.headers.authorization, BASIC)
  })

  it('asks for an anonymous token without credentials', async () => {
    await using auth = await tokens(() => ({ access_token: 'T1' }))
    await using server = await guarded(
      () => bearer(auth),
      () => 'Bearer T1',
    )
    await fetched(hostAt(server.url), {})
    assert.equal(auth.seen[0]?.headers.authorization, undefined)
    assert.equal(auth.seen[0]?.url, '/token?x=y&service=reg&scope=repository%3Aa%2Fb%3Apull')
  })

  it('does not mix the tokens of two users', async () => {
    await using auth = await tokens((request) => ({ token: request.headers.authorization === BASIC ? 'T1' : 'T2' }))
    await using server = await guarded(
      () => bearer(auth),
      () => 'Bearer T1',
    )
    await using remotes = remotesAt([hostAt(server.url)])
    await remotes.repository(NAME, 'pull', { credentials: USER }).fetchManifest({ tag: '1' })
    await assert.rejects(
      remotes.repository(NAME, 'pull', { credentials: { username: 'you', password: 'x' } }).fetchManifest({ tag: '1' }),
      {
        code: 'UNAUTHORIZED',
      },
    )
  })

  it('trades an identity token by POST', async () => {
    await using auth = await tokens((request, body) => {
      assert.equal(request.method, 'POST')
      assert.deepEqual(Object.fromEntries(body), {
        service: 'reg',
        client_id: 'docker',
        scope: 'repository:a/b:pull',
        grant_type: 'refresh_token',
        refresh_token: 'identity',
      })
      return { access_token: 'T1' }
    })
    await using server = await guarded(
      () => bearer(auth),
      () => 'Bearer T1',
    )
    await fetched(hostAt(server.url), { username: 'me', identityToken: 'identity' })
  })

  it('asks by POST where the server does not know GET, and the other way round', async () => {
    await using post = await tokens((request, body) => (request.method === 'GET' ? 405 : { token: `T${body.get('password')}` }))
    await using first = await guarded(
      () => bearer(post),
      () => 'Bearer Tsecret',
    )
    await fetched(hostAt(first.url))
    await using get = await tokens((request) => (request.method === 'POST' ? 404 : { token: 'T1' }))
    await using second = await guarded(
      () => bearer(get),
      () => 'Bearer T1',
    )
    await fetched(hostAt(second.url), { ...USER, identityToken: 'identity' })
  })

  it('gets a new token when the old one is refused', async () => {
    let valid = 1
    let given = 0
    await using auth = await tokens(() => ({ token: `T${++given}`, expires_in: 3600 }))
    await using server = await guarded(
      () => bearer(auth),
      () => `Bearer T${valid}`,
    )
    await using remotes = remotesAt([hostAt(server.url)])
    const repository = remotes.repository(NAME, 'pull', { credentials: USER })
    await repository.fetchManifest({ tag: '1' })
    valid = 2
    await repository.fetchManifest({ tag: '1' })
    assert.equal(given, 2)
  })

  it('asks for the scope that the registry names, too', async () => {
    await using auth = await tokens(() => ({ token: 'T1' }))
    await using server = await startServer((request, response) => {
      if (request.url === '/v2/cache/') return void response.end()
      if (request.headers.authorization === 'Bearer T1')
        return void response.writeHead(200, { 'content-type': MEDIA_TYPES.ociIndex }).end(MANIFEST)
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${auth.url}/",scope="repository:cache/a/b:pull"` }).end()
    })
    await fetched(hostAt(server.url, { base: `${server.url}/v2/cache` }))
    assert.deepEqual(auth.lines(), ['GET /?scope=repository%3Aa%2Fb%3Apull&scope=repository%3Acache%2Fa%2Fb%3Apull&account=me'])
  })

  it('sends a registry token as it is', async () => {
    await using server = await guarded(
      () => 'Bearer realm="http://127.0.0.1:1/"',
      () => 'Bearer given',
    )
    await fetched(hostAt(server.url), { registryToken: 'given' })
  })

  it('keeps credentials from a host that may not have them', async () => {
    await using auth = await tokens(() => ({ token: 'T1' }))
    await using server = await guarded(
      () => bearer(auth),
      () => 'Bearer T1',
    )
    await fetched(hostAt(server.url, { credentials: false }))
    assert.equal(auth.seen[0]?.headers.authorization, undefined)
    await using basic = await guarded(
      () => 'Basic realm="r"',
      () => BASIC,
    )
    await assert.rejects(fetched(hostAt(basic.url, { credentials: false })), { code: 'UNAUTHORIZED' })
  })

  const BAD: [string, (auth: FakeServer) => string, object | number, RegExp][] = [
    ['a refusal of the token server', bearer, 401, /^Get ".*\/v2\/a\/b\/manifests\/1": unauthorized: incorrect username or password$/],
    ['an answer without a token', bearer, { tokens: [] }, /authorization server did not include a token in the response$/],
    ['a token that would add a header', bearer, { token: 'a\r\nX: y' }, /a token that is no header value$/],
    ['no realm', () => 'Bearer service="x"', {}, /no realm specified for token auth challenge$/],
    [
      'a realm that is a file',
      () => 'Bearer realm="file:///etc/passwd"',
      {},
      /invalid token auth challenge realm: file:\/\/\/etc\/passwd$/,
    ],
  ]
  for (const [name, challenge, answer, message] of BAD) {
    it(`fails on ${name}`, async () => {
      await using auth = await tokens(() => answer)
      await using server = await guarded(
        () => challenge(auth),
        () => 'never',
      )
      await assert.rejects(fetched(hostAt(server.url)), { code: 'UNAUTHORIZED', message })
    })
  }

  it('asks no token server of this machine for a registry that is elsewhere', async () => {
    await using auth = await tokens(() => ({ token: 'what only this machine may know' }))
    await using server = await guarded(
      () => bearer(auth),
      () => 'never',
    )
    // Linux connects 0.0.0.0 to this machine: it stands for a registry that is somewhere else.
    await assert.rejects(fetched(hostAt(server.url.replace('127.0.0.1', '0.0.0.0')), {}), {
      code: 'UNAVAILABLE',
      message: /dial tcp: 127\.0\.0\.1 is an address of this machine or its link$/,
    })
    assert.deepEqual(auth.lines(), [])
    assert.ok(server.seen.every(({ headers }) => headers.authorization === undefined))
  })

  it('does not take challenges from where a registry redirects to', async () => {
    await using elsewhere = await startServer(
      (_, response) => void response.writeHead(401, { 'www-authenticate': 'Basic realm="give me"' }).end(),
    )
    const redirect: RequestListener = (request, response) => {
      if (request.url === '/v2/') response.end()
      else response.writeHead(307, { location: elsewhere.url }).end()
    }
    await using server = await startServer(redirect)
    await assert.rejects(fetched(hostAt(server.url)), { code: 'UNAUTHORIZED' })
    assert.deepEqual([elsewhere.seen.length, elsewhere.seen[0]?.headers.authorization], [1, undefined])
  })
})
