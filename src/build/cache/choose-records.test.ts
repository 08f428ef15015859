import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { CacheRecordInfo, CollectionRule } from './types.ts'
import { chooseRecords } from './choose-records.ts'

const NOW = 1_000_000
const RULE: CollectionRule = { all: true, filters: {}, keepDuration: 0, reservedSpace: 0, maxUsedSpace: 0, minFreeSpace: 0 }

function record(id: string, facts: Partial<CacheRecordInfo> = {}): CacheRecordInfo {
  return {
    id,
    parents: [],
    type: 'regular',
    description: id,
    inUse: false,
    shared: false,
    mutable: false,
    size: 10,
    createdAt: 0,
    lastUsedAt: undefined,
    usageCount: 0,
    ...facts,
  }
}

function chosen(records: readonly CacheRecordInfo[], rule: Partial<CollectionRule>, free = 1e12): string[] {
  return chooseRecords(records, { ...RULE, ...rule }, free, NOW).map(({ id }) => id)
}

describe('chooseRecords', () => {
  it('takes all without limits, children before parents', () => {
    assert.deepEqual(chosen([record('a'), record('b', { parents: ['a'] }), record('c', { parents: ['b'] })], {}), ['c', 'b', 'a'])
  })

  it('leaves what is in use, and what that was made of', () => {
    assert.deepEqual(chosen([record('a'), record('b', { parents: ['a'], inUse: true }), record('c')], {}), ['c'])
  })

  it('leaves internal and shared records unless all are meant', () => {
    const records = [record('a', { type: 'internal' }), record('b', { shared: true }), record('c')]
    assert.deepEqual(chosen(records, { all: false }), ['c'])
    assert.deepEqual(chosen(records, { all: true }).toSorted(), ['a', 'b', 'c'])
  })

  it('stops when enough is gone, what was used least first', () => {
    const records = [
      record('often', { lastUsedAt: 5, usageCount: 9 }),
      record('new', { lastUsedAt: 90, usageCount: 5 }),
      record('old', { lastUsedAt: 1, usageCount: 1 }),
    ]
    assert.deepEqual(chosen(records, { maxUsedSpace: 25 }), ['old'])
    assert.deepEqual(chosen(records, { maxUsedSpace: 15 }), ['old', 'often'])
    assert.deepEqual(chosen(records, { maxUsedSpace: 30 }), [])
  })

  it('frees the disk, but not below the reserve', () => {
    const records = [record('a', { lastUsedAt: 1 }), record('b', { lastUsedAt: 2 }), record('c', { lastUsedAt: 3 })]
    assert.deepEqual(chosen(records, { minFreeSpace: 100 }, 85), ['a', 'b'])
    assert.deepEqual(chosen(records, { minFreeSpace: 100, reservedSpace: 20 }, 0), ['a'])
    assert.deepEqual(chosen(records, { minFreeSpace: 100, reservedSpace: 20 }, 100), [])
  })

  it('does not count what images have, too', () => {
    assert.deepEqual(chosen([record('a', { shared: true }), record('b'), record('c')], { all: false, maxUsedSpace: 20 }), [])
  })

  it('leaves what was used lately', () => {
    const records = [record('used', { lastUsedAt: NOW - 10 }), record('made', { createdAt: NOW - 10 }), record('old', { lastUsedAt: 1 })]
    assert.deepEqual(chosen(records, { keepDuration: 100 }), ['old'])
  })

  it('filters', () => {
    const records = [record('abc'), record('x', { type: 'exec.cachemount', mutable: true })]
    assert.deepEqual(chosen(records, { filters: { type: ['source.local', 'exec.cachemount'] } }), ['x'])
    assert.deepEqual(chosen(records, { filters: { id: ['bc'] } }), ['abc'])
    assert.deepEqual(chosen(records, { filters: { mutable: [] } }), ['x'])
    assert.deepEqual(chosen(records, { filters: { private: ['false'] } }), [])
    assert.deepEqual(chosen(records, { filters: { 'type!': ['regular', 'internal'] } }), ['x'])
    assert.throws(() => chosen(records, { filters: { colour: ['red'] } }), /invalid filter 'colour'/)
  })
})
