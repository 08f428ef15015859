import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { mergeEnvironment, processEnvironment } from './environment.ts'

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

describe('processEnvironment', () => {
  it('is path, host name and home, and TERM with a terminal', () => {
    const none = { env: [], hostname: 'h', home: '/root' }
    assert.deepEqual(processEnvironment({ ...none, tty: false }), [PATH, 'HOSTNAME=h', 'HOME=/root'])
    assert.deepEqual(processEnvironment({ ...none, tty: true }), [PATH, 'HOSTNAME=h', 'TERM=xterm', 'HOME=/root'])
  })

  it('lets the container replace and remove defaults, home too', () => {
    const env = ['PATH=/bin', 'HOSTNAME', 'HOME=/elsewhere', 'A=b=c']
    assert.deepEqual(processEnvironment({ env, hostname: 'h', tty: false, home: '/root' }), ['PATH=/bin', 'HOME=/elsewhere', 'A=b=c'])
  })

  it('gives a home where the container sets an empty one and the user has none', () => {
    assert.equal(processEnvironment({ env: ['HOME='], hostname: 'h', tty: false, home: '' }).at(-1), 'HOME=/')
  })
})

describe('mergeEnvironment', () => {
  it('replaces in place, adds at the end, removes by a bare key', () => {
    assert.deepEqual(mergeEnvironment(['A=1', 'B=2', 'C=3'], ['B=two', 'D=4', 'A', 'NOT_THERE']), ['B=two', 'C=3', 'D=4'])
  })
})
