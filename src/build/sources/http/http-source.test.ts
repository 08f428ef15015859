import assert from 'node:assert/strict'
import { once } from 'node:events'
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { createFiles } from '#kernel'
import { digestOf } from '#oci'
import type { HttpSource } from '../../graph/types.ts'
import type { BuildSession } from '../../session.ts'
import type { SourceResolver } from '../../types.ts'
import { fakeLayers } from '../testing/fake-layers.ts'
import type { FakeLayers } from '../testing/fake-layers.ts'
import { fakeSession, fakeStep } from '../testing/fake-step.ts'
import type { FakeStep } from '../testing/fake-step.ts'
import { createHttpSource } from './http-source.ts'

const TEXT = Buffer.from('content')
const DATE = 'Wed, 21 Oct 2015 07:28:00 GMT'

interface Test extends AsyncDisposable {
  fake: FakeLayers
  http: SourceResolver<HttpSource>
  source: (path: string, members?: Partial<HttpSource>) => HttpSource
  /** `GET /path authorization`. */
  requests: string[]
  step: (session?: Partial<BuildSession>) => FakeStep
  /** The only file of the last layer. */
  file: () => { name: string; text: string; mode: number; time: number }
}

async function setUp(answer: RequestListener = (_, response) => response.end(TEXT), proxies: Record<string, string> = {}): Promise<Test> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push([request.method, request.url, request.headers.authorization].filter(Boolean).join(' '))
    answer(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const fake = fakeLayers()
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  return {
    fake,
    http: createHttpSource({ ...fake, files: createFiles(), proxies }),
    requests,
    source: (path, members) => ({
      kind: 'http',
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
      filename: '',
      authHeaderSecret: '',
      ...owner,
      ...members,
    }),
    step: (session) => fakeStep(fakeSession(session), { lease: fake.lease }),
    file() {
      const directory = fake.directories.at(-1) ?? ''
      const [name = '', ...others] = readdirSync(directory)
      assert.deepEqual(others, [])
      const path = join(directory, name)
      const { mode, mtimeMs } = lstatSync(path)
      return { name, text: readFileSync(path, 'utf8'), mode: mode & 0o7777, time: mtimeMs }
    },
    async [Symbol.asyncDispose]() {
      fake[Symbol.dispose]()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function secrets(values: Record<string, string>): Partial<BuildSession> {
  return { secret: async (id) => (values[id] === undefined ? undefined : Buffer.from(values[id])) }
}

describe('http source', () => {
  it('downloads a file once, with name and time from the server', async () => {
    await using test = await setUp((_, response) =>
      response.writeHead(200, { 'last-modified': DATE, 'content-disposition': 'attachment; filename=other.txt' }).end(TEXT),
    )
    const { pinned, material } = await test.http.identify(test.source('/a.txt'), test.step())
    assert.deepEqual([pinned.checksum, pinned.filename], [digestOf(TEXT), 'other.txt'])
    assert.deepEqual(material, { uri: pinned.url, digest: { sha256: digestOf(TEXT).slice(7) } })
    assert.equal((await test.http.fetch(pinned, test.step())).kind, 'layers')
    assert.deepEqual(test.file(), { name: 'other.txt', text: 'content', mode: 0o600, time: Date.parse(DATE) })
    assert.deepEqual(test.requests, ['GET /a.txt'])
  })

  it('obeys what is asked for', async () => {
    await using test = await setUp()
    const { pinned } = await test.http.identify(test.source('/a', { filename: 'b', mode: 0o755 }), test.step())
    await test.http.fetch(pinned, test.step())
    assert.deepEqual(test.file(), { name: 'b', text: 'content', mode: 0o755, time: 0 })
  })

  it('is known by name, attributes and content', async () => {
    await using test = await setUp()
    const key = async (members: Partial<HttpSource>, path = '/a'): Promise<string> =>
      (await test.http.identify(test.source(path, members), test.step())).key
    const same = await key({})
    assert.equal(await key({ filename: 'a' }), same)
    assert.equal(await key({}, '/other/a?x'), same)
    assert.notEqual(await key({ filename: 'b' }), same)
    assert.notEqual(await key({ mode: 0o644 }), same)
    assert.notEqual(await key({ checksum: digestOf(Buffer.from('x')) }), same)
  })

  it('asks nobody for what a checksum names, and checks what comes', async () => {
    await using test = await setUp()
    const good = await test.http.identify(test.source('/a', { checksum: digestOf(TEXT) }), test.step())
    assert.deepEqual(test.requests, [])
    await test.http.fetch(good.pinned, test.step())
    assert.equal(test.file().text, 'content')
    const source = test.source('/a', { checksum: digestOf(Buffer.from('x')) })
    const message = `digest mismatch for ${source.url}: ${digestOf(TEXT)} (expected: ${source.checksum})`
    await assert.rejects(test.http.fetch(source, test.step()), { code: 'INVALID_ARGUMENT', message })
  })

  it('downloads nothing again that the server says has not changed', async () => {
    let etag = '"1"'
    await using test = await setUp((request, response) => {
      if (request.headers['if-none-match'] === etag && request.url === '/304') response.writeHead(304).end()
      else response.writeHead(200, { etag: `W/${etag}` }).end(request.method === 'HEAD' ? '' : TEXT)
    })
    for (const path of ['/304', '/200']) {
      await test.http.identify(test.source(path), test.step())
      await test.http.identify(test.source(path), test.step())
    }
    assert.deepEqual(test.requests, ['GET /304', 'HEAD /304', 'GET /200', 'HEAD /200'])
    etag = '"2"'
    await test.http.identify(test.source('/200'), test.step())
    assert.deepEqual(test.requests.slice(4), ['HEAD /200', 'GET /200'])
  })

  it('logs in with the secrets of the client, at the host they are for', async () => {
    await using other = await setUp()
    await using test = await setUp((request, response) => {
      if (request.url === '/away') response.writeHead(302, { location: other.source('/there').url }).end()
      else response.end(TEXT)
    })
    const named = { 'HTTP_AUTH_TOKEN_127.0.0.1': 'token', 'HTTP_AUTH_HEADER_127.0.0.1': 'Basic header' }
    await test.http.identify(test.source('/away'), test.step(secrets(named)))
    await test.http.identify(test.source('/b'), test.step(secrets({ 'HTTP_AUTH_HEADER_127.0.0.1': 'Basic header\n' })))
    await test.http.identify(test.source('/c', { authHeaderSecret: 'mine' }), test.step(secrets({ ...named, mine: 'Own' })))
    assert.deepEqual([...test.requests, ...other.requests], ['GET /away Bearer token', 'GET /b Basic header', 'GET /c Own', 'GET /there'])
    const message = 'failed to retrieve HTTP auth secret mine: not found'
    await assert.rejects(test.http.identify(test.source('/d', { authHeaderSecret: 'mine' }), test.step()), { message })
  })

  it('goes through proxies, but for hosts that are excepted', async () => {
    await using proxy = await setUp()
    await using test = await setUp(undefined, { http_proxy: new URL(proxy.source('/').url).origin, no_proxy: '127.0.0.1' })
    await test.http.identify(test.source('', { url: 'http://else.where/a' }), test.step())
    await test.http.identify(test.source('/b'), test.step())
    assert.deepEqual([proxy.requests, test.requests], [['GET http://else.where/a'], ['GET /b']])
  })

  it('takes what the client offers itself', async () => {
    await using test = await setUp()
    const source = test.source('', { url: 'http://buildkit-session/abc', filename: 'context' })
    const asked: string[] = []
    const step = test.step({ upload: async ({ pathname }) => (asked.push(pathname), Readable.from([TEXT])) })
    const { pinned } = await test.http.identify(source, step)
    await test.http.fetch(pinned, step)
    assert.deepEqual([test.file().name, test.file().text, asked], ['context', 'content', ['/abc']])
  })

  it('fails in the words of BuildKit', async () => {
    await using test = await setUp((request, response) => response.writeHead(request.url === '/gone' ? 404 : 500).end('long page'))
    await assert.rejects(test.http.identify(test.source('/gone'), test.step()), {
      code: 'NOT_FOUND',
      message: 'invalid response status 404',
    })
    await assert.rejects(test.http.identify(test.source('/'), test.step()), { code: 'UNAVAILABLE', message: 'invalid response status 500' })
    for (const url of ['ftp://h/a', 'file:///etc/passwd', 'x']) {
      await assert.rejects(test.http.identify(test.source('', { url }), test.step()), { code: 'INVALID_ARGUMENT' })
    }
  })
})
