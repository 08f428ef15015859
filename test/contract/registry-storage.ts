import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { digestOf, type Digest } from '#oci'
import type { RegistryStorage } from '#registry'

export interface StorageUnderTest extends AsyncDisposable {
  storage: RegistryStorage
  /** Another one on the same place, as after a restart of the server. The first is used no more. */
  reopen(): Promise<RegistryStorage>
}

const OWNER = 'team/app'

async function* chunksOf(...chunks: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  return await Array.fromAsync(items)
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

/** What every {@link RegistryStorage} does. `setUp` gives an empty one. */
export function registryStorageContract(implementation: string, setUp: () => Promise<StorageUnderTest>): void {
  describe(`${implementation} as RegistryStorage: blobs`, () => {
    it('put stores bytes under their digest, any number of times', async () => {
      await using test = await setUp()
      const { blobs } = test.storage
      const digest = digestOf('content')
      assert.equal(await blobs.stat(digest), undefined)
      for (let time = 0; time < 2; time++) await blobs.put(digest, Buffer.from('content'))
      assert.equal((await blobs.stat(digest))?.size, 7)
      assert.equal(String(await buffer(await blobs.read(digest))), 'content')
    })

    it('put and read take an empty blob', async () => {
      await using test = await setUp()
      const digest = digestOf('')
      await test.storage.blobs.put(digest, Buffer.alloc(0))
      assert.equal((await test.storage.blobs.stat(digest))?.size, 0)
      assert.equal((await buffer(await test.storage.blobs.read(digest))).length, 0)
    })

    it('read gives a range with both ends', async () => {
      await using test = await setUp()
      const digest = digestOf('0123456789')
      await test.storage.blobs.put(digest, Buffer.from('0123456789'))
      const RANGES: [number, number, string][] = [
        [0, 0, '0'],
        [3, 5, '345'],
        [9, 9, '9'],
        [0, 9, '0123456789'],
      ]
      for (const [start, end, expected] of RANGES) {
        assert.equal(String(await buffer(await test.storage.blobs.read(digest, { start, end }))), expected)
      }
    })

    it('read and touch say NOT_FOUND for what is not there, delete does not mind', async () => {
      await using test = await setUp()
      const { blobs } = test.storage
      const unknown = digestOf('unknown')
      await assert.rejects(blobs.read(unknown), { code: 'NOT_FOUND' })
      await assert.rejects(blobs.touch(unknown), { code: 'NOT_FOUND' })
      await blobs.delete(unknown)
    })

    it('delete takes a blob away and leaves its neighbours', async () => {
      await using test = await setUp()
      const { blobs } = test.storage
      const [a, b] = [digestOf('a'), digestOf('b')]
      await blobs.put(a, Buffer.from('a'))
      await blobs.put(b, Buffer.from('b'))
      await blobs.delete(a)
      assert.equal(await blobs.stat(a), undefined)
      assert.deepEqual(
        (await all(blobs.list())).map((blob) => blob.digest),
        [b],
      )
      await blobs.put(a, Buffer.from('a'))
      assert.equal(String(await buffer(await blobs.read(a))), 'a')
    })

    it('touch leaves content and size as they are and never makes a blob older', async () => {
      await using test = await setUp()
      const { blobs } = test.storage
      const digest = digestOf('touched')
      await blobs.put(digest, Buffer.from('touched'))
      const before = await blobs.stat(digest)
      assert.ok(before && Math.abs(before.modified - Date.now()) < 60_000)
      await blobs.touch(digest)
      const after = await blobs.stat(digest)
      assert.ok(after && after.modified >= before.modified)
      assert.equal(after.size, 7)
      assert.equal(String(await buffer(await blobs.read(digest))), 'touched')
    })

    it('list gives every blob once', async () => {
      await using test = await setUp()
      const contents = Array.from({ length: 30 }, (_, index) => `blob ${index}`)
      for (const content of contents) await test.storage.blobs.put(digestOf(content), Buffer.from(content))
      const listed = await all(test.storage.blobs.list())
      assert.deepEqual(listed.map((blob) => blob.digest).sort(), contents.map((content) => digestOf(content)).sort())
      for (const blob of listed) assert.deepEqual(blob, await test.storage.blobs.stat(blob.digest))
    })
  })

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
      const content = pattern(13 * 1024 * 1024)
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
      assert.deepEqual(await all(uploads.list()), [])
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
      const digests = await Promise.all(Array.from({ length: 4 }, () => upload(test.storage, content)))
      assert.deepEqual(
        (await all(test.storage.blobs.list())).map((blob) => blob.digest),
        [digests[0]],
      )
      assert.deepEqual(await buffer(await test.storage.blobs.read(digests[0]!)), content)
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
      assert.deepEqual(await all(test.storage.blobs.list()), [])
    })

    it('list gives the uploads that are open', async () => {
      await using test = await setUp()
      const { uploads } = test.storage
      const opened = [await uploads.create('a'), await uploads.create('b/c'), await uploads.create('d')]
      await uploads.abort(opened[2]!.id)
      const listed = await all(uploads.list())
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

  describe(`${implementation} as RegistryStorage: records`, () => {
    it('put replaces, get gives what was put, delete forgets', async () => {
      await using test = await setUp()
      const { records } = test.storage
      assert.equal(await records.get('a/b'), undefined)
      await records.put('a/b', Buffer.from('one'))
      await records.put('a/b', Buffer.from('two'))
      assert.equal(String(await records.get('a/b')), 'two')
      await records.delete('a/b')
      await records.delete('a/b')
      assert.equal(await records.get('a/b'), undefined)
    })

    it('put keeps an empty document apart from an absent one', async () => {
      await using test = await setUp()
      await test.storage.records.put('a/empty', Buffer.alloc(0))
      assert.equal((await test.storage.records.get('a/empty'))?.length, 0)
    })

    it('get gives nothing for a directory or for something below a document', async () => {
      await using test = await setUp()
      await test.storage.records.put('a/b', Buffer.from('x'))
      assert.equal(await test.storage.records.get('a'), undefined)
      assert.equal(await test.storage.records.get('a/b/c'), undefined)
    })

    it('put and delete beside each other in one directory lose nothing', async () => {
      await using test = await setUp()
      const { records } = test.storage
      for (let round = 0; round < 50; round++) {
        await Promise.all([records.put('d/deep/new', Buffer.from('n')), records.delete('d/deep/old')])
        assert.equal(String(await records.get('d/deep/new')), 'n')
        await Promise.all([records.put('d/deep/old', Buffer.from('o')), records.delete('d/deep/new')])
        assert.equal(String(await records.get('d/deep/old')), 'o')
      }
    })

    it('list gives the documents of one directory in byte order', async () => {
      await using test = await setUp()
      const { records } = test.storage
      for (const key of ['d/b', 'd/a', 'd/B', 'd/a-1', 'd/a.1', 'd/10', 'd/9', 'd/_x', 'd/sub/inner', 'dd/other']) {
        await records.put(key, Buffer.from(key))
      }
      assert.deepEqual(await all(records.list('d')), ['10', '9', 'B', '_x', 'a', 'a-1', 'a.1', 'b'])
      assert.deepEqual(await all(records.list('nowhere')), [])
    })

    it('list goes on after a name, whether it is there or not, and stops at its limit', async () => {
      await using test = await setUp()
      const { records } = test.storage
      for (const name of ['a', 'b', 'd', 'e']) await records.put(`tags/${name}`, Buffer.from(name))
      const names = (options: { after?: string; limit?: number }): Promise<string[]> => all(records.list('tags', options))
      assert.deepEqual(await names({ after: 'b' }), ['d', 'e'])
      assert.deepEqual(await names({ after: 'c' }), ['d', 'e'])
      assert.deepEqual(await names({ limit: 2 }), ['a', 'b'])
      assert.deepEqual(await names({ after: 'a', limit: 2 }), ['b', 'd'])
      assert.deepEqual(await names({ after: 'e' }), [])
      assert.deepEqual(await names({ limit: 0 }), [])
    })

    it('directories gives each directory once, in byte order of the names', async () => {
      await using test = await setUp()
      const { records } = test.storage
      // Full keys sort otherwise: `a-b/` comes before `a/`.
      for (const key of ['r/a/_tags/x', 'r/a/_tags/y', 'r/a-b/_tags/x', 'r/a.b/x', 'r/c/d/e', 'r/document']) {
        await records.put(key, Buffer.from('x'))
      }
      const directories = (...query: Parameters<typeof records.directories>): AsyncIterable<string> => records.directories(...query)
      assert.deepEqual(await all(directories('r')), ['a', 'a-b', 'a.b', 'c'])
      assert.deepEqual(await all(directories('r', { after: 'a' })), ['a-b', 'a.b', 'c'])
      assert.deepEqual(await all(directories('r', { after: 'a-c', limit: 1 })), ['a.b'])
      assert.deepEqual(await all(directories('r/c')), ['d'])
      assert.deepEqual(await all(directories('r/none')), [])
    })

    it('directories forgets a directory with its last document', async () => {
      await using test = await setUp()
      const { records } = test.storage
      await records.put('r/a/b/c', Buffer.from('x'))
      await records.delete('r/a/b/c')
      assert.deepEqual(await all(records.directories('r')), [])
    })

    it('list gives more than one page of a bucket', async () => {
      await using test = await setUp()
      const names = Array.from({ length: 1100 }, (_, index) => `t${String(index).padStart(4, '0')}`)
      for (let at = 0; at < names.length; at += 50) {
        await Promise.all(names.slice(at, at + 50).map((name) => test.storage.records.put(`many/${name}`, Buffer.from('x'))))
      }
      assert.deepEqual(await all(test.storage.records.list('many')), names)
    })

    it('records and blobs are there after a restart', async () => {
      await using test = await setUp()
      await test.storage.records.put('a/b', Buffer.from('kept'))
      await test.storage.blobs.put(digestOf('kept'), Buffer.from('kept'))
      const storage = await test.reopen()
      assert.equal(String(await storage.records.get('a/b')), 'kept')
      assert.equal((await storage.blobs.stat(digestOf('kept')))?.size, 4)
    })
  })

  describe(`${implementation} as RegistryStorage`, () => {
    it('check is content with a storage that works', async () => {
      await using test = await setUp()
      await test.storage.check()
    })
  })
}
