import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { digestOf, parseReference } from '#oci'
import { selfSigned } from '../testing/certificates.ts'
import { hostAt, startServer } from '../testing/fake-server.ts'
import type { FakeServer } from '../testing/fake-server.ts'
import { remotesAt } from '../testing/remotes-at.ts'
import type { PushBlobOptions, PushedBlob } from '../types.ts'

const LARGE = Buffer.alloc(3_000_000, 'gantry')
const SMALL = Buffer.from('small')
const NAME = parseReference('registry.example/a/b:1')

/** What a fake registry does differently; an answer of true: the request is dealt with. */
type Twist = (request: IncomingMessage, response: ServerResponse, store: UploadStore) => boolean | Promise<boolean>

interface UploadStore {
  /** Bytes of the upload that is open. */
  received: Buffer
  blobs: Map<string, Buffer>
  uploads: number
}

/** Takes uploads as distribution does: bytes of a broken request are kept, the location changes with each answer. */
async function uploadRegistry(twist: Twist = () => false): Promise<FakeServer & { store: UploadStore }> {
  const store: UploadStore = { received: Buffer.alloc(0), blobs: new Map(), uploads: 0 }
  const server = await startServer((request, response) => void answer(request, response).catch(() => response.destroy()))

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://x')
    if (await twist(request, response, store)) return
    if (url.pathname === '/v2/') return void response.end()
    if (request.method === 'HEAD') return void response.writeHead(store.blobs.has(url.pathname.split('/').at(-1) ?? '') ? 200 : 404).end()
    if (request.method === 'POST') {
      store.received = Buffer.alloc(0)
      store.uploads++
      return void response.writeHead(202, { location: `/v2/a/b/blobs/uploads/${store.uploads}?_state=a%2Bb%3D` }).end()
    }
    if (request.method === 'DELETE') return void response.writeHead(204).end()
    if (request.method === 'GET')
      return void response.writeHead(204, { range: `0-${store.received.length - 1}`, location: `${url.pathname}?_state=found` }).end()
    for await (const chunk of request) store.received = Buffer.concat([store.received, chunk as Buffer])
    if (request.method === 'PATCH') return void response.writeHead(202, { location: `${url.pathname}?_state=patched` }).end()
    const digest = url.searchParams.get('digest') ?? ''
    if (digestOf(store.received) !== digest)
      return void response
        .writeHead(400)
        .end('{"errors":[{"code":"DIGEST_INVALID","message":"provided digest did not match uploaded content"}]}')
    store.blobs.set(digest, store.received)
    response.writeHead(201, { 'docker-content-digest': digest }).end()
  }

  return Object.assign(server, { store })
}

async function* pieces(content: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < content.length; at += 100_000) yield content.subarray(at, at + 100_000)
}

function known(content: Buffer, more: Partial<PushBlobOptions> = {}): PushBlobOptions {
  return { digest: digestOf(content), size: content.length, open: () => pieces(content), ...more }
}

async function pushed(server: FakeServer, options: PushBlobOptions): Promise<PushedBlob> {
  await using remotes = remotesAt([hostAt(server.url)])
  return await remotes.repository(NAME, 'push').pushBlob(options)
}

const methods = (server: FakeServer): string => server.seen.map(({ method }) => method).join(' ')

describe('pushBlob', () => {
  it('sends a small blob in one PUT, and keeps the spelling of the location', async () => {
    await using server = await uploadRegistry()
    assert.deepEqual(await pushed(server, known(SMALL)), { kind: 'uploaded', digest: digestOf(SMALL), size: SMALL.length })
    assert.equal(methods(server), 'GET HEAD POST PUT')
    assert.equal(server.seen.at(-1)?.url, `/v2/a/b/blobs/uploads/1?_state=a%2Bb%3D&digest=sha256%3A${digestOf(SMALL).slice(7)}`)
    assert.deepEqual(server.store.blobs.get(digestOf(SMALL)), SMALL)
  })

  it('streams a large blob, and tells how far it is', async () => {
    await using server = await uploadRegistry()
    const progress: number[] = []
    await pushed(server, known(LARGE, { progress: (sent) => progress.push(sent) }))
    assert.equal(methods(server), 'GET HEAD POST PATCH PUT')
    assert.ok(server.store.blobs.has(digestOf(LARGE)))
    assert.deepEqual([progress[0], progress.at(-1)], [100_000, LARGE.length])
    assert.equal(server.seen[3]?.headers['content-length'], String(LARGE.length))
  })

  it('learns the digest of what is made on the way at its end', async () => {
    await using server = await uploadRegistry()
    const result = { digest: digestOf(LARGE), size: LARGE.length }
    assert.deepEqual(await pushed(server, { open: () => pieces(LARGE), result: () => result }), { kind: 'uploaded', ...result })
    assert.equal(methods(server), 'GET POST PATCH PUT')
    assert.equal(server.seen[2]?.headers['transfer-encoding'], 'chunked')
  })

  it('does not send what is there', async () => {
    await using server = await uploadRegistry()
    server.store.blobs.set(digestOf(LARGE), LARGE)
    assert.deepEqual(await pushed(server, known(LARGE)), { kind: 'exists' })
    assert.equal(methods(server), 'GET HEAD')
  })

  it('mounts from another repository where that works', async () => {
    await using server = await uploadRegistry((request, response) => {
      if (request.method !== 'POST') return false
      assert.equal(request.url, `/v2/a/b/blobs/uploads/?mount=sha256%3A${digestOf(LARGE).slice(7)}&from=c%2Fd`)
      response.writeHead(201, { location: '/v2/a/b/blobs/x' }).end()
      return true
    })
    assert.deepEqual(await pushed(server, known(LARGE, { mountFrom: 'c/d' })), { kind: 'mounted', from: 'c/d' })
  })

  it('uploads when the registry forbids to look into the other repository', async () => {
    await using server = await uploadRegistry((request, response) => {
      if (!(request.url ?? '').includes('mount=')) return false
      response.writeHead(403).end()
      return true
    })
    assert.equal((await pushed(server, known(LARGE, { mountFrom: 'c/d' }))).kind, 'uploaded')
  })

  it('goes on where a known blob broke off', async () => {
    let broken = false
    await using server = await uploadRegistry(async (request, response, store) => {
      if (request.method !== 'PATCH' || broken) return false
      broken = true
      for await (const chunk of request) {
        store.received = Buffer.concat([store.received, chunk as Buffer])
        if (store.received.length > 1_000_000) break
      }
      response.destroy()
      return true
    })
    await pushed(server, known(LARGE))
    assert.equal(methods(server), 'GET HEAD POST PATCH GET PATCH PUT')
    const [begin, end] = [Number(server.seen[5]?.headers['content-range']?.split('-')[0]), LARGE.length - 1]
    assert.ok(begin > 1_000_000)
    assert.equal(server.seen[5]?.headers['content-range'], `${begin}-${end}`)
    assert.deepEqual(server.store.blobs.get(digestOf(LARGE)), LARGE)
  })

  it('closes an upload whose connection broke behind the last byte', async () => {
    let broken = false
    await using server = await uploadRegistry(async (request, response, store) => {
      if (request.method !== 'PATCH' || broken) return false
      broken = true
      for await (const chunk of request) store.received = Buffer.concat([store.received, chunk as Buffer])
      response.destroy()
      return true
    })
    await pushed(server, known(LARGE))
    assert.equal(methods(server), 'GET HEAD POST PATCH GET PUT')
  })

  it('begins anew where the registry says that it has more than there is', async () => {
    let broken = false
    await using server = await uploadRegistry((request, response) => {
      if (request.method === 'GET' && broken) response.writeHead(204, { range: '0-99999999999', location: request.url ?? '' }).end()
      else if (request.method === 'PATCH' && !broken) {
        broken = true
        request.once('data', () => response.destroy())
      } else return false
      return true
    })
    await pushed(server, known(LARGE))
    assert.equal(methods(server), 'GET HEAD POST PATCH GET DELETE POST PATCH PUT')
  })

  it('does not send in plain what was to go over TLS', async () => {
    await using plain = await uploadRegistry()
    const own = selfSigned()
    await using server = await startServer((request, response) => {
      if (request.url === '/v2/') response.end()
      else if (request.method === 'HEAD') response.writeHead(404).end()
      else response.writeHead(202, { location: `${plain.url.replace('127.0.0.1', 'localhost')}/upload` }).end()
    }, own)
    await using remotes = remotesAt([hostAt(server.url, { tls: { skipVerify: false, ca: [own.cert], clients: [] } })])
    await assert.rejects(remotes.repository(NAME, 'push').pushBlob(known(SMALL)), {
      code: 'UNAVAILABLE',
      message: /upload from https to http:\/\/localhost:\d+ refused$/,
    })
    assert.deepEqual(plain.lines(), [])
  })

  it('begins anew with what is made on the way', async () => {
    let broken = false
    await using server = await uploadRegistry((request, response) => {
      if (request.method !== 'PATCH' || broken) return false
      broken = true
      request.once('data', () => response.destroy())
      return true
    })
    let opened = 0
    const open = (): AsyncGenerator<Buffer> => {
      opened++
      return pieces(LARGE)
    }
    await pushed(server, { open, result: () => ({ digest: digestOf(LARGE), size: LARGE.length }) })
    assert.equal(opened, 2)
    assert.equal(methods(server), 'GET POST PATCH DELETE POST PATCH PUT')
  })

  it('stops sending when the registry refuses in the middle, and cancels the upload', async () => {
    await using server = await uploadRegistry((request, response) => {
      if (request.method !== 'PATCH') return false
      request.once('data', () => response.writeHead(413).end('{"errors":[{"code":"SIZE_INVALID","message":"too large"}]}'))
      return true
    })
    await assert.rejects(pushed(server, known(LARGE)), { code: 'INVALID_ARGUMENT', message: 'size invalid: too large' })
    assert.equal(server.seen.at(-1)?.method, 'DELETE')
  })

  it('shows what the registry says of a wrong digest', async () => {
    await using server = await uploadRegistry()
    await assert.rejects(pushed(server, { ...known(LARGE), digest: digestOf('else') }), {
      code: 'INVALID_ARGUMENT',
      message: 'digest invalid: provided digest did not match uploaded content',
    })
  })

  it('passes on what its source throws, without another attempt', async () => {
    await using server = await uploadRegistry()
    const open = async function* (): AsyncGenerator<Buffer> {
      yield LARGE.subarray(0, 1000)
      throw new RangeError('the disk is broken')
    }
    await assert.rejects(pushed(server, known(LARGE, { open })), { name: 'RangeError', message: 'the disk is broken' })
    assert.equal(server.seen.filter(({ method }) => method === 'POST').length, 1)
    assert.equal(server.seen.at(-1)?.method, 'DELETE')
  })

  it('refuses a source that is shorter than it should be', async () => {
    await using server = await uploadRegistry()
    await assert.rejects(pushed(server, { ...known(SMALL), size: 6 }), { code: 'INVALID_ARGUMENT', message: /has 6 bytes, 5 were read/ })
  })

  it('cancels the upload when it is cancelled', async () => {
    const controller = new AbortController()
    await using server = await uploadRegistry((request) => {
      if (request.method !== 'PATCH') return false
      request.once('data', () => controller.abort())
      return true
    })
    await assert.rejects(pushed(server, known(LARGE, { signal: controller.signal })), { code: 'CANCELLED' })
    assert.equal(server.seen.at(-1)?.method, 'DELETE')
  })

  it('gives up after the attempts without progress', async () => {
    await using server = await uploadRegistry((request, response) => {
      if (request.method !== 'POST') return false
      response.writeHead(503).end()
      return true
    })
    await assert.rejects(pushed(server, known(LARGE)), { code: 'UNAVAILABLE', message: /503 Service Unavailable/ })
    assert.equal(server.seen.filter(({ method }) => method === 'POST').length, 3)
  })

  it('breaks off when the registry takes nothing any more', async () => {
    await using server = await uploadRegistry((request) => {
      if (request.method === 'PATCH') request.pause()
      return request.method === 'PATCH'
    })
    await using remotes = remotesAt([hostAt(server.url)], { idle: 50, response: 200, uploadResponse: 200 })
    const endless = async function* (): AsyncGenerator<Buffer> {
      for (let sent = 0; sent < 200; sent++) {
        yield LARGE
        await sleep(0)
      }
    }
    const options = { open: () => endless(), result: () => ({ digest: digestOf('x'), size: 0 }) }
    await assert.rejects(remotes.repository(NAME, 'push').pushBlob(options), { code: 'UNAVAILABLE', message: /write: i\/o timeout/ })
  })
})
