import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createRecent } from './recent.ts'

it('createRecent forgets what was not used for longest', () => {
  const recent = createRecent<string, number>(2)
  recent.set('a', 1)
  recent.set('b', 2)
  assert.equal(recent.get('a'), 1)
  recent.set('c', 3)
  assert.deepEqual(
    ['a', 'b', 'c'].map((key) => recent.get(key)),
    [1, undefined, 3],
  )
})
