import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { contains, formatIpv4, formatSubnet, ipv4Bytes, overlap, parseCidr, parseIpv4 } from './ip-address.ts'

suite('IPv4 addresses', () => {
  test('parseIpv4 and formatIpv4 are inverse up to the top of the range', () => {
    for (const text of ['0.0.0.0', '10.1.2.3', '255.255.255.255']) assert.equal(formatIpv4(parseIpv4(text)), text)
    assert.equal(ipv4Bytes(parseIpv4('192.0.2.1')).toString('hex'), 'c0000201')
  })

  test('parseIpv4 is strict', () => {
    for (const text of ['', '1.2.3', '01.2.3.4', '256.1.1.1', '::1', ' 1.2.3.4']) {
      assert.throws(() => parseIpv4(text), { code: 'INVALID_ARGUMENT', message: `invalid IPv4 address: ${text}` })
    }
  })

  test('parseCidr finds the block of an address', () => {
    const { subnet, address } = parseCidr('172.17.0.1/16')
    assert.equal(formatSubnet(subnet), '172.17.0.0/16')
    assert.equal(formatIpv4(address), '172.17.0.1')
    assert.equal(formatSubnet(parseCidr('200.1.2.3/0').subnet), '0.0.0.0/0')
    assert.equal(formatSubnet(parseCidr('200.1.2.3/32').subnet), '200.1.2.3/32')
  })

  test('parseCidr refuses what is none', () => {
    for (const text of ['172.17.0.1', '172.17.0.1/33', '172.17.0.1/x', 'a/8', '::/64', '1.2.3.4/8/9']) {
      assert.throws(() => parseCidr(text), { message: `invalid CIDR address: ${text}` })
    }
  })

  test('contains and overlap know the edges', () => {
    const block = parseCidr('10.0.0.0/24').subnet
    assert.deepEqual(
      ['10.0.0.0', '10.0.0.255', '10.0.1.0', '9.255.255.255'].map((text) => contains(block, parseIpv4(text))),
      [true, true, false, false],
    )
    assert.ok(overlap(block, parseCidr('10.0.0.128/25').subnet))
    assert.ok(overlap(parseCidr('10.0.0.128/25').subnet, block))
    assert.ok(!overlap(block, parseCidr('10.0.1.0/24').subnet))
  })
})
