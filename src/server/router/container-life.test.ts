import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import type { WaitResult } from '#containers'
import { conflict, EngineError } from '#errors'
import { CONTAINER_ID } from '../testing/fake-services.ts'
import { readAll, startServer } from '../testing/harness.ts'

const head = (line: string): string => `${line} HTTP/1.1\r\nHost: x\r\n\r\n`

test('wait sends its headers at once and the exit code when it is there', async () => {
  const { promise, resolve } = Promise.withResolvers<WaitResult>()
  await using server = await startServer({ containers: { wait: async () => ({ result: promise }) } })
  const client = server.connect()
  client.write(head('POST /v1.44/containers/web/wait?condition=next-exit'))
  assert.match(await readAll(client, (text) => text.endsWith('\r\n\r\n')), /^HTTP\/1\.1 200 OK\r\n/)
  resolve({ exitCode: 3, error: 'oops' })
  const rest = await readAll(client, (text) => text.endsWith('0\r\n\r\n'))
  assert.ok(rest.includes('{"StatusCode":3,"Error":{"Message":"oops"}}'))
})

test('wait refuses conditions that do not exist', async () => {
  await using server = await startServer()
  const answer = await server.request('POST', '/containers/web/wait?condition=soon')
  assert.deepEqual([answer.status, answer.json()], [400, { message: 'invalid condition: "soon"' }])
})

test('a client that goes away aborts what it waited for', async () => {
  for (const leave of ['destroy', 'end'] as const) {
    const { promise, resolve } = Promise.withResolvers<AbortSignal>()
    await using server = await startServer({
      containers: {
        wait: async (_ref, _condition, signal) => {
          assert.ok(signal)
          resolve(signal)
          return { result: new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))) }
        },
      },
    })
    const client = server.connect()
    client.write(head('POST /containers/web/wait'))
    const signal = await promise
    await readAll(client, (text) => text.endsWith('\r\n\r\n'))
    client[leave]()
    if (!signal.aborted) await once(signal, 'abort')
  }
})

test('a wait that is given up is no internal error', async () => {
  const failures: unknown[] = []
  await using server = await startServer(
    {
      containers: {
        wait: async (_ref, _condition, signal) => {
          assert.ok(signal)
          return { result: once(signal, 'abort').then(() => Promise.reject(new Error('AbortError'))) }
        },
      },
    },
    { onInternalError: (_request, error) => failures.push(error) },
  )
  const client = server.connect()
  client.write(head('POST /containers/web/wait'))
  await readAll(client, (text) => text.endsWith('\r\n\r\n'))
  const ended = readAll(client)
  client.end()
  await ended
  assert.deepEqual(failures, [])
})

test('stop and restart take the signal since 1.42', async () => {
  const asked: unknown[] = []
  const record = async (_ref: string, options: object): Promise<void> => void asked.push(options)
  await using server = await startServer({ containers: { stop: record, restart: record } })
  assert.equal((await server.request('POST', '/containers/web/stop?t=5&signal=SIGINT')).status, 204)
  await server.request('POST', '/v1.41/containers/web/restart?t=-1&signal=SIGINT')
  await server.request('POST', '/containers/web/restart')
  assert.deepEqual(asked, [{ timeout: 5, signal: 'SIGINT' }, { timeout: -1 }, {}])
})

test('a container that runs already is answered with 304', async () => {
  await using server = await startServer({
    containers: {
      start: async () => {
        throw new EngineError('NOT_MODIFIED', 'container already started')
      },
    },
  })
  const answer = await server.request('POST', '/containers/web/start')
  assert.deepEqual([answer.status, answer.text], [304, ''])
})

test('start refuses a body', async () => {
  await using server = await startServer({ containers: { start: async () => {} } })
  assert.equal((await server.request('POST', '/containers/web/start', { body: '{}' })).status, 204)
  assert.equal((await server.request('POST', '/containers/web/start', { body: { Binds: [] } })).status, 400)
})

test('kill says whom it could not kill', async () => {
  await using server = await startServer({
    containers: {
      kill: async () => {
        throw conflict(`container ${CONTAINER_ID} is not running`)
      },
    },
  })
  const answer = await server.request('POST', '/containers/web/kill?signal=TERM')
  assert.equal(answer.status, 409)
  assert.deepEqual(answer.json(), { message: `cannot kill container: web: container ${CONTAINER_ID} is not running` })
})
