import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Metadata } from '#metadata'

interface Document {
  name: string
  count?: number
}

/** What every {@link Metadata} does. `open` gives an empty one; the suite closes it. */
export function metadataContract(implementation: string, open: () => Metadata): void {
  describe(`${implementation} as Metadata`, () => {
    it('get gives undefined for an absent key', () => {
      using metadata = open()
      assert.equal(metadata.repository('volumes').get('nothing'), undefined)
    })

    it('put replaces and get gives a copy', () => {
      using metadata = open()
      const documents = metadata.repository<Document>('volumes')
      const document = { name: 'first', count: 1 }
      documents.put('a', document)
      document.name = 'changed behind its back'
      assert.deepEqual(documents.get('a'), { name: 'first', count: 1 })
      documents.put('a', { name: 'second' })
      assert.deepEqual(documents.get('a'), { name: 'second' })
    })

    it('all keeps the order of first insertion', () => {
      using metadata = open()
      const documents = metadata.repository<Document>('images')
      for (const key of ['c', 'a', 'b']) documents.put(key, { name: key })
      documents.put('c', { name: 'again' })
      documents.delete('a')
      documents.put('a', { name: 'new' })
      assert.deepEqual(
        documents.all().map(({ key, value }) => [key, value.name]),
        [
          ['c', 'again'],
          ['b', 'b'],
          ['a', 'new'],
        ],
      )
    })

    it('collections do not share keys', () => {
      using metadata = open()
      metadata.repository<Document>('references').put('x', { name: 'reference' })
      assert.deepEqual(metadata.repository<Document>('settings').all(), [])
    })

    it('delete of an absent key does nothing', () => {
      using metadata = open()
      metadata.repository('layers').delete('nothing')
      assert.deepEqual(metadata.repository('layers').all(), [])
    })

    it('transaction undoes every write when the change throws', () => {
      using metadata = open()
      const volumes = metadata.repository<Document>('volumes')
      const networks = metadata.repository<Document>('networks')
      volumes.put('kept', { name: 'before' })
      assert.throws(
        () =>
          metadata.transaction(() => {
            volumes.put('kept', { name: 'after' })
            networks.put('new', { name: 'new' })
            volumes.delete('kept')
            throw new Error('halfway')
          }),
        /halfway/,
      )
      assert.deepEqual(volumes.all(), [{ key: 'kept', value: { name: 'before' } }])
      assert.deepEqual(networks.all(), [])
    })

    it('transaction gives the result of the change', () => {
      using metadata = open()
      const volumes = metadata.repository<Document>('volumes')
      const count = metadata.transaction(() => {
        volumes.put('a', { name: 'a' })
        return volumes.all().length
      })
      assert.equal(count, 1)
    })

    it('transaction nested in another undoes only itself when it throws', () => {
      using metadata = open()
      const volumes = metadata.repository<Document>('volumes')
      metadata.transaction(() => {
        volumes.put('outer', { name: 'outer' })
        assert.throws(() =>
          metadata.transaction(() => {
            volumes.put('inner', { name: 'inner' })
            throw new Error('inner')
          }),
        )
      })
      assert.deepEqual(
        volumes.all().map(({ key }) => key),
        ['outer'],
      )
    })

    it('transaction refuses an asynchronous change', () => {
      using metadata = open()
      const volumes = metadata.repository<Document>('volumes')
      assert.throws(
        () =>
          metadata.transaction(async () => {
            volumes.put('a', { name: 'a' })
            await Promise.resolve()
          }),
        /must be synchronous/,
      )
      assert.equal(volumes.get('a'), undefined)
    })
  })
}
