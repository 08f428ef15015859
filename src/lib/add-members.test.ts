import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addMembers } from './add-members.ts'

test('addMembers adds, replaces, and keeps a member named __proto__ as a member', () => {
  const map: Record<string, string> = { a: '1', b: '2' }
  addMembers(map, [
    ['b', '3'],
    ['__proto__', 'x'],
  ])
  assert.deepEqual(Object.entries(map), [
    ['a', '1'],
    ['b', '3'],
    ['__proto__', 'x'],
  ])
})
