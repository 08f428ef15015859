import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Semaphore } from './semaphore.ts'

describe('Semaphore', () => {
  it('lets as many in as it may, and the others in their order', async () => {
    const semaphore = new Semaphore(2)
    const entered: number[] = []
    const places: Disposable[] = []
    const all = [1, 2, 3, 4].map(async (n) => {
      places.push(await semaphore.take())
      entered.push(n)
    })
    await turn()
    assert.deepEqual(entered, [1, 2])
    assert.equal(semaphore.isFull, true)
    places[0]?.[Symbol.dispose]()
    places[0]?.[Symbol.dispose]() // harmless
    await turn()
    assert.deepEqual(entered, [1, 2, 3])
    for (const place of places) place[Symbol.dispose]()
    await Promise.all(all)
    assert.deepEqual(entered, [1, 2, 3, 4])
  })

  it('forgets a waiter whose signal comes first', async () => {
    const semaphore = new Semaphore(1)
    const place = await semaphore.take()
    const stop = new AbortController()
    const waiting = semaphore.take(stop.signal)
    stop.abort(new Error('enough'))
    await assert.rejects(waiting, /enough/)
    place[Symbol.dispose]()
    assert.equal(semaphore.isFull, false)
    await assert.rejects(semaphore.take(AbortSignal.abort()), { name: 'AbortError' })
  })

  it('takes nobody else out of the queue for a waiter that is woken and gives up at once', async () => {
    const semaphore = new Semaphore(1)
    const place = await semaphore.take()
    const stop = new AbortController()
    const woken = semaphore.take(stop.signal)
    const other = semaphore.take()
    place[Symbol.dispose]()
    stop.abort()
    using first = await woken
    first[Symbol.dispose]()
    using _second = await other
  })

  it('takes a new limit for those who come later', async () => {
    let limit = 1
    const semaphore = new Semaphore(() => limit)
    using _first = await semaphore.take()
    limit = 2
    using _second = await semaphore.take()
    assert.equal(semaphore.isFull, true)
  })
})
