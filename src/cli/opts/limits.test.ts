import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseCpus, parseMemorySwap, parseRestartPolicy, parseUlimit } from './limits.ts'

describe('limits', () => {
  it('parseUlimit', () => {
    assert.deepEqual(parseUlimit('nofile=5:10'), { Name: 'nofile', Soft: 5, Hard: 10 })
    assert.deepEqual(parseUlimit('core=-1'), { Name: 'core', Soft: -1, Hard: -1 })
    assert.throws(() => parseUlimit('nofile=5:3'), { message: 'ulimit soft limit must be less than or equal to hard limit: 5 > 3' })
    assert.throws(() => parseUlimit('foo=1'), { message: 'invalid ulimit type: foo' })
  })

  it('parseCpus is exact', () => {
    assert.equal(parseCpus('1.5'), 1_500_000_000)
    assert.equal(parseCpus('.1'), 100_000_000)
    assert.equal(parseCpus('1/4'), 250_000_000)
    assert.throws(() => parseCpus('1/3'), { message: 'value is too precise' })
    assert.throws(() => parseCpus('x'), { message: 'failed to parse x as a rational number' })
  })

  it('parseMemorySwap and parseRestartPolicy', () => {
    assert.equal(parseMemorySwap('-1'), -1)
    assert.equal(parseMemorySwap('1g'), 2 ** 30)
    assert.deepEqual(parseRestartPolicy('on-failure:5'), { Name: 'on-failure', MaximumRetryCount: 5 })
    assert.throws(() => parseRestartPolicy(':5'), /no policy provided before colon/)
  })
})
