import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { groupId } from './group-id.ts'

describe('groupId', () => {
  const groups = 'root:x:0:\ndocker:x:998:me\nbroken\n'

  it('finds a group by name and takes numbers as they are', () => {
    assert.equal(groupId('docker', groups), 998)
    assert.equal(groupId('44', groups), 44)
    assert.equal(groupId('nope', groups), undefined)
  })
})
