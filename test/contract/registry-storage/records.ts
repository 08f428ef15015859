import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { digestOf } from '#oci'
import type { SetUp } from './storage-under-test.ts'

/** What `RegistryStorage.records` does. */
export function recordsContract(implementation: string, setUp: SetUp): void {
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
      assert.deepEqual(await Array.fromAsync(records.list('d')), ['10', '9', 'B', '_x', 'a', 'a-1', 'a.1', 'b'])
      assert.deepEqual(await Array.fromAsync(records.list('nowhere')), [])
    })

    it('list goes on after a name, whether it is there or not, and stops at its limit', async () => {
      await using test = await setUp()
      const { records } = test.storage
      for (const name of ['a', 'b', 'd', 'e']) await records.put(`tags/${name}`, Buffer.from(name))
      const names = (options: { after?: string; limit?: number }): Promise<string[]> => Array.fromAsync(records.list('tags', options))
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
      assert.deepEqual(await Array.fromAsync(directories('r')), ['a', 'a-b', 'a.b', 'c'])
      assert.deepEqual(await Array.fromAsync(directories('r', { after: 'a' })), ['a-b', 'a.b', 'c'])
      assert.deepEqual(await Array.fromAsync(directories('r', { after: 'a-c', limit: 1 })), ['a.b'])
      assert.deepEqual(await Array.fromAsync(directories('r/c')), ['d'])
      assert.deepEqual(await Array.fromAsync(directories('r/none')), [])
    })

    it('directories forgets a directory with its last document', async () => {
      await using test = await setUp()
      const { records } = test.storage
      await records.put('r/a/b/c', Buffer.from('x'))
      await records.delete('r/a/b/c')
      assert.deepEqual(await Array.fromAsync(records.directories('r')), [])
    })

    it('list gives more than one page of a bucket', async () => {
      await using test = await setUp()
      const names = Array.from({ length: 1100 }, (_, index) => `t${String(index).padStart(4, '0')}`)
      for (let at = 0; at < names.length; at += 50) {
        await Promise.all(names.slice(at, at + 50).map((name) => test.storage.records.put(`many/${name}`, Buffer.from('x'))))
      }
      assert.deepEqual(await Array.fromAsync(test.storage.records.list('many')), names)
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
}
