import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { internal, invalidArgument, notFound } from '#errors'
import { fakeImage, IMAGE_ID } from '../testing/fake-services.ts'
import { startServer } from '../testing/harness.ts'

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
