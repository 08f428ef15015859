import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { digestOf } from '#oci'
import type { SetUp } from './storage-under-test.ts'

/** What `RegistryStorage.blobs` does. */
export function blobsContract(implementation: string, setUp: SetUp): void {
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
        (await Array.fromAsync(blobs.list())).map((blob) => blob.digest),
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
      const listed = await Array.fromAsync(test.storage.blobs.list())
      assert.deepEqual(listed.map((blob) => blob.digest).sort(), contents.map((content) => digestOf(content)).sort())
      for (const blob of listed) assert.deepEqual(blob, await test.storage.blobs.stat(blob.digest))
    })
  })
}
