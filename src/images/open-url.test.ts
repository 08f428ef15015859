import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { codeOf } from '#errors'
import { imagesUnderTest } from './testing/images-under-test.ts'
import { makeLayer } from './testing/make-archive.ts'
import { openUrl, parseSourceUrl } from './open-url.ts'
import type { ProgressMessage } from './types.ts'

/** A web server on loopback; its address ends in no slash. */
async function serve(listener: RequestListener): Promise<AsyncDisposable & { address: string }> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const TAR = await makeLayer('a', 'content')
const OPTIONS = { repo: 'rootfs', tag: '', message: '', changes: [] }

describe('parseSourceUrl', () => {
  it('takes what has no scheme for http', () => {
    const CASES: [string, string][] = [
      ['example.org/a.tar', 'http://example.org/a.tar'],
      ['localhost:8080/a', 'http://localhost:8080/a'],
      ['https://example.org', 'https://example.org/'],
    ]
    for (const [text, href] of CASES) assert.equal(parseSourceUrl(text).href, href)
  })

  it('refuses other schemes and nonsense', () => {
    for (const text of ['ftp://example.org/a', 'file:///etc/passwd', 'http://', '::']) {
      assert.throws(() => parseSourceUrl(text), { code: 'INVALID_ARGUMENT' }, text)
    }
  })
})

describe('openUrl', () => {
  it('follows redirects, not for ever and not to other schemes', async () => {
    await using server = await serve((request, response) => {
      const location = { '/1': '/2', '/2': `http://${request.headers.host}/3`, '/file': 'file:///etc/passwd', '/loop': '/loop' }[
        request.url ?? ''
      ]
      if (location === undefined) response.end('here')
      else response.writeHead(302, { location }).end()
    })
    const { body, size } = await openUrl(new URL(`http://${server.address}/1`))
    assert.equal(Buffer.concat(await Array.fromAsync(body)).toString(), 'here')
    assert.equal(size, 4)
    await assert.rejects(openUrl(new URL(`http://${server.address}/loop`)), { code: 'UNAVAILABLE', message: /stopped after 10 redirects/ })
    await assert.rejects(openUrl(new URL(`http://${server.address}/file`)), { message: 'unsupported protocol scheme "file"' })
  })

  it('throws what the server says', async () => {
    await using server = await serve((_, response) => void response.writeHead(403).end('keep out'.padEnd(100_000)))
    await assert.rejects(openUrl(new URL(`http://${server.address}/x`)), {
      code: 'UNAVAILABLE',
      message: `failed to GET http://${server.address}/x with status 403 Forbidden: keep out`,
    })
  })

  it('throws UNAVAILABLE where nobody listens', async () => {
    const { address } = await (async () => {
      await using server = await serve(() => {})
      return server
    })()
    await assert.rejects(openUrl(new URL(`http://${address}/`)), {
      code: 'UNAVAILABLE',
      message: /^Get "http:.*": dial tcp 127\.0\.0\.1:\d+: connect: connection refused$/,
    })
  })
})

describe('importFrom', () => {
  it('makes an image and tells how the download gets on', async () => {
    await using server = await serve((_, response) => void response.writeHead(200, { 'content-length': TAR.length }).end(TAR))
    using test = imagesUnderTest()
    const messages: ProgressMessage[] = []
    const image = await test.images.importFrom(`${server.address}/a.tar`, { ...OPTIONS, report: (message) => messages.push(message) })
    assert.deepEqual(image.repoTags, ['rootfs:latest'])
    assert.deepEqual(messages[0], { status: `Downloading from http://${server.address}/a.tar` })
    assert.equal(messages[1]?.status, 'Importing')
    assert.equal(messages[1]?.progress?.total, TAR.length)
  })

  it('leaves nothing when the connection breaks', async () => {
    await using server = await serve((_, response) => {
      response.writeHead(200, { 'content-length': TAR.length }).write(TAR.subarray(0, 700), () => response.destroy())
    })
    using test = imagesUnderTest()
    await assert.rejects(test.images.importFrom(server.address, OPTIONS), (error) => codeOf(error) === 'UNAVAILABLE')
    await test.images.restore()
    assert.deepEqual(test.content.list(), [])
  })

  it('ends with its signal', async () => {
    const stop = new AbortController()
    await using server = await serve(() => stop.abort())
    using test = imagesUnderTest()
    await assert.rejects(test.images.importFrom(server.address, { ...OPTIONS, signal: stop.signal }), { name: 'AbortError' })
  })

  it('asks nobody for a request that is wrong', async () => {
    await using server = await serve(() => assert.fail('asked'))
    using test = imagesUnderTest()
    await assert.rejects(test.images.importFrom(server.address, { ...OPTIONS, repo: 'UPPER' }), /must be lowercase/)
    await assert.rejects(test.images.importFrom(server.address, { ...OPTIONS, changes: ['RUN x'] }), /not a valid change/)
  })
})
