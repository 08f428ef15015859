import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createRetainedLeases } from './retained-leases.ts'

const QUARTER = 15 * 60 * 1000

describe('createRetainedLeases', () => {
  it('keeps each lease for a quarter of an hour, or until its name is released', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const log: string[] = []
    const lease = (name: string): Disposable => ({ [Symbol.dispose]: () => void log.push(name) })
    const leases = createRetainedLeases({ released: () => log.push('collect') })
    leases.keep('a', lease('a1'))
    leases.keep('b', lease('b1'))
    t.mock.timers.tick(QUARTER / 2)
    leases.keep('a', lease('a2'))
    leases.keep('b', lease('b2'))
    leases.release('a')
    assert.deepEqual(log.splice(0), ['a1', 'a2'])
    t.mock.timers.tick(QUARTER / 2)
    assert.deepEqual(log.splice(0), ['b1', 'collect'])
    t.mock.timers.tick(QUARTER / 2)
    assert.deepEqual(log, ['b2', 'collect'])
  })
})
