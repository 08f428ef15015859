import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DEFAULT_LIMITS } from '../transport/limits.ts'
import { backoff } from './backoff.ts'
import { parseRetryAfter, RegistryError } from './registry-error.ts'

const within = (value: number | undefined, least: number, most: number): void =>
  assert.ok(value !== undefined && value >= least && value <= most, `${String(value)} is not within ${least} and ${most}`)

describe('backoff', () => {
  it('grows fourfold up to its maximum, a quarter more or less', () => {
    within(backoff(1, undefined, DEFAULT_LIMITS), 375, 625)
    within(backoff(2, undefined, DEFAULT_LIMITS), 1500, 2500)
    within(backoff(9, undefined, DEFAULT_LIMITS), 22_500, 37_500)
  })

  it('waits at least as long as the server wants, and not at all when that is too long', () => {
    assert.equal(backoff(1, new RegistryError('', { status: 429, retryAfter: 10_000 }), DEFAULT_LIMITS), 10_000)
    assert.equal(backoff(1, new RegistryError('', { status: 429, retryAfter: 3_600_000 }), DEFAULT_LIMITS), undefined)
  })
})

describe('parseRetryAfter', () => {
  const now = Date.parse('2026-01-01T00:00:00Z')
  const CASES: [string | undefined, number | undefined][] = [
    [undefined, undefined],
    ['120', 120_000],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['Thu, 01 Jan 2025 00:00:00 GMT', 0],
    ['soon', undefined],
  ]
  for (const [header, expected] of CASES) it(`reads ${String(header)}`, () => assert.equal(parseRetryAfter(header, now), expected))
})
