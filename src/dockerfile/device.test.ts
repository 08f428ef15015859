import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseDevice } from './device.ts'

describe('parseDevice', () => {
  it('reads name and need', () => {
    assert.deepEqual(parseDevice('vendor.com/class=a'), { name: 'vendor.com/class=a', required: false })
    assert.deepEqual(parseDevice('name=vendor.com/class=a,required'), { name: 'vendor.com/class=a', required: true })
    assert.deepEqual(parseDevice('vendor.com/class,required=false'), { name: 'vendor.com/class', required: false })
  })
  it('refuses what it does not know', () => {
    assert.throws(() => parseDevice('a,b'), /invalid field 'b' must be a key=value pair/)
    assert.throws(() => parseDevice('a,b=c'), /unexpected key 'b' in 'b=c'/)
    assert.throws(() => parseDevice('a,name=b'), /device name already set to a/)
  })
})
