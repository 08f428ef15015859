import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { lookUpUser } from './user-lookup.ts'

const FILES = {
  passwd: [
    'root:x:0:0:root:/root:/bin/ash',
    '# comment',
    'broken',
    'daemon:x:2:2:daemon:/sbin:/sbin/nologin',
    'web:x:1000:1001:Web,,,:/home/web:/bin/sh',
    '1234:x:1500:1500::/num:/bin/sh',
  ].join('\n'),
  group: ['root:x:0:root', 'bin:x:1:root,bin,daemon', 'web:x:1001:', 'wheel:x:10:root,web', 'audio:x:18:'].join('\n'),
}

describe('lookUpUser', () => {
  it('gives uid 0 with the groups of root for no user', () => {
    assert.deepEqual(lookUpUser(FILES, ''), { uid: 0, gid: 0, additionalGids: [0, 1, 10], home: '/root' })
  })

  it('finds a user by name with home, group and supplementary groups', () => {
    assert.deepEqual(lookUpUser(FILES, 'web'), { uid: 1000, gid: 1001, additionalGids: [10], home: '/home/web' })
  })

  it('takes digits as a uid, never as a name, and needs no entry for it', () => {
    assert.deepEqual(lookUpUser(FILES, '1000'), { uid: 1000, gid: 1001, additionalGids: [10], home: '/home/web' })
    assert.deepEqual(lookUpUser(FILES, '1234'), { uid: 1234, gid: 0, additionalGids: [], home: '/' })
  })

  it('an explicit group by name or number drops the supplementary ones', () => {
    assert.deepEqual(lookUpUser(FILES, 'root:audio'), { uid: 0, gid: 18, additionalGids: [], home: '/root' })
    assert.deepEqual(lookUpUser(FILES, '7:77'), { uid: 7, gid: 77, additionalGids: [], home: '/' })
  })

  it('adds groups by name and number', () => {
    assert.deepEqual(lookUpUser(FILES, '7', ['audio', '99']).additionalGids, [18, 99])
  })

  it("refuses unknown names with Docker's texts", () => {
    assert.throws(() => lookUpUser(FILES, 'nosuch'), { message: 'unable to find user nosuch: no matching entries in passwd file' })
    assert.throws(() => lookUpUser(FILES, 'web:nosuch'), { message: 'unable to find group nosuch: no matching entries in group file' })
    assert.throws(() => lookUpUser(FILES, '', ['nosuch']), { message: 'Unable to find group nosuch' })
  })

  it('refuses numbers the kernel does not take', () => {
    for (const bad of ['-1', '2147483648', '0:-1']) assert.throws(() => lookUpUser(FILES, bad), /must be in range 0-2147483647/, bad)
  })

  it('works without any files', () => {
    assert.deepEqual(lookUpUser({ passwd: '', group: '' }, ''), { uid: 0, gid: 0, additionalGids: [], home: '/' })
  })
})
