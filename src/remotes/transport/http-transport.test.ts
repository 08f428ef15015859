import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { describe, it } from 'node:test'
import { readLimited } from '#lib'
import { selfSigned } from '../testing/certificates.ts'
import { startServer } from '../testing/fake-server.ts'
import { QUICK_LIMITS } from '../testing/remotes-at.ts'
import type { RemotesDeps, TransferLimits } from '../types.ts'
import { createAgents } from './agents.ts'
import { createHttpTransport } from './http-transport.ts'
import type { HttpRequest } from './http-transport.ts'

const TLS = { skipVerify: false, ca: [], clients: [] }

interface Options extends Partial<HttpRequest> {
  limits?: Partial<TransferLimits>
  proxies?: RemotesDeps['proxies']
}

/** Status and body of one request with pools of its own. */
async function sent(url: string, { limits, proxies, ...request }: Options = {}): Promise<string> {
  using agents = createAgents(proxies)
  const transport = createHttpTransport({ agents, limits: { ...QUICK_LIMITS, ...limits } })
  const response = await transport.send({ method: 'GET', url: new URL(url), tls: TLS, ...request })
  return `${response.statusLine}: ${(await readLimited(response.body, 1000)).toString()}`
}

/** A TCP server that speaks no HTTP of its own. */
async function rawServer(handler: (socket: Socket) => void): Promise<AsyncDisposable & { url: string; tlsUrl: string }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    handler(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const domain = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: `http://${domain}`,
    tlsUrl: `https://${domain}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

describe('HttpTransport', () => {
  it('says what Go says when nobody listens, or no such name is known', async () => {
    await assert.rejects(sent('http://127.0.0.1:1/v2/'), {
      name: 'NetworkError',
      message: 'Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
    })
    await assert.rejects(sent('https://no-such-name.invalid/v2/'), {
      message: /^Get "https:\/\/no-such-name\.invalid\/v2\/": dial tcp: lookup no-such-name\.invalid: /,
    })
  })

  it('says that a server of plain HTTP is no server of TLS', async () => {
    await using server = await startServer((_, response) => void response.end())
    await assert.rejects(sent(server.url.replace('http:', 'https:')), {
      message: `Get "https://${server.domain}/": http: server gave HTTP response to HTTPS client`,
      tls: true,
    })
  })

  it('trusts who it is told to trust, and nobody else', async () => {
    const { cert, key } = selfSigned()
    await using server = await startServer((_, response) => void response.end('secure'), { cert, key })
    await assert.rejects(sent(server.url), { message: /tls: failed to verify certificate: x509: certificate signed by unknown authority$/ })
    assert.equal(await sent(server.url, { tls: { ...TLS, ca: [cert] } }), '200 OK: secure')
    assert.equal(await sent(server.url, { tls: { ...TLS, skipVerify: true } }), '200 OK: secure')
    await assert.rejects(sent(server.url.replace('127.0.0.1', 'localhost'), { tls: { ...TLS, ca: [cert] } }), {
      message: /x509: .*localhost/,
    })
  })

  it('shows a client certificate', async () => {
    const { cert, key } = selfSigned()
    const tls = { cert, key, ca: cert, requestCert: true, rejectUnauthorized: true }
    await using server = await startServer((_, response) => void response.end('known'), tls)
    const clients = [{ cert: Buffer.concat([cert, key]), key: undefined }]
    assert.equal(await sent(server.url, { tls: { ...TLS, ca: [cert], clients } }), '200 OK: known')
    await assert.rejects(sent(server.url, { tls: { ...TLS, ca: [cert] } }), { name: 'NetworkError' })
  })

  it('limits the time for a response, and its head', async () => {
    await using silent = await rawServer(() => undefined)
    await assert.rejects(sent(silent.url, { limits: { response: 30 } }), { message: /net\/http: timeout awaiting response headers$/ })
    await assert.rejects(sent(silent.tlsUrl, { limits: { connect: 30 } }), { message: /dial tcp 127\.0\.0\.1:\d+: i\/o timeout$/ })
    await using endless = await rawServer((socket) => socket.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(70_000)}`))
    await assert.rejects(sent(endless.url), { message: /response headers exceeded the limit/ })
    await using odd = await rawServer((socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n'))
    await assert.rejects(sent(odd.url), { message: /malformed HTTP response/ })
  })

  it('tells a body that ends early from one that is whole', async () => {
    await using server = await rawServer((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf'))
    await assert.rejects(sent(server.url), { message: /: unexpected EOF$/, transient: true })
  })

  it('sends again what met the end of a kept connection', async () => {
    let connections = 0
    await using server = await rawServer((socket) => {
      connections++
      // Answers once and then, as an idle server may, ends the connection when the next request is on its way.
      let answered = false
      socket.on('data', () => {
        if (answered) return void socket.destroy()
        answered = true
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
      })
    })
    using agents = createAgents()
    const transport = createHttpTransport({ agents, limits: QUICK_LIMITS })
    for (let count = 0; count < 3; count++) {
      const response = await transport.send({ method: 'GET', url: new URL(server.url), tls: TLS })
      assert.equal((await readLimited(response.body, 10)).toString(), 'ok')
    }
    assert.equal(connections, 3)
  })

  it('gives up the connection of a body that nobody wants and that does not end', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    await using server = await startServer((_, response) => {
      const timer = setInterval(() => response.write('more'), 10)
      response.once('close', () => {
        clearInterval(timer)
        resolve()
      })
    })
    using agents = createAgents()
    const transport = createHttpTransport({ agents, limits: QUICK_LIMITS })
    const response = await transport.send({ method: 'GET', url: new URL(server.url), tls: TLS })
    response.discard()
    await promise
  })

  it('ends when it is cancelled', async () => {
    await using silent = await rawServer(() => undefined)
    const signal = AbortSignal.timeout(20)
    await assert.rejects(sent(silent.url, { signal }), { code: 'CANCELLED', message: 'context canceled' })
    await assert.rejects(sent(silent.url, { signal }), { code: 'CANCELLED' })
  })

  it('goes through a tunnel of a proxy to TLS, and checks who is at its end', async () => {
    const { cert, key } = selfSigned()
    await using server = await startServer((_, response) => void response.end('secure'), { cert, key })
    const tunnels: string[] = []
    await using proxy = await rawServer((socket) => {
      socket.once('data', (head) => {
        tunnels.push(head.toString().split('\r\n')[0] ?? '')
        const target = connect(Number(server.domain.split(':')[1]), '127.0.0.1')
        target.on('error', () => socket.destroy())
        socket.once('close', () => target.destroy())
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
        socket.pipe(target).pipe(socket)
      })
    })
    const proxies = { https: proxy.url }
    const url = 'https://registry.invalid/v2/'
    assert.equal(await sent(url, { proxies, tls: { ...TLS, skipVerify: true } }), '200 OK: secure')
    await assert.rejects(sent(url, { proxies }), { message: /certificate signed by unknown authority$/ })
    await assert.rejects(sent(url, { proxies, tls: { ...TLS, ca: [cert] } }), { message: /x509: .*registry\.invalid/ })
    assert.deepEqual(new Set(tunnels), new Set(['CONNECT registry.invalid:443 HTTP/1.1']))
  })

  it('goes through a proxy, except to this machine and where no-proxy says so', async () => {
    await using proxy = await startServer((request, response) => void response.end(`via proxy ${request.url}`))
    await using server = await startServer((_, response) => void response.end('direct'))
    const proxies = { http: proxy.url, no: 'direct.invalid' }
    assert.equal(await sent('http://registry.invalid/v2/', { proxies }), '200 OK: via proxy http://registry.invalid/v2/')
    assert.equal(await sent(server.url, { proxies }), '200 OK: direct')
    await assert.rejects(sent('http://direct.invalid/', { proxies }), { message: /lookup direct\.invalid/ })
  })
})
