import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytesToKeep, defaultRules } from './collection-rules.ts'

describe('defaultRules', () => {
  it('are four, by the size of the disk', () => {
    const rules = defaultRules({ reservedSpace: 0, maxUsedSpace: 0, minFreeSpace: 0 }, 100 * 2 ** 30)
    assert.deepEqual(
      rules.map(({ all, reservedSpace, maxUsedSpace, minFreeSpace }) => [all, reservedSpace / 1e9, maxUsedSpace / 1e9, minFreeSpace / 1e9]),
      [
        [false, 0, 1.519933825, 0],
        [false, 11, 81, 21],
        [false, 11, 81, 21],
        [true, 11, 81, 21],
      ],
    )
  })

  it('are by what is configured', () => {
    const [temporary, , cap] = defaultRules({ reservedSpace: 1e9, maxUsedSpace: 0, minFreeSpace: 0 }, 1e15)
    assert.deepEqual([temporary?.maxUsedSpace, cap?.reservedSpace, cap?.minFreeSpace], [512e6, 1e9, 0])
  })
})

describe('bytesToKeep', () => {
  it('is the least that a limit says, but the reserve', () => {
    const rule = (reservedSpace: number, maxUsedSpace: number, minFreeSpace: number): object => ({
      reservedSpace,
      maxUsedSpace,
      minFreeSpace,
    })
    const keep = (of: object, used: number, free: number): number | undefined => bytesToKeep(of as never, used, free)
    assert.equal(keep(rule(0, 0, 0), 50, 0), undefined)
    assert.equal(keep(rule(10, 0, 0), 50, 0), 10)
    assert.equal(keep(rule(0, 30, 0), 50, 0), 30)
    assert.equal(keep(rule(0, 30, 20), 50, 0), 30)
    assert.equal(keep(rule(0, 0, 20), 50, 5), 35)
    assert.equal(keep(rule(0, 0, 20), 50, 30), Infinity)
    assert.equal(keep(rule(40, 0, 20), 50, 0), 40)
  })
})
