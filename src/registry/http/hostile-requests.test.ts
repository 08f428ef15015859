import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { digestOf, MEDIA_TYPES } from '#oci'
import { createCollector } from '../gc/collector.ts'
import { OWN_STORAGE } from '../gc/collection-lock.ts'
import { imageManifest, registryUnderTest, type RegistryUnderTest } from '../testing/registry-under-test.ts'

/** Sends a request line as it is: `fetch` would tidy the path up. Gives the status. */
async function statusOf({ port }: RegistryUnderTest, line: string, headers: string[] = [], body = ''): Promise<number> {
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')))
  socket.write([`${line} HTTP/1.1`, 'Host: x', 'Connection: close', ...headers, '', body].join('\r\n'))
  await once(socket, 'close')
  return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])
}

async function startUpload(test: RegistryUnderTest): Promise<string> {
  return (await test.fetch('/v2/a/blobs/uploads/', { method: 'POST' })).headers.get('location') ?? assert.fail()
}

describe('createRegistry: paths that lead elsewhere', () => {
  const HEX = 'a'.repeat(64)
  const PATHS: [line: string, status: number][] = [
    ['GET /v2/../../etc/passwd', 404],
    ['GET /v2/../a/tags/list', 400],
    ['GET /v2/a/../b/tags/list', 400],
    ['GET /v2/a/%2e%2e/b/tags/list', 400],
    ['GET /v2/a%2f..%2fb/tags/list', 400],
    ['GET /v2//a/tags/list', 400],
    ['GET /v2/a//b/tags/list', 400],
    ['GET /v2/a\\b/tags/list', 400],
    ['GET /v2/_blobs/tags/list', 400],
    ['GET /v2/a/_manifests/tags/list', 400],
    ['GET /v2/a%00/tags/list', 400],
    ['GET /v2/a%0d%0aX-Injected:%20yes/tags/list', 404],
    [`GET /v2/${'a'.repeat(256)}/tags/list`, 400],
    [`GET /v2/${'a/'.repeat(20_000)}tags/list`, 400],
    ['GET /v2/a/manifests/..', 404],
    ['GET /v2/a/manifests/%2e%2e%2f%2e%2e', 404],
    ['GET /v2/a/manifests/.hidden', 404],
    ['PUT /v2/a/manifests/-x', 400],
    [`GET /v2/a/manifests/sha256:${HEX}%2f..`, 404],
    ['GET /v2/a/blobs/sha256:../../../../etc/passwd', 404],
    [`GET /v2/a/blobs/sha256:${HEX.toUpperCase()}`, 400],
    [`GET /v2/a/blobs/sha256:${HEX}a`, 400],
    [`GET /v2/a/blobs/sha512:${HEX}${HEX}`, 400],
    ['PATCH /v2/a/blobs/uploads/..', 404],
    ['PATCH /v2/a/blobs/uploads/%2e%2e%2f%2e%2e%2fblobs', 404],
    ['DELETE /v2/a/blobs/uploads/.', 404],
    ['GET /v2/a/referrers/..', 400],
    ['GET /v2/constructor/blobs/__proto__', 400],
    ['TRACE /v2/', 405],
    ['POST /v2/_catalog', 405],
  ]
  it('are refused as what they are, and nothing is made', async () => {
    await using test = await registryUnderTest()
    for (const [line, status] of PATHS) assert.equal(await statusOf(test, line), status, line.slice(0, 100))
    assert.deepEqual(await Array.fromAsync(test.registry.repositories.names()), [])
    assert.deepEqual(test.errors, [])
  })
})

describe('createRegistry: uploads by clients that do not play fair', () => {
  it('a chunk with a range that is wrong in any way is refused, and the upload is as before', async () => {
    await using test = await registryUnderTest()
    const upload = await startUpload(test)
    await test.fetch(upload, { method: 'PATCH', body: '0123456789' })
    const CHUNKS: [range: string, length: string, body: string, status: number][] = [
      ['0-4', '5', 'again', 416],
      ['11-15', '5', 'ahead', 416],
      ['10-9', '0', '', 416],
      ['bytes 10-14/20', '5', 'units', 416],
      ['10-', '5', 'open.', 416],
      ['-5', '5', 'tail.', 416],
      ['1e1-14', '5', 'float', 416],
      ['10-14,15-19', '5', 'lists', 416],
      ['99999999999999999999-99999999999999999999', '1', 'x', 416],
      ['10-14', '4', 'less', 400],
      ['10-14', '6', 'longer', 400],
      ['10-14', '-5', 'minus', 400],
      ['10-14', '0x5', 'hexad', 400],
    ]
    for (const [range, length, body, status] of CHUNKS) {
      const headers = [`Content-Range: ${range}`, `Content-Length: ${length}`]
      assert.equal(await statusOf(test, `PATCH ${upload}`, headers, body), status, `${range} of ${length}`)
      assert.equal((await test.fetch(upload)).headers.get('range'), '0-9')
    }
    const both = ['Content-Length: 5', 'Transfer-Encoding: chunked']
    assert.equal(
      await statusOf(test, `PATCH ${upload}`, both, '5\r\nhello\r\n0\r\n\r\n'),
      400,
      'a request that two servers would cut differently',
    )
    const digest = digestOf('0123456789')
    assert.equal((await test.fetch(`${upload}?digest=${digest}`, { method: 'PUT' })).status, 201)
  })

  it('of several that send the same chunk at the same time one is taken', async () => {
    await using test = await registryUnderTest()
    const upload = await startUpload(test)
    const bodies = Array.from({ length: 8 }, (_, index) => String(index).repeat(1000))
    const headers = { 'Content-Range': '0-999' }
    const statuses = await Promise.all(bodies.map(async (body) => (await test.fetch(upload, { method: 'PATCH', body, headers })).status))
    assert.deepEqual(
      statuses.toSorted((a, b) => a - b),
      [202, ...Array.from({ length: 7 }, () => 416)],
    )
    const taken = bodies[statuses.indexOf(202)] ?? assert.fail()
    assert.equal((await test.fetch(`${upload}?digest=${digestOf(taken)}`, { method: 'PUT' })).status, 201)
  })

  it('pieces that come at the same time without a range are kept whole, one after the other', async () => {
    await using test = await registryUnderTest()
    const upload = await startUpload(test)
    const bodies = Array.from({ length: 6 }, (_, index) => String(index).repeat(100_000))
    await Promise.all(bodies.map((body) => test.fetch(upload, { method: 'PATCH', body })))
    const stored = await Array.fromAsync(await test.storage.uploads.read(upload.split('/').at(-1) ?? ''))
    const content = Buffer.concat(stored as Buffer[]).toString()
    assert.deepEqual(content.match(/(\d)\1*/g)?.toSorted(), bodies)
    // Nobody but one can close it.
    const digest = digestOf(content)
    const closed = await Promise.all(bodies.map(async () => (await test.fetch(`${upload}?digest=${digest}`, { method: 'PUT' })).status))
    assert.deepEqual(
      closed.toSorted((a, b) => a - b),
      [201, 404, 404, 404, 404, 404],
    )
  })

  it('an upload is not to be reached by way of another repository', async () => {
    await using test = await registryUnderTest()
    const upload = (await startUpload(test)).replace('/v2/a/', '/v2/b/')
    for (const method of ['GET', 'PATCH', 'DELETE']) assert.equal((await test.fetch(upload, { method })).status, 404, method)
    assert.equal((await test.fetch(`${upload}?digest=${digestOf('')}`, { method: 'PUT' })).status, 404)
  })
})

describe('createRegistry: a push that meets collections', () => {
  it('has all its blobs when it was taken, else is told which to send again', async () => {
    await using test = await registryUnderTest()
    const { storage, registry } = test
    const collector = createCollector({ storage, repositories: registry.repositories, keeper: registry.keeper, lock: OWN_STORAGE })
    const headers = { 'Content-Type': MEDIA_TYPES.ociManifest }
    for (let round = 0; round < 10; round++) {
      const config = `{"round":${round}}`
      const digest = await test.pushBlob('a', config)
      await sleep(2) // older than the collection, which spares nothing that is not touched during it
      const collected = collector.collect({ deleteUntagged: true, dryRun: false, grace: 0 })
      await sleep(round % 5)
      const pushed = await test.fetch(`/v2/a/manifests/t${round}`, { method: 'PUT', body: imageManifest(config), headers })
      await collected
      const blob = await test.fetch(`/v2/a/blobs/${digest}`)
      if (pushed.status === 201) assert.equal(await blob.text(), config, `round ${round}`)
      else {
        const { errors } = (await pushed.json()) as { errors: { code: string; detail: unknown }[] }
        assert.deepEqual(
          errors.map(({ code, detail }) => ({ code, detail })),
          [{ code: 'MANIFEST_BLOB_UNKNOWN', detail: { digest } }],
        )
        assert.equal(blob.status, 404)
      }
    }
  })
})
