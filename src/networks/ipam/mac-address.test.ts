import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from './ip-address.ts'
import { macOfAddress, macOfNetwork } from './mac-address.ts'

test('macOfAddress carries the address', () => {
  assert.equal(macOfAddress(parseAddress('172.17.0.2')), '02:42:ac:11:00:02')
})

test('macOfNetwork is the same for the same network only', () => {
  assert.match(macOfNetwork('a'), /^02:42(:[0-9a-f]{2}){4}$/)
  assert.equal(macOfNetwork('a'), macOfNetwork('a'))
  assert.notEqual(macOfNetwork('a'), macOfNetwork('b'))
})
