import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SharedWork } from './shared-work.ts'

const NEVER = new AbortController().signal

describe('SharedWork', () => {
  it('does equal work once for all who ask meanwhile', async () => {
    const work = new SharedWork<string, number>()
    const { promise, resolve } = Promise.withResolvers<number>()
    let runs = 0
    const ask = (): Promise<number> =>
      work.join('key', NEVER, async () => {
        runs++
        return await promise
      })
    const both = [ask(), ask()]
    assert.equal(work.has('key'), true)
    resolve(7)
    assert.deepEqual(await Promise.all(both), [7, 7])
    assert.equal(runs, 1)
    assert.equal(await work.join('key', NEVER, async () => 8), 8)
  })

  it('goes on as long as somebody waits, and is aborted by the last one to leave', async () => {
    const work = new SharedWork<string, number>()
    const [first, second] = [new AbortController(), new AbortController()]
    let own: AbortSignal | undefined
    const ask = (signal: AbortSignal): Promise<number> =>
      work.join('key', signal, async (shared) => {
        own = shared
        return await new Promise((_, reject) => shared.addEventListener('abort', () => reject(new Error('aborted'))))
      })
    const waiting = [ask(first.signal), ask(second.signal)]
    first.abort(new Error('one'))
    await assert.rejects(waiting[0] ?? Promise.resolve(), { message: 'one' })
    assert.equal(own?.aborted, false)
    second.abort(new Error('two'))
    // Who asks from now on begins anew.
    assert.equal(await work.join('key', NEVER, async () => 9), 9)
    await assert.rejects(waiting[1] ?? Promise.resolve(), { message: 'two' })
    assert.equal(own?.aborted, true)
    await work.settled()
  })

  it('remembers what came of it when told to, failures until they may be tried again', async () => {
    const work = new SharedWork<string, number>({ remember: true })
    const fail = async (): Promise<number> => await Promise.reject(new Error('no'))
    const both = await Promise.allSettled([work.join('key', NEVER, fail), work.join('key', NEVER, fail)])
    assert.deepEqual(
      both.map(({ status }) => status),
      ['rejected', 'rejected'],
    )
    await assert.rejects(
      work.join('key', NEVER, async () => 1),
      { message: 'no' },
    )
    work.forgetFailures()
    assert.equal(await work.join('key', NEVER, async () => 1), 1)
    assert.equal(await work.join('key', NEVER, async () => 2), 1)
  })

  it('tells remembered work that has ended, too, when all have left: for what it has begun for them', async () => {
    const work = new SharedWork<string, AbortSignal>({ remember: true })
    const [first, second] = [new AbortController(), new AbortController()]
    const ask = (signal: AbortSignal): Promise<AbortSignal> => work.join('key', signal, async (own) => own)
    const [own] = await Promise.all([ask(first.signal), ask(second.signal)])
    first.abort()
    await Promise.resolve()
    assert.equal(own?.aborted, false)
    second.abort()
    await Promise.resolve()
    assert.equal(own?.aborted, true)
    assert.equal(await ask(NEVER), own)
  })

  it('ends work that waits for work, however deep', async () => {
    const work = new SharedWork<number, number>()
    const bottom = Promise.withResolvers<void>()
    const descend = (depth: number, signal: AbortSignal): Promise<number> =>
      work.join(depth, signal, async (own) => {
        await Promise.resolve()
        if (depth === 0) bottom.resolve()
        return depth === 0
          ? await new Promise((_, reject) => own.addEventListener('abort', () => reject(own.reason)))
          : await descend(depth - 1, own)
      })
    const top = new AbortController()
    const waiting = descend(5000, top.signal)
    await bottom.promise
    top.abort(new Error('left'))
    await assert.rejects(waiting, { message: 'left' })
    await work.settled()
  })
})
