import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkDnsSearch, checkExtraHost, checkIp, checkLink, isMacAddress } from './addresses.ts'

describe('addresses', () => {
  it('checkExtraHost takes colon, equals sign, brackets and host-gateway', () => {
    assert.equal(checkExtraHost('a:1.2.3.4'), 'a:1.2.3.4')
    assert.equal(checkExtraHost('a=::1'), 'a:::1')
    assert.equal(checkExtraHost('a:[::1]'), 'a:::1')
    assert.equal(checkExtraHost('a:host-gateway'), 'a:host-gateway')
    assert.throws(() => checkExtraHost('a'), { message: 'bad format for add-host: "a"' })
    assert.throws(() => checkExtraHost('a:b'), { message: 'invalid IP address in add-host: "b"' })
  })

  it('checkIp, checkDnsSearch, checkLink, isMacAddress', () => {
    assert.equal(checkIp(' 0:0::1 '), '::1')
    assert.equal(checkDnsSearch('example.com.'), 'example.com')
    assert.equal(checkDnsSearch('.'), '.')
    assert.throws(() => checkDnsSearch('-'), { message: '- is not a valid domain' })
    assert.throws(() => checkLink('a:b:c'), { message: 'bad format for links: a:b:c' })
    assert.deepEqual(['02:42:ac:11:00:02', '02-42-ac-11-00-02', '0242.ac11.0002', '02:42', 'x'].map(isMacAddress), [
      true,
      true,
      true,
      false,
      false,
    ])
  })
})
