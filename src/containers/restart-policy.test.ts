import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nextBackoff, shouldRestart, type RestartBackoff } from './restart-policy.ts'

describe('shouldRestart', () => {
  const ending = { exitCode: 0, manuallyStopped: false, restartCount: 0 }
  const policy = (name: 'no' | 'always' | 'on-failure' | 'unless-stopped', maximumRetryCount = 0) => ({ name, maximumRetryCount })

  it('no never restarts', () => {
    assert.equal(shouldRestart(policy('no'), { ...ending, exitCode: 1 }), false)
  })

  it('always restarts also what was stopped by hand, which matters when the daemon starts', () => {
    assert.equal(shouldRestart(policy('always'), { ...ending, manuallyStopped: true }), true)
  })

  it('unless-stopped restarts unless it was stopped by hand', () => {
    assert.equal(shouldRestart(policy('unless-stopped'), ending), true)
    assert.equal(shouldRestart(policy('unless-stopped'), { ...ending, manuallyStopped: true }), false)
  })

  it('on-failure restarts after a code other than 0, as often as it may', () => {
    assert.equal(shouldRestart(policy('on-failure'), ending), false)
    assert.equal(shouldRestart(policy('on-failure'), { ...ending, exitCode: 1, restartCount: 1000 }), true)
    assert.equal(shouldRestart(policy('on-failure', 2), { ...ending, exitCode: 1, restartCount: 1 }), true)
    assert.equal(shouldRestart(policy('on-failure', 2), { ...ending, exitCode: 1, restartCount: 2 }), false)
  })
})

describe('nextBackoff', () => {
  it('doubles from 100 ms to a minute', () => {
    const delays: number[] = []
    let backoff: RestartBackoff | undefined
    for (let run = 0; run < 12; run++) {
      backoff = nextBackoff(backoff, 5)
      delays.push(backoff.delayMs)
    }
    assert.deepEqual(delays, [100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000])
  })

  it('begins anew after a run of ten seconds', () => {
    assert.deepEqual(nextBackoff({ delayMs: 51200 }, 9_999), { delayMs: 60000 })
    assert.deepEqual(nextBackoff({ delayMs: 51200 }, 10_000), { delayMs: 100 })
  })
})
