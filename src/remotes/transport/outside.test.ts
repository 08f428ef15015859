import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isLocal, LocalAddressError, outsideLookup } from './outside.ts'

describe('isLocal', () => {
  const LOCAL = [
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f.1',
    '0.0.0.0',
    '0',
    '169.254.169.254',
    '224.0.0.1',
    '255.255.255.255',
    '[::1]',
    '[::]',
    '[fe80::1]',
    '[fd00:ec2::254]',
    '[ff02::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:a9fe:a9fe]',
    '[64:ff9b::169.254.169.254]',
  ]
  for (const host of LOCAL) {
    it(`is true for ${host}`, () => assert.equal(isLocal(new URL(`http://${host}/latest/`)), true))
  }
  for (const host of ['10.0.0.1', '192.168.1.1', '203.0.113.7', '[2001:db8::1]', '[fd12::1]', 'registry.example', 'localhost']) {
    it(`is false for ${host}`, () => assert.equal(isLocal(new URL(`http://${host}/`)), false))
  }
})

describe('outsideLookup', () => {
  it('refuses a name that leads to this machine', async () => {
    for (const all of [true, false]) {
      const { promise, resolve } = Promise.withResolvers<unknown>()
      outsideLookup('localhost', { all }, resolve)
      assert.ok((await promise) instanceof LocalAddressError)
    }
  })
})
