import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createAgents } from '../transport/agents.ts'
import { createHttpTransport } from '../transport/http-transport.ts'
import type { HttpResponse } from '../transport/http-transport.ts'
import { startServer } from '../testing/fake-server.ts'
import { selfSigned } from '../testing/certificates.ts'
import { QUICK_LIMITS } from '../testing/remotes-at.ts'
import { sendFollowing } from './redirects.ts'
import type { RedirectableRequest } from './redirects.ts'

async function following(url: string, request: Partial<RedirectableRequest> = {}): Promise<HttpResponse> {
  using agents = createAgents()
  const transport = createHttpTransport({ agents, limits: QUICK_LIMITS })
  const tls = { skipVerify: true, ca: [], clients: [] }
  const response = await sendFollowing(transport, { method: 'GET', url: new URL(url), tls, ...request })
  response.discard()
  return response
}

const secrets = { authorization: 'Basic c2VjcmV0', 'x-key': 'k' }

describe('sendFollowing', () => {
  it('keeps secrets from other hosts and ports, and from a host that is come back to by them only what it may have', async () => {
    await using elsewhere = await startServer((_, response) => void response.end())
    await using server = await startServer((request, response) => {
      const location = request.url === '/' ? '/again' : `${elsewhere.url}/there`
      response.writeHead(302, { location }).end()
    })
    await following(server.url, { secrets, headers: { range: 'bytes=1-' } })
    assert.deepEqual(
      server.seen.map(({ headers }) => [headers.authorization, headers['x-key'], headers.range]),
      [
        ['Basic c2VjcmV0', 'k', 'bytes=1-'],
        ['Basic c2VjcmV0', 'k', 'bytes=1-'],
      ],
    )
    assert.deepEqual(
      elsewhere.seen.map(({ headers }) => [headers.authorization, headers['x-key'], headers.range]),
      [[undefined, undefined, 'bytes=1-']],
    )
  })

  it('refuses to go from TLS to plain HTTP', async () => {
    await using plain = await startServer((_, response) => void response.end())
    await using server = await startServer((_, response) => void response.writeHead(302, { location: plain.url }).end(), selfSigned())
    await assert.rejects(following(server.url), { message: `Get "${server.url}/": redirect from https to ${plain.url} refused` })
    assert.deepEqual(plain.lines(), [])
  })

  it('refuses other protocols, addresses that are none, and circles', async () => {
    let location = 'file:///etc/passwd'
    await using server = await startServer((_, response) => void response.writeHead(302, { location }).end())
    await assert.rejects(following(server.url), { message: /unsupported protocol scheme "file"$/ })
    location = 'http://['
    await assert.rejects(following(server.url), { message: /failed to parse Location header/ })
    location = '/'
    await assert.rejects(following(server.url), { message: /stopped after 10 redirects$/ })
  })

  it('repeats a request with a body only where that was meant', async () => {
    let status = 307
    await using server = await startServer((request, response) => {
      if (request.url === '/') response.writeHead(status, { location: '/there' })
      response.end()
    })
    const body = Buffer.from('x')
    assert.equal((await following(server.url, { method: 'POST', body })).status, 200)
    status = 302
    assert.equal((await following(server.url, { method: 'POST', body })).status, 302)
    assert.deepEqual(server.lines(), ['POST /', 'POST /there', 'POST /'])
  })
})
