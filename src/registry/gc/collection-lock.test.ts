import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { RecordStorage } from '../storage/types.ts'
import { createRecordLock } from './collection-lock.ts'
import { until } from '../testing/until.ts'

/** Records in memory, as far as a lock needs them. */
function records(): Pick<RecordStorage, 'get' | 'put' | 'delete'> & { documents: Map<string, Buffer> } {
  const documents = new Map<string, Buffer>()
  return {
    documents,
    get: async (key) => Promise.resolve(documents.get(key)),
    put: async (key, value) => void documents.set(key, Buffer.from(value)),
    delete: async (key) => void documents.delete(key),
  }
}

describe('RecordLock', () => {
  const options = { lifetime: 1000, settle: 5 }

  it('has one holder at a time', async () => {
    const storage = records() as unknown as RecordStorage
    const first = await createRecordLock(storage, options).acquire()
    await assert.rejects(createRecordLock(storage, options).acquire(), { code: 'CONFLICT' })
    await first[Symbol.asyncDispose]()
    await using _second = await createRecordLock(storage, options).acquire()
  })

  it('is had by one of those who want it at the same moment', async () => {
    const storage = records() as unknown as RecordStorage
    const wanted = Array.from({ length: 5 }, () => createRecordLock(storage, options).acquire())
    const settled = await Promise.allSettled(wanted)
    const held = settled.filter((result) => result.status === 'fulfilled')
    assert.equal(held.length, 1)
    await held[0]?.value[Symbol.asyncDispose]()
  })

  it('is taken over from a holder that died, and lost by one that was overtaken', async () => {
    const storage = records()
    const brief = { lifetime: 20, settle: 1 }
    let now = 0
    const first = await createRecordLock(storage as unknown as RecordStorage, { ...brief, now: () => now }).acquire()
    now = 1000
    const second = await createRecordLock(storage as unknown as RecordStorage, { lifetime: 100_000, settle: 1, now: () => now }).acquire()
    await until(() => first.signal?.aborted === true)
    await first[Symbol.asyncDispose]()
    assert.equal(storage.documents.size, 1)
    await second[Symbol.asyncDispose]()
    assert.equal(storage.documents.size, 0)
  })

  it('takes a damaged document for nobody', async () => {
    const storage = records()
    storage.documents.set('locks/collection', Buffer.from('{'))
    await using _lock = await createRecordLock(storage as unknown as RecordStorage, options).acquire()
  })
})
