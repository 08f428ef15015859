import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parseEndpoint } from './endpoint.ts'
import { createEngineClient, type EngineClient } from './engine-client.ts'
import { ConnectionError, DaemonError } from './errors.ts'
import { readJsonStream } from './json-stream.ts'

type Handler = (request: IncomingMessage & { text: string }, response: ServerResponse) => void

/** A server on a unix socket, the client of it, and the requests it saw. */
async function connect(
  handler: Handler,
  options: { fixedVersion?: string; headers?: Record<string, string> } = {},
): Promise<{ client: EngineClient; seen: string[]; sockets(): number } & AsyncDisposable> {
  const directory = await mkdtemp(join(tmpdir(), 'client-'))
  const path = join(directory, 'x.sock')
  const seen: string[] = []
  let sockets = 0
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', () => {
        seen.push(`${request.method} ${request.url}`)
        handler(Object.assign(request, { text: Buffer.concat(chunks).toString() }), response)
      })
  }).on('connection', () => sockets++)
  await new Promise<void>((resolve) => server.listen(path, resolve))
  const client = createEngineClient({ endpoint: parseEndpoint(`unix://${path}`), maxVersion: '1.55', userAgent: 'test', ...options })
  return {
    client,
    seen,
    sockets: () => sockets,
    async [Symbol.asyncDispose]() {
      client.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rm(directory, { recursive: true, force: true })
    },
  }
}

const pong: Handler = (request, response) => {
  response.setHeader('Api-Version', '1.44')
  if (request.url === '/_ping') response.end()
  else response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ got: request.text, method: request.method }))
}

describe('createEngineClient', () => {
  it('sends no header with a line end in it', async () => {
    await using server = await connect(pong, { headers: { 'X-Meta': 'a\r\nX-Other: b' } })
    await assert.rejects(server.client.call('GET', '/x'), /invalid header field value for "X-Meta"/)
    assert.deepEqual(server.seen, [])
  })

  it('asks for the version once and uses the lower one', async () => {
    await using server = await connect(pong)
    assert.deepEqual(
      await server.client.call('POST', '/x', { query: { a: true, b: ['1', '2'], c: undefined, d: { k: ['v'] } }, json: { y: 1 } }),
      {
        got: '{"y":1}',
        method: 'POST',
      },
    )
    await server.client.call('GET', '/y')
    assert.deepEqual(server.seen, ['HEAD /_ping', 'POST /v1.44/x?a=1&b=1&b=2&d=%7B%22k%22%3A%5B%22v%22%5D%7D', 'GET /v1.44/y'])
    assert.equal(server.sockets(), 1, 'requests one after the other share a connection')
  })

  it('asks again with GET when the daemon knows no HEAD', async () => {
    await using server = await connect((request, response) => {
      if (request.method === 'HEAD') response.writeHead(404).end()
      else pong(request, response)
    })
    assert.equal(await server.client.version(), '1.44')
    assert.deepEqual(server.seen, ['HEAD /_ping', 'GET /_ping'])
  })

  it('does not ask when the version is given', async () => {
    await using server = await connect(pong, { fixedVersion: '1.30' })
    await server.client.call('GET', '/y')
    assert.deepEqual(server.seen, ['GET /v1.30/y'])
  })

  it('sends extra headers with every request', async () => {
    const values: unknown[] = []
    await using server = await connect(
      (request, response) => {
        values.push(request.headers['x-meta'])
        pong(request, response)
      },
      { headers: { 'X-Meta': 'a' } },
    )
    await server.client.call('GET', '/y')
    assert.deepEqual(values, ['a', 'a'])
  })

  it('rejects with the text of the daemon, or the text of what stands before it', async () => {
    await using server = await connect((request, response) => {
      if (request.url === '/_ping') pong(request, response)
      else if (request.url?.includes('json') === true) response.writeHead(409).end('{"message":"in use"}')
      else response.writeHead(502).end('Bad Gateway\n')
    })
    await assert.rejects(
      server.client.call('GET', '/json'),
      (error: DaemonError) => error instanceof DaemonError && error.status === 409 && error.message === 'in use',
    )
    await assert.rejects(server.client.call('GET', '/x'), { status: 502, message: 'Bad Gateway' })
  })

  it("rejects with Docker's words when nobody listens", async () => {
    const client = createEngineClient({ endpoint: parseEndpoint('unix:///nonexistent/x.sock'), maxVersion: '1.55', userAgent: 'test' })
    await assert.rejects(client.call('GET', '/x'), (error: ConnectionError) => {
      assert.ok(error instanceof ConnectionError)
      assert.equal(error.message, 'Cannot connect to the Docker daemon at unix:///nonexistent/x.sock. Is the docker daemon running?')
      return true
    })
    client.close()
  })

  it('rejects when the answer breaks off', async () => {
    await using server = await connect((request, response) => {
      if (request.url === '/_ping') return pong(request, response)
      response.writeHead(200, { 'Content-Length': '100' })
      response.write('some')
      setTimeout(() => response.destroy(), 5)
    })
    await assert.rejects(server.client.call('GET', '/x'), ConnectionError)
  })

  it('streams an upload of unknown length', async () => {
    await using server = await connect(pong)
    const body = (async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('ab')
      yield Buffer.from('c')
    })()
    assert.partialDeepStrictEqual(await server.client.call('PUT', '/x', { body, contentType: 'application/x-tar' }), { got: 'abc' })
  })

  it('gives the documents of a stream one by one, characters cut in the middle included', async () => {
    await using server = await connect((request, response) => {
      if (request.url === '/_ping') return pong(request, response)
      const bytes = Buffer.from('{"a":"é"}\r\n{"a":2}')
      response.write(bytes.subarray(0, 7))
      setTimeout(() => response.end(bytes.subarray(7)), 5)
    })
    const values: unknown[] = []
    await readJsonStream((await server.client.open('GET', '/x')).body, (value) => values.push(value))
    assert.deepEqual(values, [{ a: 'é' }, { a: 2 }])
  })

  it('slows down for a sink that waits, and loses nothing', async () => {
    const size = 4 * 1024 * 1024
    await using server = await connect((request, response) => {
      if (request.url === '/_ping') pong(request, response)
      else response.end(Buffer.alloc(size, 'x'))
    })
    let total = 0
    let running = 0
    await (
      await server.client.open('GET', '/x')
    ).body.pipe(async (chunk) => {
      assert.equal(++running, 1, 'one chunk at a time')
      const { length } = chunk
      await new Promise((resolve) => setImmediate(resolve))
      total += length
      running--
    })
    assert.equal(total, size)
  })

  it('opens connections ahead without failing on a certificate that the first request will complain about', async () => {
    const endpoint = parseEndpoint('tcp://127.0.0.1:1', { cert: 'no certificate', key: 'no key', verify: true })
    const client = createEngineClient({ endpoint, maxVersion: '1.55', userAgent: 'test' })
    client.warm(2)
    await new Promise((resolve) => setImmediate(resolve))
    await assert.rejects(client.open('GET', '/x'), /PEM/)
    client.close()
  })
})
