import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseIdMap } from './id-map.ts'

test('parseIdMap reads ranges of users and groups, in both spellings', () => {
  assert.deepEqual(parseIdMap('uids=0:1000:1,33:33:2;gids=0:100:1'), {
    uids: [
      { container: 0, host: 1000, size: 1 },
      { container: 33, host: 33, size: 2 },
    ],
    gids: [{ container: 0, host: 100, size: 1 }],
  })
  assert.deepEqual(parseIdMap('uids=0-1000-1#5-5-1').uids.length, 2)
})

test('parseIdMap refuses what the kernel would refuse without a word', () => {
  for (const text of ['', 'uids=', 'uids=0:1', 'uids=0:1:0', 'uids=0:4294967295:1', 'users=0:1:1', 'uids=0:1:1;uids=5:5:1']) {
    assert.throws(() => parseIdMap(text), { code: 'INVALID_ARGUMENT' }, text)
  }
  assert.throws(() => parseIdMap('uids=0:1000:10,5:3000:1'), /ranges of uids overlap/)
  assert.throws(() => parseIdMap('gids=0:1000:10,50:1009:1'), /ranges of gids overlap/)
})
