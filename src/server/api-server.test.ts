import assert from 'node:assert/strict'
import { test } from 'node:test'
import { conflict, EngineError, internal, type ErrorCode } from '#errors'
import { createApiServer } from './api-server.ts'
import { MAX_JSON_BODY } from './decode/json-body.ts'
import { HTTP_STATUS } from './http-status.ts'
import { fakeContainer, fakeDeps, fakeSummary, knowsContainer } from './testing/fake-services.ts'
import { readAll, startServer } from './testing/harness.ts'

test('every answer has the headers that clients negotiate with', async () => {
  await using server = await startServer({ containers: { get: knowsContainer(fakeContainer()) } })
  for (const path of ['/_ping', '/nothing', '/v1.99/_ping', '/containers/nope/json']) {
    const { headers } = await server.request('GET', path)
    assert.equal(headers['api-version'], '1.55', path)
    assert.equal(headers['ostype'], 'linux')
    assert.equal(headers['server'], 'Docker/0.1.0 (linux)')
    assert.equal(headers['docker-experimental'], 'false')
  }
})

test('ping answers HEAD and GET, with and without version', async () => {
  await using server = await startServer()
  const get = await server.request('GET', '/v1.40/_ping')
  assert.equal(get.text, 'OK')
  assert.equal(get.headers['builder-version'], '2')
  assert.equal(get.headers['swarm'], 'inactive')
  assert.equal(get.headers['cache-control'], 'no-cache, no-store, must-revalidate')
  assert.equal(get.headers['pragma'], 'no-cache')
  const head = await server.request('HEAD', '/_ping')
  assert.equal(head.status, 200)
  assert.equal(head.headers['content-length'], '0')
})

test('OPTIONS answers 200 with nothing on any path', async () => {
  await using server = await startServer()
  const answer = await server.request('OPTIONS', '/anything/at/all')
  assert.equal(answer.status, 200)
  assert.equal(answer.text, '')
})

test('errors have the status of their code and a message', async () => {
  let error: Error = conflict('in use')
  const failures: string[] = []
  await using server = await startServer(
    { containers: { start: async () => Promise.reject(error) } },
    { onInternalError: (request) => failures.push(request) },
  )
  for (const code of Object.keys(HTTP_STATUS) as ErrorCode[]) {
    error = new EngineError(code, `because ${code}`)
    const answer = await server.request('POST', '/containers/web/start')
    assert.equal(answer.status, HTTP_STATUS[code], code)
    if (answer.status === 304) assert.equal(answer.text, '')
    else assert.deepEqual(answer.json(), { message: `because ${code}` })
  }
  failures.length = 0
  error = new TypeError('a defect')
  assert.equal((await server.request('POST', '/containers/web/start')).status, 500)
  error = internal('broken')
  await server.request('POST', '/v1.44/containers/web/start?detachKeys=secret')
  error = conflict('no')
  await server.request('POST', '/containers/web/start')
  assert.deepEqual(failures, ['POST /containers/web/start', 'POST /v1.44/containers/web/start'])
})

test('a body must say that it is JSON', async () => {
  await using server = await startServer({ containers: { create: async () => ({ id: 'x', warnings: [] }) } })
  const answer = await server.request('POST', '/containers/create', { body: '{}', headers: { 'Content-Type': 'text/plain' } })
  assert.equal(answer.status, 400)
  assert.deepEqual(answer.json(), { message: "unsupported Content-Type header (text/plain): must be 'application/json'" })
})

test('Upgrade is declined by a plain answer where nothing is hijacked', async () => {
  await using server = await startServer({ containers: { list: async () => [fakeSummary()] } })
  const client = server.connect()
  client.write('GET /containers/json HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n')
  assert.match(await readAll(client, (text) => text.includes('"Id"')), /^HTTP\/1\.1 200 OK\r\n/)
})

test('a client that closes its sending side still gets its answer', async () => {
  await using server = await startServer()
  const client = server.connect()
  client.end('GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n')
  assert.ok((await readAll(client)).endsWith('OK'))
})

test('what is no HTTP is answered with 400 and an end', async () => {
  await using server = await startServer()
  const client = server.connect()
  client.write('PRIVATE * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  assert.match(await readAll(client), /^HTTP\/1\.1 400 Bad Request\r\n/)
})

test('minApiVersion is checked and enforced', async () => {
  await using server = await startServer({}, { minApiVersion: '1.44' })
  assert.equal((await server.request('GET', '/v1.43/_ping')).status, 400)
  assert.equal((await server.request('GET', '/v1.44/_ping')).status, 200)
  assert.throws(() => createApiServer(fakeDeps({}, { minApiVersion: '1.12' })), {
    message: 'invalid minimum API version (1.12): must be between 1.24 and 1.55',
  })
})

test('version adds the API versions to what the backend knows', async () => {
  const known = {
    Platform: { Name: 'Gantry' },
    Components: [],
    Version: '0.1.0',
    GitCommit: '',
    GoVersion: '',
    Os: 'linux',
    Arch: 'amd64',
    KernelVersion: '6',
    BuildTime: '',
  }
  await using server = await startServer({ system: { version: async () => known } })
  assert.deepEqual((await server.request('GET', '/version')).json(), { ...known, ApiVersion: '1.55', MinAPIVersion: '1.24' })
})

test('close does not wait for connections that are kept alive', async () => {
  const server = await startServer()
  const client = server.connect()
  client.write('GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n')
  await readAll(client, (text) => text.endsWith('OK'))
  const ended = readAll(client)
  await server.api.close({ grace: 60_000 })
  await ended
  await server[Symbol.asyncDispose]()
})

test('a body that is too large is refused in words, not by a reset', async () => {
  await using server = await startServer()
  const body = { Image: 'x', Labels: { large: 'x'.repeat(MAX_JSON_BODY) } }
  const answer = await server.request('POST', '/containers/create', { body })
  assert.equal(answer.status, 400)
  assert.deepEqual(answer.json(), { message: 'http: request body too large' })
})
