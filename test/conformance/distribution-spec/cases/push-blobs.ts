import assert from 'node:assert/strict'
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { digestOf } from '#oci'
import { section, type Case } from '../case.ts'
import { assertRefused, withQuery, type Answer, type RegistryClient } from '../registry-client.ts'

const CONTENT = 'content of a layer'
const DIGEST = digestOf(CONTENT)
/** docker-registry says the second of an id that it has not made. */
const UNKNOWN_UPLOAD = ['BLOB_UPLOAD_UNKNOWN', 'BLOB_UPLOAD_INVALID']
const CHUNKS = ['first chunk ', 'second ', 'and last'] as const
const WHOLE = CHUNKS.join('')

async function assertStored(client: RegistryClient, name: string, content: string): Promise<void> {
  const answer = await client.send('GET', `/v2/${name}/blobs/${digestOf(content)}`)
  assert.equal(answer.status, 200)
  assert.equal(String(answer.body), content)
}

async function isStored(client: RegistryClient, name: string, digest: string): Promise<boolean> {
  return (await client.send('HEAD', `/v2/${name}/blobs/${digest}`)).status === 200
}

export const PUSH_BLOB_CASES: Case[] = [
  ...section('Pushing a blob monolithically: POST then PUT (end-4a, end-6)', {
    'POST answers 202 with a Location': async (client) => {
      const answer = await client.send('POST', `/v2/${client.newName()}/blobs/uploads/`)
      assert.equal(answer.status, 202)
      assert.ok(client.location(answer))
    },
    'PUT with the content answers 201 with the Location of the blob': async (client) => {
      const name = client.newName()
      const answer = await client.finish(await client.startUpload(name), DIGEST, CONTENT)
      assert.equal(answer.status, 201)
      assert.equal(String((await client.send('GET', client.location(answer))).body), CONTENT)
      await assertStored(client, name, CONTENT)
    },
    'PUT tells the digest': async (client) => {
      const answer = await client.finish(await client.startUpload(client.newName()), DIGEST, CONTENT)
      assert.equal(answer.headers['docker-content-digest'], DIGEST)
    },
    'PUT of content with another digest is refused, and nothing is stored': async (client) => {
      const name = client.newName()
      const answer = await client.finish(await client.startUpload(name), digestOf('other'), CONTENT)
      assertRefused(answer, 400, ['DIGEST_INVALID', 'BLOB_UPLOAD_INVALID'])
      assert.equal(await isStored(client, name, DIGEST), false)
      assert.equal(await isStored(client, name, digestOf('other')), false)
    },
    'PUT without a digest is refused': async (client) => {
      const answer = await client.send('PUT', await client.startUpload(client.newName()), { body: CONTENT })
      assertRefused(answer, 400, ['DIGEST_INVALID', 'BLOB_UPLOAD_INVALID'])
    },
    'PUT with a digest that is none is refused': async (client) => {
      const answer = await client.finish(await client.startUpload(client.newName()), 'sha256:nonsense', CONTENT)
      assertRefused(answer, 400, 'DIGEST_INVALID')
    },
    'PUT with an algorithm nobody knows is refused': async (client) => {
      const answer = await client.finish(await client.startUpload(client.newName()), `crc32:${'0'.repeat(64)}`, CONTENT)
      assertRefused(answer, 400, ['DIGEST_INVALID', 'UNSUPPORTED'])
    },
    'PUT takes an empty blob': async (client) => {
      const name = client.newName()
      assert.equal((await client.finish(await client.startUpload(name), digestOf(''))).status, 201)
      await assertStored(client, name, '')
    },
    'PUT of a blob that is there already answers 201': async (client) => {
      const name = client.newName()
      await client.pushBlob(name, CONTENT)
      await client.pushBlob(name, CONTENT)
      await assertStored(client, name, CONTENT)
    },
    'pushes of the same blob at the same time all succeed': async (client) => {
      const name = client.newName()
      const content = 'x'.repeat(200_000)
      await Promise.all(Array.from({ length: 4 }, () => client.pushBlob(name, content)))
      await assertStored(client, name, content)
    },
    'PUT to an unknown upload answers 404': async (client) => {
      const upload = new URL(`/v2/${client.newName()}/blobs/uploads/00000000-0000-4000-8000-000000000000`, client.base).href
      assertRefused(await client.finish(upload, DIGEST, CONTENT), 404, UNKNOWN_UPLOAD)
    },
    'PUT to the upload of another repository answers 404': async (client) => {
      const [mine, other] = [client.newName(), client.newName()]
      const upload = (await client.startUpload(mine)).replace(mine, other)
      assertRefused(await client.finish(upload, DIGEST, CONTENT), [400, 404], ['BLOB_UPLOAD_UNKNOWN', 'BLOB_UPLOAD_INVALID'])
    },
    'an upload ends with its blob': async (client) => {
      const upload = await client.startUpload(client.newName())
      await client.finish(upload, DIGEST, CONTENT)
      assertRefused(await client.send('GET', upload), 404, UNKNOWN_UPLOAD)
    },
    'POST to a name with capitals is refused': async (client) => {
      assertRefused(await client.send('POST', '/v2/Upper/Case/blobs/uploads/'), [400, 404], ['NAME_INVALID', 'NAME_UNKNOWN'])
    },
  }),

  ...section('Pushing a blob monolithically: single POST (end-4b)', {
    'POST with digest and content answers 201, or 202 for a registry that wants a PUT': async (client) => {
      const name = client.newName()
      const answer = await client.send('POST', `/v2/${name}/blobs/uploads/?digest=${DIGEST}`, { body: CONTENT })
      assert.ok(answer.status === 201 || answer.status === 202)
      if (answer.status === 202) assert.equal((await client.finish(client.location(answer), DIGEST, CONTENT)).status, 201)
      await assertStored(client, name, CONTENT)
    },
    'POST with digest and content stores the blob at once': async (client) => {
      const name = client.newName()
      const answer = await client.send('POST', `/v2/${name}/blobs/uploads/?digest=${DIGEST}`, { body: CONTENT })
      assert.equal(answer.status, 201)
      assert.match(client.location(answer), new RegExp(`/v2/${name}/blobs/${DIGEST}$`))
    },
    'POST with another digest is refused or not yet believed': async (client) => {
      const name = client.newName()
      const answer = await client.send('POST', `/v2/${name}/blobs/uploads/?digest=${digestOf('other')}`, { body: CONTENT })
      assert.ok(answer.status === 400 || answer.status === 202)
      assert.equal(await isStored(client, name, digestOf('other')), false)
    },
  }),

  ...section('Pushing a blob in chunks (end-5, end-6, end-13)', {
    'PATCH with Content-Range answers 202 with Location and Range, PUT without body ends it': async (client) => {
      const name = client.newName()
      let upload = await client.startUpload(name)
      let start = 0
      for (const chunk of CHUNKS) {
        const end = start + chunk.length - 1
        const answer = await client.patch(upload, chunk, { 'Content-Range': `${start}-${end}` })
        assert.equal(answer.status, 202)
        assert.equal(answer.headers.range, `0-${end}`)
        upload = client.location(answer)
        start = end + 1
      }
      assert.equal((await client.finish(upload, digestOf(WHOLE))).status, 201)
      await assertStored(client, name, WHOLE)
    },
    'PUT takes the last chunk': async (client) => {
      const name = client.newName()
      const first = await client.patch(await client.startUpload(name), CHUNKS[0], { 'Content-Range': `0-${CHUNKS[0].length - 1}` })
      const rest = WHOLE.slice(CHUNKS[0].length)
      const answer = await client.send('PUT', withQuery(client.location(first), { digest: digestOf(WHOLE) }), {
        headers: { 'Content-Range': `${CHUNKS[0].length}-${WHOLE.length - 1}`, 'Content-Type': 'application/octet-stream' },
        body: rest,
      })
      assert.equal(answer.status, 201)
      await assertStored(client, name, WHOLE)
    },
    'a chunk that begins too late answers 416, and the right one is taken then': async (client) => {
      const name = client.newName()
      const upload = await client.startUpload(name)
      const refused = await client.patch(upload, CHUNKS[1], { 'Content-Range': `12-${12 + CHUNKS[1].length - 1}` })
      assert.equal(refused.status, 416)
      const taken = await client.patch(upload, CHUNKS[0], { 'Content-Range': `0-${CHUNKS[0].length - 1}` })
      assert.equal(taken.status, 202)
      assert.equal((await client.finish(client.location(taken), digestOf(WHOLE), WHOLE.slice(CHUNKS[0].length))).status, 201)
    },
    'a chunk that was sent before answers 416 with where to go on': async (client) => {
      const upload = await client.startUpload(client.newName())
      const range = { 'Content-Range': `0-${CHUNKS[0].length - 1}` }
      const next = client.location(await client.patch(upload, CHUNKS[0], range))
      const again = await client.patch(next, CHUNKS[0], range)
      assert.equal(again.status, 416)
      assert.equal(again.headers.range, `0-${CHUNKS[0].length - 1}`)
      assert.ok(again.headers.location)
    },
    'a Content-Range that is none answers 416': async (client) => {
      for (const range of ['nonsense', '0', '5-2']) {
        const upload = await client.startUpload(client.newName())
        assert.equal((await client.patch(upload, CHUNKS[0], { 'Content-Range': range })).status, 416, range)
      }
    },
    'a Content-Range of another length than the body is refused': async (client) => {
      const upload = await client.startUpload(client.newName())
      const { status } = await client.patch(upload, CHUNKS[0], { 'Content-Range': '0-3' })
      assert.ok(status === 400 || status === 416, `status ${status}`)
    },
    'a last chunk out of order answers 416': async (client) => {
      const upload = await client.startUpload(client.newName())
      const answer = await client.send('PUT', withQuery(upload, { digest: digestOf(WHOLE) }), {
        headers: { 'Content-Range': '5-30' },
        body: 'x'.repeat(26),
      })
      assert.equal(answer.status, 416)
    },
    'GET tells how far an upload is (end-13)': async (client) => {
      const patched = await client.patch(await client.startUpload(client.newName()), WHOLE, { 'Content-Range': `0-${WHOLE.length - 1}` })
      const answer = await client.send('GET', client.location(patched))
      assert.equal(answer.status, 204)
      assert.equal(answer.headers.range, `0-${WHOLE.length - 1}`)
      assert.ok(answer.headers.location)
    },
    'GET of an unknown upload answers 404': async (client) => {
      const answer = await client.send('GET', `/v2/${client.newName()}/blobs/uploads/00000000-0000-4000-8000-000000000000`)
      assertRefused(answer, 404, UNKNOWN_UPLOAD)
    },
    'PATCH of an unknown upload answers 404': async (client) => {
      const upload = new URL(`/v2/${client.newName()}/blobs/uploads/00000000-0000-4000-8000-000000000000`, client.base).href
      assertRefused(await client.patch(upload, CONTENT), 404, UNKNOWN_UPLOAD)
    },
    'many small chunks make one blob': async (client) => {
      const name = client.newName()
      let upload = await client.startUpload(name)
      const content = Array.from({ length: 50 }, (_, index) => `chunk ${index};`)
      let start = 0
      for (const chunk of content) {
        const answer = await client.patch(upload, chunk, { 'Content-Range': `${start}-${start + chunk.length - 1}` })
        assert.equal(answer.status, 202)
        upload = client.location(answer)
        start += chunk.length
      }
      assert.equal((await client.finish(upload, digestOf(content.join('')))).status, 201)
    },
  }),

  ...section('Pushing a blob in chunks: as a stream, without Content-Range', {
    'PATCH of known length answers 202': async (client) => {
      const name = client.newName()
      const answer = await client.patch(await client.startUpload(name), WHOLE)
      assert.equal(answer.status, 202)
      assert.equal((await client.finish(client.location(answer), digestOf(WHOLE))).status, 201)
      await assertStored(client, name, WHOLE)
    },
    'PATCH of unknown length (chunked coding) answers 202': async (client) => {
      const name = client.newName()
      const answer = await client.patch(await client.startUpload(name), WHOLE, { 'Transfer-Encoding': 'chunked' })
      assert.equal(answer.status, 202)
      assert.equal((await client.finish(client.location(answer), digestOf(WHOLE))).status, 201)
    },
    'a second PATCH goes on where the first ended': async (client) => {
      const name = client.newName()
      const first = await client.patch(await client.startUpload(name), CHUNKS[0])
      const second = await client.patch(client.location(first), WHOLE.slice(CHUNKS[0].length))
      assert.equal((await client.finish(client.location(second), digestOf(WHOLE))).status, 201)
      await assertStored(client, name, WHOLE)
    },
    'what came before the connection broke is kept, and the upload goes on from there': async (client) => {
      const name = client.newName()
      const upload = await client.startUpload(name)
      const content = Buffer.alloc(3_000_000, 'abcdefg')
      await sendAndBreak(upload, content.subarray(0, 2_000_000), content.length)
      const { headers, size } = await settledSize(client, upload)
      assert.ok(size > 1 && size <= 2_000_000, `${size} bytes are stored`)
      const rest = await client.patch(
        client.location({ headers, status: 0, body: Buffer.alloc(0), continued: false }),
        content.subarray(size),
        {
          'Content-Range': `${size}-${content.length - 1}`,
        },
      )
      assert.equal(rest.status, 202)
      assert.equal((await client.finish(client.location(rest), digestOf(content))).status, 201)
    },
  }),

  ...section('Canceling an upload (end-14)', {
    'DELETE of an upload answers 204, and it is gone': async (client) => {
      const upload = await client.startUpload(client.newName())
      const patched = client.location(await client.patch(upload, CONTENT))
      assert.equal((await client.send('DELETE', patched)).status, 204)
      assertRefused(await client.send('GET', patched), 404, UNKNOWN_UPLOAD)
    },
    'DELETE of an unknown upload answers 404': async (client) => {
      const answer = await client.send('DELETE', `/v2/${client.newName()}/blobs/uploads/00000000-0000-4000-8000-000000000000`)
      assertRefused(answer, 404, UNKNOWN_UPLOAD)
    },
  }),

  ...section('Mounting a blob from another repository (end-11)', {
    'POST with mount and from answers 201, and the blob is there': async (client) => {
      const [from, name] = [client.newName(), client.newName()]
      await client.pushBlob(from, CONTENT)
      const answer = await client.send('POST', `/v2/${name}/blobs/uploads/?mount=${DIGEST}&from=${from}`)
      assert.equal(answer.status, 201)
      assert.match(client.location(answer), new RegExp(`/v2/${name}/blobs/${DIGEST}$`))
      await assertStored(client, name, CONTENT)
    },
    'a mount of an unknown blob begins an upload': async (client) => {
      const [from, name] = [client.newName(), client.newName()]
      await client.pushBlob(from, 'something else')
      const content = `never pushed ${name}`
      const answer = await client.send('POST', `/v2/${name}/blobs/uploads/?mount=${digestOf(content)}&from=${from}`)
      assert.equal(answer.status, 202)
      assert.equal((await client.finish(client.location(answer), digestOf(content), content)).status, 201)
    },
    'a mount from an unknown repository begins an upload': async (client) => {
      const name = client.newName()
      const answer = await client.send('POST', `/v2/${name}/blobs/uploads/?mount=${DIGEST}&from=${client.newName()}`)
      assert.equal(answer.status, 202)
      assert.ok(client.location(answer))
    },
    'a mount from a repository that does not have the blob does not give it away': async (client) => {
      const [owner, from, name] = [client.newName(), client.newName(), client.newName()]
      const content = `secret of ${owner}`
      await client.pushBlob(owner, content)
      await client.pushBlob(from, CONTENT)
      const answer = await client.send('POST', `/v2/${name}/blobs/uploads/?mount=${digestOf(content)}&from=${from}`)
      assert.equal(answer.status, 202)
      assert.equal(await isStored(client, name, digestOf(content)), false)
    },
    'a mount without from begins an upload': async (client) => {
      const answer = await client.send('POST', `/v2/${client.newName()}/blobs/uploads/?mount=${digestOf('unknown')}`)
      assert.equal(answer.status, 202)
    },
  }),

  ...section('Expect: 100-continue (RFC 9110, 10.1.1)', {
    'a body that is wanted is asked for': async (client) => {
      const upload = await client.startUpload(client.newName())
      const answer = await client.patch(upload, CONTENT, { Expect: '100-continue' })
      assert.equal(answer.status, 202)
      assert.equal(answer.continued, true)
    },
    'a body for an unknown upload is not asked for': async (client) => {
      const upload = new URL(`/v2/${client.newName()}/blobs/uploads/00000000-0000-4000-8000-000000000000`, client.base).href
      const answer = await client.patch(upload, CONTENT, { Expect: '100-continue' })
      assert.equal(answer.status, 404)
      assert.equal(answer.continued, false)
    },
  }),
]

/** How far an upload is whose client has gone, when the server no longer writes what it has got: two answers are the same. */
async function settledSize(client: RegistryClient, upload: string): Promise<{ headers: Answer['headers']; size: number }> {
  for (let before = -1, tries = 0; ; tries++) {
    const { headers } = await client.send('GET', upload)
    const size = Number(headers.range?.split('-')[1]) + 1
    if (size === before || tries === 50) return { headers, size }
    before = size
    await sleep(200)
  }
}

/** Announces `length` bytes, sends fewer and cuts the connection. */
async function sendAndBreak(upload: string, part: Uint8Array, length: number): Promise<void> {
  const outgoing = request(upload, {
    method: 'PATCH',
    agent: false,
    headers: { 'Content-Length': length, 'Content-Type': 'application/octet-stream' },
  })
  outgoing.on('error', () => {}) // this is what the case is about
  await new Promise<void>((resolve) => outgoing.write(part, () => resolve()))
  await sleep(200)
  outgoing.destroy()
}
