import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type AddressPool, createAddressPool } from './address-pool.ts'
import { formatAddress, parseAddress, parseCidr } from './ip-address.ts'

function poolOf(cidr: string, options: { range?: string; links?: Set<string> } = {}): AddressPool {
  const { range, links = new Set() } = options
  return createAddressPool({
    subnet: parseCidr(cidr).subnet,
    ...(range !== undefined && { range: parseCidr(range).subnet }),
    linkExists: (name) => links.has(name),
  })
}

function allocate(pool: AddressPool, count: number): string[] {
  return Array.from({ length: count }, () => formatAddress(pool.allocate()))
}

suite('address pool', () => {
  test('gives addresses in order, without network and broadcast', () => {
    const pool = poolOf('10.0.0.0/29')
    pool.adopt(parseAddress('10.0.0.1'))
    assert.deepEqual(allocate(pool, 5), ['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6'])
    assert.throws(() => pool.allocate(), {
      code: 'RESOURCE_EXHAUSTED',
      message: "no available IPv4 addresses on this network's address pools",
    })
  })

  test('does not give a released address again before it came round', () => {
    const pool = poolOf('10.0.0.0/29')
    const [first = ''] = allocate(pool, 2)
    pool.release(parseAddress(first))
    assert.deepEqual(allocate(pool, 5), ['10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6', first])
  })

  test('keeps an address back while the link that had it exists', () => {
    const links = new Set(['veth1'])
    const pool = poolOf('10.0.0.0/30', { links })
    allocate(pool, 2)
    pool.release(parseAddress('10.0.0.1'), 'veth1')
    assert.throws(() => pool.allocate(), { code: 'RESOURCE_EXHAUSTED' })
    links.clear()
    assert.deepEqual(allocate(pool, 1), ['10.0.0.1'])
  })

  test('stays inside the range, which has no edges of its own', () => {
    assert.deepEqual(allocate(poolOf('10.0.0.0/24', { range: '10.0.0.64/30' }), 4), ['10.0.0.64', '10.0.0.65', '10.0.0.66', '10.0.0.67'])
  })

  test('uses both addresses of a /31', () => {
    assert.deepEqual(allocate(poolOf('10.0.0.0/31'), 2), ['10.0.0.0', '10.0.0.1'])
  })

  test('adopts what exists, and leaves other subnets alone', () => {
    const links = new Set(['veth1'])
    const pool = poolOf('10.0.0.0/30', { links })
    pool.adopt(parseAddress('10.0.0.1'), 'veth1')
    pool.adopt(parseAddress('10.0.0.1'), 'veth1')
    pool.adopt(parseAddress('192.168.0.1'))
    assert.deepEqual(allocate(pool, 1), ['10.0.0.2'])
    links.clear()
    assert.deepEqual(allocate(pool, 1), ['10.0.0.1'])
  })

  test('take gives exactly one address, once', () => {
    const pool = poolOf('10.0.0.0/29')
    pool.take(parseAddress('10.0.0.5'))
    assert.throws(() => pool.take(parseAddress('10.0.0.5')), { code: 'FORBIDDEN', message: 'Address already in use' })
    assert.throws(() => pool.take(parseAddress('10.0.0.7')), { code: 'FORBIDDEN' })
    assert.throws(() => pool.take(parseAddress('10.0.1.1')), { code: 'INVALID_ARGUMENT', message: /10\.0\.1\.1 is out of range/ })
    assert.deepEqual(allocate(pool, 5), ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.6'])
  })

  test('gives IPv6 addresses after the anycast address, of subnets of any size', () => {
    assert.deepEqual(allocate(poolOf('fd00::/64'), 2), ['fd00::1', 'fd00::2'])
    assert.deepEqual(allocate(poolOf('fd00::/127'), 2), ['fd00::', 'fd00::1'])
  })

  test('takes the release of an address nobody had', () => {
    const pool = poolOf('10.0.0.0/24')
    pool.release(parseAddress('10.0.0.5'), 'veth1')
    assert.deepEqual(allocate(pool, 1), ['10.0.0.1'])
  })
})
