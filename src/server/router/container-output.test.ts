import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { encodeFrame } from '#api'
import type { StatsSample } from '#containers'
import { CONTAINER_ID, fakeContainer, knowsContainer } from '../testing/fake-services.ts'
import { startServer } from '../testing/harness.ts'

const head = (line: string): string => `${line} HTTP/1.1\r\nHost: x\r\n\r\n`

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
  // Until it has begun and comes to a halt.
  let before: number
  do {
    before = produced
    await new Promise((resolve) => setTimeout(resolve, 100))
  } while (before === 0 || produced > before)
  assert.ok(produced < 20, `${produced} MB produced for a client that reads nothing`)
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
