import assert from 'node:assert/strict'
import type { BigIntStats } from 'node:fs'
import { describe, it } from 'node:test'
import { createFileDigests } from './file-digests.ts'

const OLD = { dev: 1n, ino: 2n, size: 3n, mtimeNs: 4n, ctimeNs: 5n } as BigIntStats
const DIGEST = 'ab'.repeat(32)

describe('createFileDigests', () => {
  it('knows files that look the same from run to run', () => {
    const first = createFileDigests(new Uint8Array())
    assert.equal(first.get(OLD), undefined)
    assert.equal(first.put(OLD, DIGEST), DIGEST)
    const second = createFileDigests(first.records())
    assert.equal(second.get(OLD), DIGEST)
    for (const name of ['dev', 'size', 'mtimeNs', 'ctimeNs', 'ino'] as const) {
      assert.equal(second.get({ ...OLD, [name]: 99n }), undefined, name)
    }
    assert.equal(createFileDigests(second.records()).get(OLD), DIGEST)
  })

  it('forgets what a run has not met, and never trusts what was just changed', () => {
    const first = createFileDigests(new Uint8Array())
    first.put(OLD, DIGEST)
    first.put({ ...OLD, ino: 7n, ctimeNs: BigInt(Date.now()) * 1_000_000n }, DIGEST)
    const second = createFileDigests(first.records())
    assert.equal(second.get({ ...OLD, ino: 7n }), undefined)
    assert.equal(second.records().length, 0)
  })
})
