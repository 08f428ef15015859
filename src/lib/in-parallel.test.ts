import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { inParallel } from './in-parallel.ts'

const never = new AbortController().signal

describe('inParallel', () => {
  it('begins all at once', async () => {
    const begun: number[] = []
    await inParallel([1, 2, 3], never, async (item) => {
      begun.push(item)
      await turn()
      assert.equal(begun.length, 3)
    })
  })

  it('throws the first failure when the others, told to stop, have ended', async () => {
    let ended = 0
    const work = async (item: number, signal: AbortSignal): Promise<void> => {
      if (item === 2) throw new Error('the reason')
      while (!signal.aborted) await turn()
      ended++
      throw new Error('stopped')
    }
    await assert.rejects(inParallel([1, 2, 3], never, work), /the reason/)
    assert.equal(ended, 2)
  })

  it('passes on that the caller gives up', async () => {
    const stop = new AbortController()
    const work = async (_: number, signal: AbortSignal): Promise<void> => {
      stop.abort(new Error('enough'))
      signal.throwIfAborted()
    }
    await assert.rejects(inParallel([1, 2], stop.signal, work), /enough/)
  })
})
