import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hostAt, startServer } from './testing/fake-server.ts'
import { remotesAt } from './testing/remotes-at.ts'
import type { Credentials } from './types.ts'

const USER: Credentials = { username: 'me', password: 'secret' }

async function loggedIn(url: string, server = 'registry.example', credentials = USER): Promise<{ status: string; identityToken: string }> {
  await using remotes = remotesAt([hostAt('http://127.0.0.1:1'), hostAt(url)])
  return await remotes.login(server, credentials, { userAgent: 'Docker-Client/28 (linux)' })
}

describe('login', () => {
  it('asks the registry itself, never a mirror, and tells it who asks', async () => {
    await using server = await startServer((_, response) => void response.end())
    assert.deepEqual(await loggedIn(server.url), { status: 'Login Succeeded', identityToken: '' })
    assert.equal(server.seen[0]?.headers['user-agent'], 'gantry/test UpstreamClient(Docker-Client/28 \\(linux\\))')
  })

  it('brings back the identity token of a token server', async () => {
    await using auth = await startServer((_, response) => void response.end('{"token":"T","refresh_token":"R"}'))
    await using server = await startServer((request, response) => {
      const known = request.headers.authorization === 'Bearer T'
      response.writeHead(known ? 200 : 401, known ? {} : { 'www-authenticate': `Bearer realm="${auth.url}/",service="s"` }).end()
    })
    assert.deepEqual(await loggedIn(server.url), { status: 'Login Succeeded', identityToken: 'R' })
    assert.deepEqual(auth.lines(), ['GET /?service=s&offline_token=true&client_id=docker&account=me'])
  })

  it('says what Docker says of wrong passwords', async () => {
    await using server = await startServer((_, response) => void response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end())
    await assert.rejects(loggedIn(server.url), {
      code: 'UNAUTHORIZED',
      message: `login attempt to ${server.url}/v2/ failed with status: 401 Unauthorized`,
    })
    await using auth = await startServer((_, response) => void response.writeHead(401).end('{"details":"incorrect username or password"}'))
    await using bearer = await startServer(
      (_, response) => void response.writeHead(401, { 'www-authenticate': `Bearer realm="${auth.url}/"` }).end(),
    )
    await assert.rejects(loggedIn(bearer.url), {
      code: 'UNAUTHORIZED',
      message: `Get "${bearer.url}/v2/": unauthorized: incorrect username or password`,
    })
  })

  it('refuses an address that is none', async () => {
    await assert.rejects(loggedIn('http://127.0.0.1:1', 'ftp://registry'), {
      code: 'INVALID_ARGUMENT',
      message: 'invalid server address "ftp://registry": unsupported URL scheme "ftp": must be "http" or "https"',
    })
  })

  it('says that the registry cannot be reached', async () => {
    await assert.rejects(loggedIn('http://127.0.0.1:1'), { code: 'UNAVAILABLE', message: /^Get "http:\/\/127\.0\.0\.1:1\/v2\/": dial tcp/ })
  })
})
