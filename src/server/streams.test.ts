import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { encodeFrame } from '#api'
import type { StatsSample, WaitResult } from '#containers'
import { internal, invalidArgument, notFound } from '#errors'
import type { EngineEvent } from '#events'
import { CONTAINER_ID, fakeContainer, fakeImage, IMAGE_ID, knowsContainer } from './testing/fake-services.ts'
import { readAll, startServer } from './testing/harness.ts'

const head = (line: string): string => `${line} HTTP/1.1\r\nHost: x\r\n\r\n`
const STAT = { name: 'f', size: 3, mode: 0o644, mtime: '2026-01-01T00:00:00Z', linkTarget: '' }

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

test('logs are frames or raw bytes, by terminal and version', async () => {
  const options: unknown[] = []
  await using server = await startServer({
    containers: {
      logs: async (ref, asked) => {
        options.push(asked)
        const bytes = ref === 'tty' ? Buffer.from('raw\r\n') : encodeFrame('stdout', 'line\n')
        return { tty: ref === 'tty', stream: Readable.from([bytes]) as AsyncIterable<Buffer> }
      },
    },
  })
  const framed = await server.request('GET', '/v1.44/containers/web/logs?stdout=1&since=1.5&tail=10&timestamps=1')
  assert.equal(framed.headers['content-type'], 'application/vnd.docker.multiplexed-stream')
  assert.equal(framed.headers['transfer-encoding'], 'chunked')
  assert.equal(framed.text, encodeFrame('stdout', 'line\n').toString())
  const old = await server.request('GET', '/v1.41/containers/web/logs?stdout=1&tail=all')
  assert.equal(old.headers['content-type'], 'application/vnd.docker.raw-stream')
  const tty = await server.request('GET', '/containers/tty/logs?stderr=1&follow=1&details=1')
  assert.deepEqual([tty.headers['content-type'], tty.text], ['application/vnd.docker.raw-stream', 'raw\r\n'])
  const none = { follow: false, timestamps: false, details: false }
  assert.deepEqual(options, [
    { ...none, stdout: true, stderr: false, timestamps: true, since: 1_500_000_000n, tail: 10 },
    { ...none, stdout: true, stderr: false },
    { ...none, stdout: false, stderr: true, follow: true, details: true },
  ])
  const neither = await server.request('GET', '/containers/web/logs')
  assert.deepEqual([neither.status, neither.json()], [400, { message: 'Bad parameters: you must choose at least one stream' }])
})

test('logs stop being produced while nobody reads', async () => {
  let produced = 0
  await using server = await startServer({
    containers: {
      logs: async () => ({
        tty: true,
        stream: (async function* () {
          while (produced++ < 1000) yield Buffer.alloc(1_000_000)
        })(),
      }),
    },
  })
  const client = server.connect()
  client.pause()
  client.write(head('GET /containers/web/logs?stdout=1'))
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.ok(produced > 0 && produced < 20, `${produced} MB produced for a client that reads nothing`)
})

test('stats come as a stream, or as one object', async () => {
  const sample = {
    id: CONTAINER_ID,
    name: 'web',
    read: '2026-01-01T00:00:00Z',
    osType: 'linux',
    running: true,
    cgroupVersion: 2,
    pids: { current: 1, limit: 10 },
    cpu: {
      totalUsage: 9,
      perCpuUsage: [],
      kernel: 4,
      user: 5,
      systemUsage: 100,
      onlineCpus: 2,
      throttling: { periods: 0, throttledPeriods: 0, throttledTime: 0 },
    },
    memory: { usage: 7, maxUsage: 8, failcnt: 0, limit: 99, stats: { file: 1 } },
    blkio: { io_service_bytes_recursive: [{ major: 8, minor: 0, op: 'read', value: 1 }] },
    networks: {},
  } satisfies StatsSample
  const asked: unknown[] = []
  await using server = await startServer({
    containers: {
      get: knowsContainer(fakeContainer()),
      stats: async function* (_ref, options) {
        asked.push(options)
        yield { current: sample }
        yield { current: sample, previous: sample }
      },
    },
  })
  const stream = await server.request('GET', '/containers/web/stats')
  const lines = stream.text.trim().split('\n')
  assert.equal(lines.length, 2)
  const last = JSON.parse(lines[1] ?? '') as Record<string, any>
  assert.equal(last['name'], '/web')
  assert.deepEqual(last['memory_stats'], { usage: 7, stats: { file: 1 }, limit: 99 })
  assert.equal(last['precpu_stats'].cpu_usage.total_usage, 9)
  assert.deepEqual(last['blkio_stats'].io_service_bytes_recursive, [{ major: 8, minor: 0, op: 'read', value: 1 }])
  assert.equal(last['networks'], undefined)
  const single = await server.request('GET', '/containers/web/stats?stream=0&one-shot=1')
  assert.equal(single.headers['transfer-encoding'], undefined)
  assert.equal((single.json() as { preread: string }).preread, '0001-01-01T00:00:00Z')
  assert.deepEqual(asked, [
    { stream: true, oneShot: false },
    { stream: false, oneShot: true },
  ])
  assert.equal((await server.request('GET', '/containers/nope/stats')).status, 404)
})

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

test('archive gives the stat in a header, and the tar as it comes or compressed', async () => {
  const tar = Buffer.alloc(100_000, 'tar')
  await using server = await startServer({
    containers: { statPath: async () => STAT, readArchive: async () => ({ stat: STAT, tar: Readable.from([tar]) }) },
  })
  const statOf = (headers: Record<string, unknown>): unknown =>
    JSON.parse(Buffer.from(String(headers['x-docker-container-path-stat']), 'base64').toString())
  const stat = await server.request('HEAD', '/containers/web/archive?path=/f')
  assert.deepEqual([stat.status, statOf(stat.headers)], [200, STAT])
  const plain = await server.request('GET', '/containers/web/archive?path=/f')
  assert.equal(plain.text, tar.toString())
  assert.equal(plain.headers['content-type'], 'application/x-tar')
  assert.deepEqual(statOf(plain.headers), STAT)
  const client = server.connect()
  client.end('GET /containers/web/archive?path=/f HTTP/1.0\r\nAccept-Encoding: deflate;q=0, gzip\r\n\r\n')
  const answer = await readAll(client)
  assert.match(answer, /\r\nContent-Encoding: gzip\r\n/)
  assert.deepEqual(gunzipSync(Buffer.from(answer.slice(answer.indexOf('\r\n\r\n') + 4), 'latin1')), tar)
  const missing = await server.request('GET', '/containers/web/archive')
  assert.deepEqual([missing.status, missing.json()], [400, { message: 'bad parameter: path cannot be empty' }])
})

test('a stream that fails before its first byte gets a proper error, a later one a broken connection', async () => {
  let fail: 'early' | 'late' = 'early'
  await using server = await startServer({
    images: {
      save: () =>
        Readable.from(
          (async function* () {
            if (fail === 'early') throw notFound('No such image: nope')
            yield Buffer.alloc(10)
            throw internal('disk broken')
          })(),
        ),
    },
  })
  const early = await server.request('GET', '/images/nope/get')
  assert.deepEqual([early.status, early.json()], [404, { message: 'No such image: nope' }])
  fail = 'late'
  await assert.rejects(server.request('GET', '/images/nope/get'), { code: 'ECONNRESET' })
})

test('an upload is passed on as it comes, and broken off when the client leaves', async () => {
  const { promise: broken, resolve } = Promise.withResolvers<string>()
  let size = 0
  await using server = await startServer({
    containers: {
      writeArchive: async (_ref, path, tar) => {
        try {
          for await (const chunk of tar) size += (chunk as Buffer).length
        } catch (error) {
          resolve(String((error as NodeJS.ErrnoException).code))
          throw error
        }
        assert.equal(path, '/tmp')
      },
    },
  })
  const answer = await server.request('PUT', '/containers/web/archive?path=/tmp', { body: Buffer.alloc(5_000_000) })
  assert.deepEqual([answer.status, size], [200, 5_000_000])
  const client = server.connect()
  client.write('PUT /containers/web/archive?path=/tmp HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf')
  await new Promise((done) => setTimeout(done, 10))
  client.destroy()
  assert.equal(await broken, 'ECONNRESET')
})

test('load reports in a chunked stream and puts late errors inside', async () => {
  let fail = false
  await using server = await startServer({
    images: {
      load: async (archive, { report, quiet }) => {
        await archive.resume().toArray()
        if (fail) throw invalidArgument('unexpected EOF')
        report({ id: 'abc', status: 'Loading layer', progress: { current: 1, total: 2 } })
        report({ stream: `Loaded image: x ${quiet}\n` })
        throw invalidArgument('second image broken')
      },
    },
  })
  const late = await server.request('POST', '/images/load?quiet=0', { body: 'tar', headers: { 'Content-Type': 'application/x-tar' } })
  assert.equal(late.status, 200)
  assert.equal(late.headers['transfer-encoding'], 'chunked')
  assert.deepEqual(
    late.text.split('\r\n').map((line) => (line === '' ? '' : (JSON.parse(line) as unknown))),
    [
      { id: 'abc', status: 'Loading layer', progressDetail: { current: 1, total: 2 } },
      { stream: 'Loaded image: x false\n' },
      { errorDetail: { message: 'second image broken' }, error: 'second image broken' },
      '',
    ],
  )
  fail = true
  const early = await server.request('POST', '/images/load', { body: 'tar', headers: { 'Content-Type': 'application/x-tar' } })
  assert.deepEqual([early.status, early.json()], [400, { message: 'unexpected EOF' }])
})

test('import answers with the id, pull is refused by name', async () => {
  await using server = await startServer({
    images: {
      import: async (tar, { repo, tag, message, changes }) => {
        assert.deepEqual([repo, tag, message, changes], ['base', '1', 'Imported from -', ['CMD a', 'ENV b=c']])
        await tar.resume().toArray()
        return fakeImage()
      },
    },
  })
  const answer = await server.request('POST', '/images/create?fromSrc=-&repo=base&tag=1&changes=CMD%20a&changes=ENV%20b=c', { body: 'tar' })
  assert.equal(answer.text, `{"status":"${IMAGE_ID}"}\r\n`)
  const pull = await server.request('POST', '/images/create?fromImage=alpine')
  assert.equal(pull.status, 501)
  assert.match(pull.text, /pulling images .*alpine/)
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
