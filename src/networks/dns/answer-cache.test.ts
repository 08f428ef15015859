import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { encode } from 'dns-packet'
import { readAnswer, type UpstreamAnswer } from './answer.ts'
import { createAnswerCache } from './answer-cache.ts'

function answer(ttl: number, text = ''): UpstreamAnswer {
  return readAnswer(encode({ type: 'response', answers: [{ type: 'TXT', name: 'x', ttl, data: [Buffer.from(text)] }] }))
}

suite('answer cache', () => {
  test('keeps an answer for its time, and says how old it is', () => {
    let now = 0
    const cache = createAnswerCache(() => now)
    cache.put('key', answer(10))
    now = 9_999
    assert.equal(cache.get('key')?.age, 9)
    now = 10_000
    assert.equal(cache.get('key'), undefined)
  })

  test('keeps nothing that has no time', () => {
    const cache = createAnswerCache()
    cache.put('key', answer(0))
    assert.equal(cache.get('key'), undefined)
  })

  test('keeps nothing longer than a day', () => {
    let now = 0
    const cache = createAnswerCache(() => now)
    cache.put('key', answer(1_000_000))
    now = 86_400_001
    assert.equal(cache.get('key'), undefined)
  })

  test('loses those used longest ago when there are too many', () => {
    const cache = createAnswerCache()
    for (let index = 0; index < 4096; index++) cache.put(`key ${index}`, answer(60))
    cache.get('key 0')
    cache.put('one more', answer(60))
    assert.ok(cache.get('key 0'))
    assert.equal(cache.get('key 1'), undefined)
  })

  test('loses them when they are too big, too', () => {
    const cache = createAnswerCache()
    const { bytes, ...rest } = answer(60)
    for (let index = 0; index < 100; index++) cache.put(`key ${index}`, { ...rest, bytes: Buffer.concat([bytes, Buffer.alloc(60_000)]) })
    const kept = Array.from({ length: 100 }, (_, index) => cache.get(`key ${index}`)).filter((found) => found !== undefined)
    assert.equal(kept.length, Math.floor((4 * 1024 * 1024) / (60_000 + bytes.length + 6)))
  })

  test('keeps no more memory than the answer has', () => {
    const cache = createAnswerCache()
    const { bytes, ...rest } = answer(60)
    const chunk = Buffer.concat([bytes, Buffer.alloc(60_000)])
    cache.put('key', { ...rest, bytes: chunk.subarray(0, bytes.length) })
    const kept = cache.get('key')?.answer.bytes
    assert.deepEqual(kept, bytes)
    assert.equal(kept?.buffer.byteLength, bytes.length)
  })
})
