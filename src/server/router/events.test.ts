import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import type { EngineEvent } from '#events'
import { readAll, startServer } from '../testing/harness.ts'

const head = (line: string): string => `${line} HTTP/1.1\r\nHost: x\r\n\r\n`

test('events come in the media type and with the fields of the version', async () => {
  const event = (type: 'image' | 'container', action: string): EngineEvent => ({
    type,
    action,
    actor: { id: 'x', attributes: {} },
    timeNano: 5n,
  })
  const asked: unknown[] = []
  await using server = await startServer({
    events: {
      subscribe: async function* ({ since, until, filters }) {
        asked.push({ since, until, filters })
        yield event('image', 'create')
        yield event('container', 'start')
      },
    },
  })
  const type = async (path: string, accept = ''): Promise<[string | undefined, number]> => {
    const { headers, text } = await server.request('GET', path, { headers: { Accept: accept } })
    return [headers['content-type'], text.split('\n').length - 1]
  }
  assert.deepEqual(await type('/v1.45/events'), ['application/json', 1])
  assert.deepEqual(await type('/v1.46/events'), ['application/json', 2])
  assert.deepEqual(await type('/v1.52/events'), ['application/jsonl', 2])
  assert.deepEqual(await type('/events', 'text/html, application/x-ndjson;q=0.9'), ['application/x-ndjson', 2])
  const sequence = await server.request('GET', '/events?since=1&until=2&filters={"type":["image"]}', {
    headers: { Accept: 'application/json-seq' },
  })
  assert.ok(sequence.text.startsWith('\x1e{'))
  assert.deepEqual(asked.at(-1), { filters: { type: ['image'] }, since: 1_000_000_000n, until: 2_000_000_000n })
  assert.equal((await server.request('GET', '/events?since=2&until=1')).status, 400)
  assert.equal((await server.request('GET', '/events?filters={"tpye":["image"]}')).status, 400)
})

test('events end when the server closes', async () => {
  const server = await startServer({
    events: {
      subscribe: async function* ({ signal }) {
        assert.ok(signal)
        yield { type: 'container', action: 'start', actor: { id: 'x', attributes: {} }, timeNano: 5n }
        await once(signal, 'abort')
      },
    },
  })
  const client = server.connect()
  client.write(head('GET /events'))
  await readAll(client, (text) => text.includes('"start"'))
  const rest = readAll(client)
  await server[Symbol.asyncDispose]()
  await rest
})
