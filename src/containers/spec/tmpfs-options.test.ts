import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { tmpfsData, tmpfsOptions } from './tmpfs-options.ts'

describe('tmpfsOptions', () => {
  it('adds the defaults, and of each kind keeps the last', () => {
    assert.deepEqual(tmpfsOptions(''), ['noexec', 'nosuid', 'nodev', 'rprivate'])
    assert.deepEqual(tmpfsOptions('exec,size=1m,dev,size=2m,defaults,shared'), ['nosuid', 'exec', 'dev', 'size=2m', 'shared'])
  })
})

describe('tmpfsData', () => {
  it('writes size in the largest unit that divides it, and mode in octal', () => {
    const tmpfs = { sizeBytes: 3 << 20, mode: 0o700, options: [['exec'], ['uid', '5']] }
    assert.equal(tmpfsData(tmpfs, true), 'ro,mode=700,size=3m,exec,uid=5')
    assert.equal(tmpfsData({ sizeBytes: 1000, mode: 0, options: [] }, false), 'size=1000')
    assert.equal(tmpfsData({ sizeBytes: 2 ** 31, mode: 0, options: [] }, false), 'size=2g')
    assert.equal(tmpfsData(undefined, false), '')
  })
})
