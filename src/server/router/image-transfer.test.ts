import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { EngineError, internal, invalidArgument, notFound } from '#errors'
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

test('import answers with the id, passes on the progress of a download, and keeps no password', async () => {
  await using server = await startServer({
    images: {
      import: async (tar, { repo, tag, message, changes }) => {
        assert.deepEqual([repo, tag, message, changes], ['base', '1', 'Imported from -', ['CMD a', 'ENV b=c']])
        await tar.resume().toArray()
        return fakeImage()
      },
      importFrom: async (url, { message, report }) => {
        assert.deepEqual([url, message], ['http://me:secret@example.org/a.tar', 'Imported from http://me:xxxxx@example.org/a.tar'])
        report?.({ status: 'Importing', progress: { current: 1, total: 2 } })
        return fakeImage()
      },
    },
  })
  const answer = await server.request('POST', '/images/create?fromSrc=-&repo=base&tag=1&changes=CMD%20a&changes=ENV%20b=c', { body: 'tar' })
  assert.equal(answer.text, `{"status":"${IMAGE_ID}"}\r\n`)
  const download = await server.request('POST', '/images/create?fromSrc=http://me:secret@example.org/a.tar')
  assert.equal(download.text, `{"status":"Importing","progressDetail":{"current":1,"total":2}}\r\n{"status":"${IMAGE_ID}"}\r\n`)
})

const AUTH = Buffer.from('{"username":"me","password":"secret"}').toString('base64url')
const DIGEST = `sha256:${'ab'.repeat(32)}`

test('pull hands over name, platform, credentials and headers', async () => {
  const asked: unknown[] = []
  await using server = await startServer({
    images: {
      pull: ({ reference, platform, credentials, headers, report }) => {
        asked.push([reference, platform, credentials, headers])
        report({ id: 'latest', status: 'Pulling from library/alpine' })
        return Promise.resolve()
      },
    },
  })
  const alpine = { domain: 'docker.io', path: 'library/alpine' }
  const answer = await server.request('POST', '/images/create?fromImage=alpine&tag=3&platform=linux/arm64', {
    headers: { 'X-Registry-Auth': AUTH, 'X-Meta-Team': 'blue', 'X-Other': 'x' },
  })
  assert.deepEqual([answer.status, answer.text], [200, '{"id":"latest","status":"Pulling from library/alpine"}\r\n'])
  await server.request('POST', `/images/create?fromImage=alpine&tag=${DIGEST}`, { headers: { 'X-Registry-Auth': 'nonsense' } })
  await server.request('POST', '/images/create?fromImage=alpine:')
  assert.deepEqual(asked, [
    [{ ...alpine, tag: '3' }, 'linux/arm64', { username: 'me', password: 'secret' }, { 'x-meta-team': 'blue' }],
    [{ ...alpine, digest: DIGEST }, undefined, undefined, {}],
    [alpine, undefined, undefined, {}],
  ])
})

test('pull fails with a status before its first message, and in the stream after it', async () => {
  let late = false
  await using server = await startServer({
    images: {
      pull: ({ report }) => {
        if (late) report({ status: 'Pulling' })
        return Promise.reject(notFound('manifest for alpine:nope not found: manifest unknown: manifest unknown'))
      },
    },
  })
  const early = await server.request('POST', '/images/create?fromImage=alpine&tag=nope')
  assert.deepEqual(
    [early.status, early.json()],
    [404, { message: 'manifest for alpine:nope not found: manifest unknown: manifest unknown' }],
  )
  late = true
  const { status, text } = await server.request('POST', '/images/create?fromImage=alpine&tag=nope')
  assert.equal(status, 200)
  assert.match(text, /"errorDetail":\{"message":"manifest for alpine:nope not found/)
  assert.equal((await server.request('POST', '/images/create?fromImage=scratch')).status, 403)
  assert.equal((await server.request('POST', '/images/create?fromImage=Alpine')).status, 400)
})

test('a pull that needs a login is answered with 500, as dockerd does: 401 makes the docker CLI wait for a password', async () => {
  await using server = await startServer({
    images: { pull: () => Promise.reject(new EngineError('UNAUTHORIZED', 'Get "https://r/v2/": no basic auth credentials')) },
  })
  const answer = await server.request('POST', '/images/create?fromImage=r:5000/a')
  assert.deepEqual([answer.status, answer.json()], [500, { message: 'Get "https://r/v2/": no basic auth credentials' }])
})

test('a client that does not read is spared the bytes so far, and told what is done', async () => {
  const MESSAGES = 100_000
  await using server = await startServer({
    images: {
      pull: ({ report }) => {
        for (let current = 1; current <= MESSAGES; current++)
          report({ id: 'abc', status: 'Downloading', progress: { current, total: MESSAGES } })
        report({ id: 'abc', status: 'Pull complete' })
        return Promise.resolve()
      },
    },
  })
  const lines = (await server.request('POST', '/images/create?fromImage=a')).text.trim().split('\r\n')
  assert.ok(lines.length < MESSAGES / 10, `${lines.length} lines`)
  assert.equal(lines.at(-1), '{"id":"abc","status":"Pull complete"}')
})

test('push takes the tag from the query, or else pushes what the name says', async () => {
  const asked: unknown[] = []
  await using server = await startServer({
    images: {
      push: ({ reference, platform, credentials }) => {
        asked.push([reference.tag, platform, credentials?.username])
        return Promise.resolve()
      },
    },
  })
  const platform = { os: 'linux', architecture: 'arm64' }
  const query = encodeURIComponent(JSON.stringify(platform))
  const headers = { 'X-Registry-Auth': AUTH }
  for (const path of [
    '/images/r:5000/app/push?tag=1',
    '/images/r:5000/app/push',
    '/images/r:5000/app:2/push',
    `/v1.46/images/r:5000/app/push?tag=1&platform=${query}`,
    `/v1.45/images/r:5000/app/push?tag=1&platform=${query}`,
  ])
    assert.equal((await server.request('POST', path, { headers })).status, 200)
  assert.deepEqual(asked, [
    ['1', undefined, 'me'],
    [undefined, undefined, 'me'],
    ['2', undefined, 'me'],
    ['1', platform, 'me'],
    ['1', undefined, 'me'],
  ])
})

test('several platforms are saved and loaded from API 1.52 on, one from 1.48 on', async () => {
  const asked: unknown[] = []
  await using server = await startServer({
    images: {
      save: (names, { platforms } = {}) => {
        asked.push([names, platforms?.map(({ architecture }) => architecture)])
        return Readable.from([])
      },
    },
  })
  const platform = (architecture: string): string => `platform=${encodeURIComponent(JSON.stringify({ os: 'linux', architecture }))}`
  for (const path of [
    `/v1.52/images/get?names=a&names=b&${platform('amd64')}&${platform('arm64')}`,
    `/v1.48/images/a/get?${platform('arm64')}`,
    `/v1.47/images/a/get?${platform('arm64')}`,
  ])
    assert.equal((await server.request('GET', path)).status, 200)
  assert.deepEqual(asked, [
    [
      ['a', 'b'],
      ['amd64', 'arm64'],
    ],
    [['a'], ['arm64']],
    [['a'], undefined],
  ])
  const several = await server.request('GET', `/v1.51/images/a/get?${platform('amd64')}&${platform('arm64')}`)
  assert.equal(several.status, 400)
  assert.match(several.text, /use API version 1\.52 or later/)
})
