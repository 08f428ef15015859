import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { digestOf } from '#oci'
import { registryUnderTest, type RegistryUnderTest } from '../testing/registry-under-test.ts'
import { until } from '../testing/until.ts'
import type { RequestObserver } from '../types.ts'

async function open({ port }: RegistryUnderTest): Promise<{ socket: Socket; answer: () => string; closed: Promise<unknown> } & Disposable> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => (text += chunk))
  socket.on('error', () => {}) // a reset is one of the ways to end
  const closed = once(socket, 'close')
  await once(socket, 'connect')
  return { socket, answer: () => text, closed, [Symbol.dispose]: () => socket.destroy() }
}

async function startUpload(test: RegistryUnderTest): Promise<string> {
  const response = await test.fetch('/v2/a/blobs/uploads/', { method: 'POST' })
  return response.headers.get('location') ?? assert.fail()
}

describe('createRegistryServer: clients that misbehave', () => {
  it('ends a connection that sends no headers', async () => {
    await using test = await registryUnderTest({ http: { headersTimeout: 50 } })
    using client = await open(test)
    client.socket.write('GET /v2/ HTTP/1.1\r\nHost: x\r\n')
    await client.closed
    assert.match(client.answer(), /^HTTP\/1\.1 408 /)
  })

  it('ends an upload that falls silent, and keeps what came', async () => {
    await using test = await registryUnderTest({ http: { idleTimeout: 60 } })
    const upload = await startUpload(test)
    using client = await open(test)
    client.socket.write(`PATCH ${upload} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nten bytes.`)
    await client.closed
    await until(() => test.reports.length === 2)
    assert.equal(test.reports[1]?.aborted, true)
    const status = await test.fetch(upload)
    assert.equal(status.headers.get('range'), '0-9')
    const rest = await test.fetch(upload, { method: 'PATCH', body: ' and the rest', headers: { 'Content-Range': '10-22' } })
    assert.equal(rest.status, 202)
    const digest = digestOf('ten bytes. and the rest')
    assert.equal((await test.fetch(`${upload}?digest=${digest}`, { method: 'PUT' })).status, 201)
  })

  it('leaves a connection alone that waits for the server', async () => {
    await using test = await registryUnderTest({
      http: { idleTimeout: 30 },
      pages: { '/slow': (_request, response) => void setTimeout(() => response.end('late'), 150) },
    })
    assert.equal(await (await test.fetch('/slow')).text(), 'late')
  })

  it('answers 431 to headers without end and 400 to what is no HTTP', async () => {
    await using test = await registryUnderTest({ http: { maxHeaderSize: 4096 } })
    using large = await open(test)
    large.socket.write(`GET /v2/ HTTP/1.1\r\nHost: x\r\nX-Large: ${'x'.repeat(8000)}\r\n\r\n`)
    await large.closed
    assert.match(large.answer(), /^HTTP\/1\.1 431 /)
    using nonsense = await open(test)
    nonsense.socket.write('hello\r\n\r\n')
    await nonsense.closed
    assert.match(nonsense.answer(), /^HTTP\/1\.1 400 /)
  })

  it('answers a path that is no UTF-8 with 400', async () => {
    await using test = await registryUnderTest()
    assert.equal((await test.fetch('/v2/%ff/tags/list')).status, 400)
  })

  it('answers a refused body before it is sent, and closes', async () => {
    await using test = await registryUnderTest({ readOnly: true })
    using client = await open(test)
    client.socket.write('PUT /v2/a/manifests/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nbegin')
    await client.closed
    assert.match(client.answer(), /^HTTP\/1\.1 405 [^]*\r\nConnection: close\r\n[^]*UNSUPPORTED/)
  })

  it('answers a manifest that is announced too large without reading it', async () => {
    await using test = await registryUnderTest()
    using client = await open(test)
    client.socket.write('PUT /v2/a/manifests/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\nExpect: 100-continue\r\n\r\n')
    await client.closed
    assert.match(client.answer(), /^HTTP\/1\.1 413 /)
  })

  it('asks for the body of a page, too, when the client waits for that', async () => {
    await using test = await registryUnderTest({
      pages: { '/form': async (request, response) => void response.end(`got ${String(await buffer(request))}`) },
    })
    using client = await open(test)
    client.socket.write('POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n')
    await until(() => client.answer().startsWith('HTTP/1.1 100 '))
    client.socket.write('abc')
    await client.closed
    assert.match(client.answer(), /got abc/)
  })

  it('answers a manifest without a length when it becomes too large', async () => {
    await using test = await registryUnderTest()
    using client = await open(test)
    client.socket.write('PUT /v2/a/manifests/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
    for (let sent = 0; sent < 6; sent++) client.socket.write(`100000\r\n${' '.repeat(1024 * 1024)}\r\n`)
    await client.closed
    assert.match(client.answer(), /^HTTP\/1\.1 413 [^]*MANIFEST_INVALID/)
  })

  it('answers a body that the storage cannot take to its end', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
    async function append(_id: string, chunks: AsyncIterable<Uint8Array>): Promise<never> {
      for await (const _chunk of chunks) throw full
      throw new Error('there was no body')
    }
    await using test = await registryUnderTest({ wrap: (storage) => ({ ...storage, uploads: { ...storage.uploads, append } }) })
    const upload = await startUpload(test)
    using client = await open(test)
    client.socket.write(`PATCH ${upload} HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n`)
    client.socket.write(Buffer.alloc(5_000_000))
    await client.closed
    assert.match(client.answer(), /^HTTP\/1\.1 507 /)
  })

  it('reports a download that the client broke off', async () => {
    await using test = await registryUnderTest()
    const digest = await test.pushBlob('a', 'x'.repeat(20_000_000))
    using client = await open(test)
    client.socket.pause()
    client.socket.write(`GET /v2/a/blobs/${digest} HTTP/1.1\r\nHost: x\r\n\r\n`)
    await once(client.socket, 'readable')
    client.socket.destroy()
    await until(() => test.reports.length === 2)
    assert.equal(test.reports[1]?.aborted, true)
    assert.deepEqual(test.errors, [])
    assert.ok(test.events.every((event) => event.action === 'push'))
  })
})

describe('Registry.close', () => {
  /** Counts the requests that have reached the server. */
  const counting = (): { started: () => number; observer: RequestObserver } => {
    let count = 0
    return { started: () => count, observer: { started: () => void count++, finished() {} } }
  }

  it('waits for a request that runs and closes connections that are kept alive', async () => {
    const { started, observer } = counting()
    await using test = await registryUnderTest({ observer })
    const upload = await startUpload(test)
    using client = await open(test)
    client.socket.write(`PATCH ${upload} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nfirst`)
    await until(() => started() === 2)
    const closed = test.registry.close({ grace: 5000 })
    client.socket.write(' half')
    await closed
    assert.match(client.answer(), /^HTTP\/1\.1 202 /)
    await assert.rejects(test.fetch('/v2/'))
  })

  it('cuts what does not end in time, and the upload goes on after a restart', async () => {
    const { started, observer } = counting()
    await using test = await registryUnderTest({ observer })
    const upload = await startUpload(test)
    const content = 'before the restart, after the restart'
    using client = await open(test)
    client.socket.write(`PATCH ${upload} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n${content.slice(0, 18)}`)
    await until(() => started() === 2)
    await sleep(200)
    await test.registry.close({ grace: 20 })
    await using again = await registryUnderTest({ root: test.root })
    await until(async () => (await again.fetch(upload)).headers.get('range') === '0-17')
    const response = await again.fetch(`${upload}?digest=${digestOf(content)}`, { method: 'PUT', body: content.slice(18) })
    assert.equal(response.status, 201)
    assert.equal(await (await again.fetch(`/v2/a/blobs/${digestOf(content)}`)).text(), content)
  })
})
