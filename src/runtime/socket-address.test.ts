import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeSocketAddress } from './socket-address.ts'

test('encodeSocketAddress writes sockaddr_in', () => {
  assert.equal(encodeSocketAddress(4, '192.168.1.2', 8080).toString('hex'), '02001f90c0a801020000000000000000')
})

test('encodeSocketAddress writes sockaddr_in6 of every spelling', () => {
  const of = (address: string): string => encodeSocketAddress(6, address, 53).subarray(8, 24).toString('hex')
  assert.equal(encodeSocketAddress(6, '::', 53).toString('hex'), '0a000035'.padEnd(56, '0'))
  assert.equal(of('::1'), '1'.padStart(32, '0'))
  assert.equal(of('fe80::1:2'), 'fe800000000000000000000000010002')
  assert.equal(of('1:2:3:4:5:6:7:8'), '00010002000300040005000600070008')
  assert.equal(of('::ffff:10.0.0.1'), '00000000000000000000ffff0a000001')
  assert.equal(of('2001:db8::'), '20010db8'.padEnd(32, '0'))
})

test('encodeSocketAddress refuses addresses of another family, and zones', () => {
  assert.throws(() => encodeSocketAddress(4, '::1', 1), { code: 'INVALID_ARGUMENT' })
  assert.throws(() => encodeSocketAddress(6, '1.2.3.4', 1), { code: 'INVALID_ARGUMENT' })
  assert.throws(() => encodeSocketAddress(6, 'fe80::1%eth0', 1), { code: 'INVALID_ARGUMENT' })
})
