import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { readAll, startServer } from '../testing/harness.ts'

const STAT = { name: 'f', size: 3, mode: 0o644, mtime: '2026-01-01T00:00:00Z', linkTarget: '' }

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
