import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { digestOf } from '#oci'
import type { Digest } from '#oci'
import { createTransferTable } from './transfer-table.ts'
import type { StartTransfer, TransferContext, TransferTable, Waiter } from './transfer-table.ts'

/** A waiter that remembers what it heard, and with a way to leave. */
function waiter(): Waiter<string> & { heard: string[]; held: Digest[]; leave: (reason: Error) => void } {
  const abort = new AbortController()
  const heard: string[] = []
  const held: Digest[] = []
  return {
    heard,
    held,
    leave: (reason) => abort.abort(reason),
    signal: abort.signal,
    report: (message) => heard.push(message),
    hold: (digest) => held.push(digest),
  }
}

/** Work that ends when it is told to, or is given up. */
interface Work {
  start: StartTransfer<number, string>
  end: (value: number) => void
  fail: (error: Error) => void
  starts: number
  context: TransferContext<string> | undefined
}

function work(): Work {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const state: Work = {
    starts: 0,
    context: undefined,
    end: resolve,
    fail: reject,
    async start(context) {
      state.starts++
      state.context = context
      context.signal.addEventListener('abort', () => reject(context.signal.reason))
      return await promise
    },
  }
  return state
}

const table = (): TransferTable<number, string> => createTransferTable<number, string>()
const DIGESTS = ['a', 'b'].map(digestOf)

describe('TransferTable', () => {
  it('does the same thing once for all who wait', async () => {
    const transfers = table()
    const [job, first, second] = [work(), waiter(), waiter()]
    const joined = [transfers.join('a', job.start, first)]
    await new Promise(setImmediate)
    const [early, late] = DIGESTS
    assert.ok(early && late)
    job.context?.report('half')
    job.context?.hold(early)
    joined.push(transfers.join('a', job.start, second))
    job.context?.hold(late)
    job.end(7)
    assert.deepEqual(await Promise.all(joined), [7, 7])
    assert.deepEqual([job.starts, first.heard, second.heard], [1, ['half'], ['half']])
    assert.deepEqual([first.held, second.held], [DIGESTS, DIGESTS])
    assert.equal(transfers.size, 0)
  })

  it('goes on when one of several leaves', async () => {
    const transfers = table()
    const [job, first, second] = [work(), waiter(), waiter()]
    const left = transfers.join('a', job.start, first)
    const stayed = transfers.join('a', job.start, second)
    first.leave(new Error('gone'))
    await assert.rejects(left, { message: 'gone' })
    job.end(1)
    assert.equal(await stayed, 1)
  })

  it('ends the work when the last one leaves, who hears of it when it has ended', async () => {
    const transfers = table()
    const [job, first, second] = [work(), waiter(), waiter()]
    const joined = [transfers.join('a', job.start, first), transfers.join('a', job.start, second)]
    first.leave(new Error('first'))
    second.leave(new Error('second'))
    const outcomes = await Promise.allSettled(joined)
    assert.deepEqual(
      outcomes.map((outcome) => outcome.status === 'rejected' && (outcome.reason as Error).message),
      ['first', 'second'],
    )
    assert.equal(transfers.size, 0)
  })

  it('begins anew for who comes while the work is being given up', async () => {
    const transfers = table()
    const cleanedUp = Promise.withResolvers<void>()
    const first = waiter()
    const left = transfers.join(
      'a',
      async ({ signal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        await cleanedUp.promise
        throw signal.reason
      },
      first,
    )
    await new Promise(setImmediate)
    first.leave(new Error('gone'))
    const [job, second] = [work(), waiter()]
    const joined = transfers.join('a', job.start, second)
    await new Promise(setImmediate)
    assert.equal(job.starts, 0)
    cleanedUp.resolve()
    await assert.rejects(left, { message: 'gone' })
    job.end(3)
    assert.deepEqual([await joined, job.starts], [3, 1])
  })

  it("lets the others try for themselves when somebody's work fails", async () => {
    const transfers = table()
    const [bad, good, first, second, third] = [work(), work(), waiter(), waiter(), waiter()]
    const failed = transfers.join('a', bad.start, first)
    const others = [transfers.join('a', good.start, second), transfers.join('a', good.start, third)]
    bad.fail(new Error('no access'))
    await assert.rejects(failed, { message: 'no access' })
    good.end(5)
    assert.deepEqual([await Promise.all(others), good.starts], [[5, 5], 1])
  })

  it('throws at once for a signal that has aborted', async () => {
    const transfers = table()
    const [job, first] = [work(), waiter()]
    first.leave(new Error('too late'))
    await assert.rejects(transfers.join('a', job.start, first), { message: 'too late' })
    assert.equal(job.starts, 0)
  })
})
