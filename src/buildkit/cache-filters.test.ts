import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCacheFilters } from './cache-filters.ts'

test('parseCacheFilters reads terms with their operators', () => {
  assert.deepEqual(
    { ...parseCacheFilters(['type==regular,inuse,description~="RUN, then.*make",type!=internal,id~=abc']) },
    {
      type: ['regular'],
      inuse: [],
      'description~': ['RUN, then.*make'],
      'type!': ['internal'],
      id: ['abc'],
    },
  )
  for (const wrong of ['!', 'id=="\\q"', 'id=="a']) assert.throws(() => parseCacheFilters([wrong]), { code: 'INVALID_ARGUMENT' })
  assert.deepEqual(Object.entries(parseCacheFilters(['constructor==a'])), [['constructor', ['a']]])
  assert.throws(() => parseCacheFilters(['description~=(a+)+']), /regular expressions in filters are not implemented in Gantry/)
  assert.throws(() => parseCacheFilters(['a', 'b']), { code: 'NOT_IMPLEMENTED' })
})
