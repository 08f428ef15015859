import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createSharedWork } from './shared-work.ts'

describe('createSharedWork', () => {
  it('does equal work once for all who ask meanwhile, and tells all of its progress', async () => {
    const shared = createSharedWork<number>()
    const { promise, resolve } = Promise.withResolvers<number>()
    const told: string[] = []
    let runs = 0
    const ask = (name: string): Promise<number> =>
      shared('key', { progress: (amount) => told.push(`${name} ${amount}`) }, async ({ progress }) => {
        runs++
        const result = await promise
        progress(5)
        return result
      })
    const both = [ask('a'), ask('b')]
    resolve(7)
    assert.deepEqual(await Promise.all(both), [7, 7])
    assert.deepEqual([runs, told], [1, ['a 5', 'b 5']])
    assert.equal(await shared('key', {}, async () => 8), 8)
  })

  it('goes on as long as somebody waits, and is aborted by the last one to give up', async () => {
    const shared = createSharedWork<number>()
    const [first, second] = [new AbortController(), new AbortController()]
    let own: AbortSignal | undefined
    const ask = (signal: AbortSignal): Promise<number> =>
      shared('key', { signal }, async (options) => {
        own = options.signal
        return await new Promise((_, reject) => options.signal.addEventListener('abort', () => reject(new Error('aborted'))))
      })
    const waiting = [ask(first.signal), ask(second.signal)]
    first.abort(new Error('one'))
    await assert.rejects(waiting[0] ?? Promise.resolve(), { message: 'one' })
    assert.equal(own?.aborted, false)
    // Who asks while the last one gives up begins anew.
    second.abort(new Error('two'))
    await assert.rejects(waiting[1] ?? Promise.resolve(), { message: 'two' })
    assert.equal(own?.aborted, true)
    assert.equal(await shared('key', {}, async () => 9), 9)
  })

  it('tells a failure to everybody and forgets it', async () => {
    const shared = createSharedWork<number>()
    const fail = async (): Promise<number> => await Promise.reject(new Error('no'))
    const both = await Promise.allSettled([shared('key', {}, fail), shared('key', {}, fail)])
    assert.deepEqual(
      both.map(({ status }) => status),
      ['rejected', 'rejected'],
    )
    assert.equal(await shared('key', {}, async () => 1), 1)
  })
})
