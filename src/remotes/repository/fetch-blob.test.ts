import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { digestOf, MEDIA_TYPES, parseReference } from '#oci'
import { hostAt, startServer } from '../testing/fake-server.ts'
import type { FakeServer } from '../testing/fake-server.ts'
import { remotesAt } from '../testing/remotes-at.ts'
import type { FetchBlobOptions, RegistryHost } from '../types.ts'

const CONTENT = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251))
const DIGEST = digestOf(CONTENT)
const BLOB = { digest: DIGEST, size: CONTENT.length }
const FOREIGN = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip'
const NAME = parseReference('registry.example/a/b:1')

/** Answers the ping; blobs are up to `blob`. */
function registry(blob: RequestListener): Promise<FakeServer> {
  return startServer((request, response) => (request.url === '/v2/' ? void response.end() : blob(request, response)))
}

/** Serves `CONTENT` with ranges, but breaks the connection at each of `cuts` in turn. */
function cutting(cuts: number[]): RequestListener {
  return (request, response) => {
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    const rest = CONTENT.subarray(start)
    const headers = start > 0 ? { 'content-range': `bytes ${start}-${CONTENT.length - 1}/${CONTENT.length}` } : {}
    response.writeHead(start > 0 ? 206 : 200, { 'content-length': rest.length, ...headers })
    const cut = cuts.shift()
    if (cut === undefined) response.end(rest)
    else response.write(rest.subarray(0, cut - start), () => response.destroy())
  }
}

async function fetched(
  hosts: RegistryHost[],
  options: FetchBlobOptions = {},
  blob: { urls?: string[]; mediaType?: string } = {},
): Promise<Buffer> {
  await using remotes = remotesAt(hosts)
  const repository = remotes.repository(NAME, 'pull')
  return Buffer.concat(await Array.fromAsync(repository.fetchBlob({ ...BLOB, ...blob }, options)))
}

describe('fetchBlob', () => {
  it('goes on where the connection broke, as often as it makes progress', async () => {
    await using server = await registry(cutting([30_000, 60_000, 90_000, 120_000, 150_000, 180_000, 210_000]))
    const retries: number[] = []
    assert.deepEqual(await fetched([hostAt(server.url)], { retrying: (seconds) => retries.push(seconds) }), CONTENT)
    assert.equal(retries.length, 7)
    assert.ok(server.seen.length >= 9)
  })

  it('begins at the offset that is asked for', async () => {
    await using server = await registry(cutting([]))
    assert.deepEqual(await fetched([hostAt(server.url)], { offset: 100_000 }), CONTENT.subarray(100_000))
    assert.deepEqual(await fetched([hostAt(server.url)], { offset: CONTENT.length }), Buffer.alloc(0))
    await assert.rejects(fetched([hostAt(server.url)], { offset: CONTENT.length + 1 }), { code: 'INVALID_ARGUMENT' })
  })

  it('skips what it has when the server ignores ranges', async () => {
    let first = true
    await using server = await registry((_, response) => {
      response.writeHead(200, { 'content-length': CONTENT.length })
      if (!first) return void response.end(CONTENT)
      first = false
      response.write(CONTENT.subarray(0, 100_000), () => response.destroy())
    })
    assert.deepEqual(await fetched([hostAt(server.url)]), CONTENT)
  })

  it('gives up after the attempts without progress, with the last error', async () => {
    await using server = await registry((_, response) => response.destroy())
    await assert.rejects(fetched([hostAt(server.url)]), { code: 'UNAVAILABLE', message: /^Get "http:.*\/blobs\/sha256:.*": EOF$/ })
    // The first one was sent twice: on the ping's connection it might have met the server's end of it.
    assert.equal(server.seen.filter(({ url }) => url.includes('/blobs/')).length, 4)
  })

  it('tries again after 429 and 503', async () => {
    const answers = [429, 503]
    await using server = await registry((request, response) => {
      const status = answers.shift()
      if (status === undefined) cutting([])(request, response)
      else response.writeHead(status).end()
    })
    assert.deepEqual(await fetched([hostAt(server.url)]), CONTENT)
    assert.equal(server.seen.length, 4)
  })

  it('gives the error to the user when the server wants to be left alone for long', async () => {
    await using server = await registry((_, response) => {
      response.writeHead(429, { 'retry-after': '3600' })
      response.end('{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}')
    })
    await assert.rejects(fetched([hostAt(server.url)]), { code: 'RESOURCE_EXHAUSTED', message: 'toomanyrequests: slow down' })
    assert.equal(server.seen.length, 2)
  })

  const WRONG: [string, RequestListener, RegExp][] = [
    ['a shorter length', (_, response) => void response.end(CONTENT.subarray(1)), /the registry has 299999 bytes of it/],
    ['a longer length', (_, response) => void response.end(Buffer.concat([CONTENT, Buffer.from('x')])), /the registry has 300001 bytes/],
    [
      'more bytes without a length',
      (_, response) => {
        response.write(CONTENT)
        response.end('more')
      },
      /more than the 300000 bytes/,
    ],
    [
      'an encoding',
      (_, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip' })
        response.end(CONTENT)
      },
      /encoded as gzip/,
    ],
    [
      'another range',
      (_, response) => {
        response.writeHead(206, { 'content-range': 'bytes 5-299999/300000', 'content-length': 299_995 })
        response.end(CONTENT.subarray(5))
      },
      /bytes from 0 of 300000 were asked for/,
    ],
  ]
  for (const [name, listener, message] of WRONG) {
    it(`refuses ${name}, without another attempt`, async () => {
      await using server = await registry(listener)
      await assert.rejects(fetched([hostAt(server.url)]), { code: 'INVALID_ARGUMENT', message })
      assert.equal(server.seen.length, 2)
    })
  }

  it('treats a body without length that ends early as broken', async () => {
    let times = 0
    await using server = await registry((_, response) => {
      times++
      response.flushHeaders()
      response.end(CONTENT.subarray(0, 10))
    })
    await assert.rejects(fetched([hostAt(server.url)]), { code: 'UNAVAILABLE', message: /unexpected EOF$/ })
    assert.equal(times, 3)
  })

  it('breaks off when nothing comes, and tries again', async () => {
    let first = true
    await using server = await registry((request, response) => {
      if (!first) return cutting([])(request, response)
      first = false
      response.writeHead(200, { 'content-length': CONTENT.length })
      response.write(CONTENT.subarray(0, 100_000))
    })
    await using remotes = remotesAt([hostAt(server.url)], { idle: 500 })
    const blob = remotes.repository(NAME, 'pull').fetchBlob(BLOB)
    assert.deepEqual(Buffer.concat(await Array.fromAsync(blob)), CONTENT)
    assert.equal(server.seen.length, 3)
  })

  it('breaks off when less than the minimum comes in a window', async () => {
    await using server = await registry((_, response) => {
      response.writeHead(200, { 'content-length': CONTENT.length })
      const timer = setInterval(() => response.write('x'), 5)
      response.once('close', () => clearInterval(timer))
    })
    await using remotes = remotesAt([hostAt(server.url)], { window: 50, minimumBytes: 1000 })
    await assert.rejects(Array.fromAsync(remotes.repository(NAME, 'pull').fetchBlob(BLOB)), {
      code: 'UNAVAILABLE',
      message: /i\/o timeout/,
    })
  })

  it('does not blame the sender for a slow reader', async () => {
    await using server = await registry(cutting([]))
    await using remotes = remotesAt([hostAt(server.url)], { idle: 300, window: 300, minimumBytes: 1000 })
    let first = true
    let length = 0
    for await (const chunk of remotes.repository(NAME, 'pull').fetchBlob(BLOB)) {
      length += chunk.length
      if (first) await sleep(800)
      first = false
    }
    assert.equal(length, CONTENT.length)
    assert.equal(server.seen.length, 2)
  })

  it('takes a blob from the next host when a mirror has none, breaks, or lies about its length', async () => {
    const mirrors: RequestListener[] = [
      (_, response) => void response.writeHead(404).end(),
      (_, response) => void response.writeHead(500).end(),
      (_, response) => response.destroy(),
      (_, response) => void response.end('short'),
    ]
    for (const mirror of mirrors) {
      await using bad = await registry(mirror)
      await using good = await registry(cutting([]))
      assert.deepEqual(await fetched([hostAt(bad.url), hostAt(good.url)]), CONTENT)
      assert.equal(bad.seen.length, 2, 'a mirror is asked once')
    }
  })

  it('falls back to the addresses of a foreign layer, without credentials and only on the web', async () => {
    await using server = await registry((_, response) => void response.writeHead(404).end())
    await using elsewhere = await startServer(cutting([]))
    const urls = ['file:///etc/passwd', `http://user:password@${elsewhere.domain}/no`, `${elsewhere.url}/layer`]
    assert.deepEqual(await fetched([hostAt(server.url)], {}, { urls, mediaType: FOREIGN }), CONTENT)
    assert.deepEqual(elsewhere.lines(), ['GET /layer'])
    await assert.rejects(fetched([hostAt(server.url)], {}, { urls, mediaType: MEDIA_TYPES.ociLayerGzip }), { code: 'NOT_FOUND' })
    assert.equal(elsewhere.seen.length, 1)
  })

  it('lets no manifest send it to what only this machine can reach, unless the registry is there, too', async () => {
    await using server = await registry((_, response) => void response.writeHead(404).end())
    await using inside = await startServer(cutting([]))
    // Linux connects 0.0.0.0 to this machine: it stands for a registry that is somewhere else.
    const away = hostAt(server.url.replace('127.0.0.1', '0.0.0.0'))
    for (const url of [`${inside.url}/`, `http://localhost:${new URL(inside.url).port}/`, 'http://169.254.169.254/latest/meta-data/'])
      await assert.rejects(fetched([away], {}, { urls: [url], mediaType: FOREIGN }), {
        code: 'UNAVAILABLE',
        message: /dial tcp: .* is an address of this machine or its link$/,
      })
    assert.deepEqual(inside.lines(), [])
  })

  it('ends at once when it is cancelled, between attempts, too', async () => {
    await using server = await registry((_, response) => response.destroy())
    await using remotes = remotesAt([hostAt(server.url)], { backoff: 60_000, backoffMaximum: 60_000 })
    const controller = new AbortController()
    const options = { signal: controller.signal, retrying: () => controller.abort() }
    await assert.rejects(Array.fromAsync(remotes.repository(NAME, 'pull').fetchBlob(BLOB, options)), {
      code: 'CANCELLED',
      message: 'context canceled',
    })
  })

  it('closes the connection when the reader leaves', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    await using server = await registry((_, response) => {
      response.writeHead(200, { 'content-length': CONTENT.length })
      response.write(CONTENT.subarray(0, 1000))
      response.once('close', resolve)
    })
    await using remotes = remotesAt([hostAt(server.url)])
    for await (const chunk of remotes.repository(NAME, 'pull').fetchBlob(BLOB)) {
      assert.ok(chunk.length > 0)
      break
    }
    await promise
  })
})
