import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createTokenCache } from '../auth/token-cache.ts'
import { selfSigned } from '../testing/certificates.ts'
import { hostAt, startServer } from '../testing/fake-server.ts'
import { QUICK_LIMITS } from '../testing/remotes-at.ts'
import { createAgents } from '../transport/agents.ts'
import { createHttpTransport } from '../transport/http-transport.ts'
import type { RegistryHost } from '../types.ts'
import { createRegistrySession } from './registry-session.ts'

/** Status of one request through a session of its own. */
async function sent(host: RegistryHost): Promise<number> {
  using agents = createAgents()
  const transport = createHttpTransport({ agents, limits: QUICK_LIMITS })
  const session = createRegistrySession({ transport, tokens: createTokenCache(), host, credentials: {}, headers: {} })
  const response = await session.send({ method: 'GET', path: '/a/tags/list', scopes: [] })
  response.discard()
  return response.status
}

const INSECURE = { plainFallback: true, tls: { skipVerify: true, ca: [], clients: [] } }

describe('RegistrySession', () => {
  it('tries plain HTTP for an insecure registry that speaks no TLS, and stays with it', async () => {
    await using server = await startServer((_, response) => void response.end())
    assert.equal(await sent(hostAt(`https://${server.domain}`, INSECURE)), 200)
    assert.deepEqual(server.lines(), ['GET /v2/', 'GET /v2/a/tags/list'])
  })

  it('stays with TLS where there is some, whoever signed the certificate', async () => {
    await using server = await startServer((_, response) => void response.end(), selfSigned())
    assert.equal(await sent(hostAt(server.url, INSECURE)), 200)
  })

  it('does not try plain HTTP for any other registry', async () => {
    await using server = await startServer((_, response) => void response.end())
    await assert.rejects(sent(hostAt(`https://${server.domain}`)), { message: /http: server gave HTTP response to HTTPS client$/ })
    assert.deepEqual(server.lines(), [])
  })

  it('tells what went wrong with plain HTTP when neither works', async () => {
    await assert.rejects(sent(hostAt('https://127.0.0.1:1', INSECURE)), { message: /^Get "http:\/\/127\.0\.0\.1:1\/v2\/": dial tcp/ })
  })

  it('does not mind the status of the ping', async () => {
    await using server = await startServer((request, response) => void response.writeHead(request.url === '/v2/' ? 500 : 200).end())
    assert.equal(await sent(hostAt(server.url)), 200)
  })

  it('sends the headers of the host with each request', async () => {
    await using server = await startServer((_, response) => void response.end())
    await sent(hostAt(server.url, { headers: { 'x-key': ['a', 'b'] } }))
    assert.deepEqual(
      server.seen.map(({ headers }) => headers['x-key']),
      ['a, b', 'a, b'],
    )
  })
})
