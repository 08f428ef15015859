import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { digestOf, type Digest } from '#oci'
import type { RegistryStorage } from '#registry'
import type { SetUp } from './storage-under-test.ts'

const OWNER = 'team/app'

async function* chunksOf(...chunks: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
}

async function upload(storage: RegistryStorage, content: Uint8Array): Promise<Digest> {
  const digest = digestOf(content)
  const { id } = await storage.uploads.create(OWNER)
  await storage.uploads.append(id, chunksOf(content))
  await storage.uploads.commit(id, digest)
  return digest
}

/** Bytes that repeat nowhere near, so that a swapped or lost part shows. */
function pattern(size: number): Buffer {
  const bytes = Buffer.alloc(size)
  for (let at = 0; at + 4 <= size; at += 4) bytes.writeUInt32LE(Math.imul(at, 2654435761) >>> 0, at)
  return bytes
}

/** What `RegistryStorage.uploads` does. */
export function uploadsContract(implementation: string, setUp: SetUp): void {
  describe(`${implementation} as RegistryStorage: uploads`, () => {
    it('create begins an empty upload that knows its owner', async () => {
      await using test = await setUp()
      const { uploads } = test.storage
      const upload = await uploads.create(OWNER)
      assert.match(upload.id, /^[a-z0-9-]{16,}$/)
      const { owner, size, started } = (await uploads.stat(upload.id)) ?? {}
      assert.deepEqual({ owner, size }, { owner: OWNER, size: 0 })
      assert.ok(started && Math.abs(started - Date.now()) < 60_000)
      assert.notEqual((await uploads.create(OWNER)).id, upload.id)
    })

    it('append tells the size, read gives all parts in order', async () => {
      await using test = await setUp()
      const { uploads } = test.storage
      const { id } = await uploads.create(OWNER)
      assert.equal(await uploads.append(id, chunksOf('one', 'two')), 6)
      assert.equal(await uploads.append(id, chunksOf()), 6)
      assert.equal(await uploads.append(id, chunksOf('three')), 11)
      assert.equal((await uploads.stat(id))?.size, 11)
      assert.equal(String(await buffer(await uploads.read(id))), 'onetwothree')
    })

    it('read begins at any byte', async () => {
      await using test = await setUp()
      const { uploads } = test.storage
      const { id } = await uploads.create(OWNER)
      await uploads.append(id, chunksOf(pattern(6_000_000)))
      for (const start of [0, 1, 5 * 1024 * 1024, 5_999_999, 6_000_000]) {
        assert.deepEqual(await buffer(await uploads.read(id, start)), pattern(6_000_000).subarray(start))
      }
    })

    it('append and commit keep large parts of any size in order', async () => {
      await using test = await setUp()
      const { uploads, blobs } = test.storage
      const content = pattern(13 * 1024 * 1024 + 5)
      const cuts = [0, 1, 70_000, 5 * 1024 * 1024, 11 * 1024 * 1024 + 3, content.length]
      const { id } = await uploads.create(OWNER)
      for (const [index, start] of cuts.slice(0, -1).entries()) {
        const part = content.subarray(start, cuts[index + 1])
        const pieces = Array.from({ length: Math.ceil(part.length / 65_536) }, (_, piece) =>
          part.subarray(piece * 65_536, (piece + 1) * 65_536),
        )
        assert.equal(await uploads.append(id, chunksOf(...pieces)), cuts[index + 1])
      }
      assert.equal(digestOf(await buffer(await uploads.read(id))), digestOf(content))
      await uploads.commit(id, digestOf(content))
      assert.equal((await blobs.stat(digestOf(content)))?.size, content.length)
      assert.equal(digestOf(await buffer(await blobs.read(digestOf(content)))), digestOf(content))
      const range = { start: 5 * 1024 * 1024 - 2, end: 5 * 1024 * 1024 + 1 }
      assert.deepEqual(await buffer(await blobs.read(digestOf(content), range)), content.subarray(range.start, range.end + 1))
    })

    it('append tells how much can be read, while its source still waits', async () => {
      await using test = await setUp()
      const { uploads } = test.storage
      const content = pattern(6 * 1024 * 1024)
      const { id } = await uploads.create(OWNER)
      await uploads.append(id, chunksOf(content.subarray(0, 5)))
      const gate = Promise.withResolvers<void>()
      async function* stalling(): AsyncGenerator<Uint8Array> {
        yield content.subarray(5, -3)
        await gate.promise
        yield content.subarray(-3)
      }
      const told: number[] = []
      const first = Promise.withResolvers<number>()
      const appended = uploads.append(id, stalling(), (size) => {
        told.push(size)
        first.resolve(size)
      })
      const size = await first.promise
      assert.ok(size > 5)
      const readable = await buffer(await uploads.read(id))
      assert.ok(readable.length >= size)
      assert.deepEqual(readable, content.subarray(0, readable.length))
      gate.resolve()
      assert.equal(await appended, content.length)
      assert.equal(told.at(-1), content.length)
      assert.deepEqual(
        told,
        told.toSorted((a, b) => a - b),
      )
    })

    it('append keeps what came before its source failed, and passes the error on', async () => {
      await using test = await setUp()
      const { uploads } = test.storage
      const { id } = await uploads.create(OWNER)
      await uploads.append(id, chunksOf('begin '))
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('middle ')
        throw new Error('connection lost')
      }
      await assert.rejects(uploads.append(id, broken()), { message: 'connection lost' })
      const { size } = (await uploads.stat(id)) ?? {}
      const stored = String(await buffer(await uploads.read(id)))
      assert.ok(size !== undefined && size >= 6)
      assert.equal(stored, 'begin middle '.slice(0, size))
      assert.equal(await uploads.append(id, chunksOf('end')), size + 3)
      assert.equal(String(await buffer(await uploads.read(id))), `${stored}end`)
    })

    it('commit turns an upload into a blob and ends it', async () => {
      await using test = await setUp()
      const { uploads, blobs } = test.storage
      const { id } = await uploads.create(OWNER)
      await uploads.append(id, chunksOf('blob'))
      assert.equal(await blobs.stat(digestOf('blob')), undefined)
      await uploads.commit(id, digestOf('blob'))
      assert.equal(String(await buffer(await blobs.read(digestOf('blob')))), 'blob')
      assert.equal(await uploads.stat(id), undefined)
      assert.deepEqual(await Array.fromAsync(uploads.list()), [])
    })

    it('commit takes an empty upload', async () => {
      await using test = await setUp()
      const { id } = await test.storage.uploads.create(OWNER)
      await test.storage.uploads.commit(id, digestOf(''))
      assert.equal((await test.storage.blobs.stat(digestOf('')))?.size, 0)
    })

    it('commit of the same content by several at the same time leaves one blob', async () => {
      await using test = await setUp()
      const content = pattern(300_000)
      const [digest] = await Promise.all([1, 2, 3, 4].map(() => upload(test.storage, content)))
      assert.deepEqual(
        (await Array.fromAsync(test.storage.blobs.list())).map((blob) => blob.digest),
        [digest],
      )
      assert.deepEqual(await buffer(await test.storage.blobs.read(digestOf(content))), content)
    })

    it('abort ends an upload; unknown, ended and strange ids are unknown', async () => {
      await using test = await setUp()
      const { uploads } = test.storage
      const { id } = await uploads.create(OWNER)
      await uploads.append(id, chunksOf('x'))
      await uploads.abort(id)
      await uploads.abort(id)
      for (const unknown of [id, '00000000-0000-4000-8000-000000000000', '..', '../../blobs', '', 'a/b', 'x'.repeat(300)]) {
        assert.equal(await uploads.stat(unknown), undefined)
        await uploads.abort(unknown)
        await assert.rejects(uploads.append(unknown, chunksOf('y')), { code: 'NOT_FOUND' })
        await assert.rejects(uploads.read(unknown), { code: 'NOT_FOUND' })
        await assert.rejects(uploads.commit(unknown, digestOf('y')), { code: 'NOT_FOUND' })
      }
      assert.deepEqual(await Array.fromAsync(test.storage.blobs.list()), [])
    })

    it('list gives the uploads that are open', async () => {
      await using test = await setUp()
      const { uploads } = test.storage
      const opened = [await uploads.create('a'), await uploads.create('b/c'), await uploads.create('d')]
      await uploads.abort(opened[2]!.id)
      const listed = await Array.fromAsync(uploads.list())
      assert.deepEqual(listed.map((entry) => entry.owner).sort(), ['a', 'b/c'])
    })

    it('an upload goes on after a restart', async () => {
      await using test = await setUp()
      const { id } = await test.storage.uploads.create(OWNER)
      await test.storage.uploads.append(id, chunksOf(pattern(6_000_000)))
      const { uploads, blobs } = await test.reopen()
      assert.equal((await uploads.stat(id))?.size, 6_000_000)
      assert.equal((await uploads.stat(id))?.owner, OWNER)
      assert.deepEqual(await buffer(await uploads.read(id)), pattern(6_000_000))
      assert.equal(await uploads.append(id, chunksOf('end')), 6_000_003)
      const digest = digestOf(Buffer.concat([pattern(6_000_000), Buffer.from('end')]))
      await uploads.commit(id, digest)
      assert.equal(digestOf(await buffer(await blobs.read(digest))), digest)
    })
  })
}
