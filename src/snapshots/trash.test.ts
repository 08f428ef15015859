import assert from 'node:assert/strict'
import { mkdirSync, mkdtempDisposableSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createTrash } from './trash.ts'
import type { Trash } from './trash.ts'
import type { Job, JobRunner } from './unpack/job.ts'

/** A trash whose deletions end in the turn of the event loop in which they begin. */
function setUp(): Disposable & { trash: Trash; content: () => string[]; discardOne: () => void } {
  const root = mkdtempDisposableSync(join(tmpdir(), 'trash-'))
  const directory = join(root.path, 'trash')
  const run = async (job: Job): Promise<void> => {
    assert.equal(job.kind, 'empty')
    for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true })
  }
  const jobs = { run, async [Symbol.asyncDispose]() {} } as JobRunner
  const trash = createTrash({ directory, jobs, report: assert.ifError })
  return {
    trash,
    content: () => readdirSync(directory),
    discardOne() {
      mkdirSync(join(root.path, 'thing'))
      trash.discard(join(root.path, 'thing'))
    },
    [Symbol.dispose]: () => root.remove(),
  }
}

describe('createTrash', () => {
  it('empty waits for what was discarded while, or just after, another run emptied it', async () => {
    using test = setUp()
    for (let turns = 0; turns < 12; turns++) {
      test.discardOne()
      const first = test.trash.empty()
      for (let turn = 0; turn < turns; turn++) await Promise.resolve()
      test.discardOne()
      await test.trash.empty()
      assert.deepEqual(test.content(), [], `after ${turns} turns`)
      await first
    }
  })

  it('discards nothing where there is nothing', async () => {
    using test = setUp()
    test.trash.discard('/nowhere/to/be/found')
    await test.trash.empty()
    assert.deepEqual(test.content(), [])
  })
})
