import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { addressBytes, addressOfBytes, contains, formatAddress, formatSubnet, overlap, parseAddress, parseCidr } from './ip-address.ts'

suite('addresses', () => {
  test('parseAddress and formatAddress are inverse up to the top of the range', () => {
    for (const text of ['0.0.0.0', '10.1.2.3', '255.255.255.255', '::', '::1', 'fd00::2:0:0:1', '1:2:3:4:5:6:7:8', 'fe80:0:0:1::1']) {
      assert.equal(formatAddress(parseAddress(text)), text)
      assert.equal(formatAddress(addressOfBytes(addressBytes(parseAddress(text)))), text)
    }
    assert.equal(addressBytes(parseAddress('192.0.2.1')).toString('hex'), 'c0000201')
    assert.equal(addressBytes(parseAddress('2001:db8::ff')).toString('hex'), '20010db80000000000000000000000ff')
  })

  test('formatAddress writes IPv6 as RFC 5952 says', () => {
    const forms = { '2001:DB8:0:0:8:0:0:1': '2001:db8::8:0:0:1', '1:0:2:0:0:3:4:5': '1:0:2::3:4:5', '1:0:2:3:4:5:6:7': '1:0:2:3:4:5:6:7' }
    for (const [text, form] of Object.entries(forms)) assert.equal(formatAddress(parseAddress(text)), form)
    assert.equal(formatAddress(parseAddress('64:ff9b::192.0.2.33')), '64:ff9b::c000:221')
    assert.equal(formatAddress(parseAddress('::ffff:192.0.2.1')), '192.0.2.1')
  })

  test('parseAddress is strict', () => {
    for (const text of ['', '1.2.3', '01.2.3.4', '256.1.1.1', ':::1', ' 1.2.3.4', 'fe80::1%eth0', '12345::']) {
      assert.throws(() => parseAddress(text), { code: 'INVALID_ARGUMENT', message: `invalid IP address: ${text}` })
    }
  })

  test('parseCidr finds the block of an address', () => {
    const { subnet, address } = parseCidr('172.17.0.1/16')
    assert.equal(formatSubnet(subnet), '172.17.0.0/16')
    assert.equal(formatAddress(address), '172.17.0.1')
    assert.equal(formatSubnet(parseCidr('fd00::1:2:3:4/64').subnet), 'fd00::/64')
    assert.equal(formatSubnet(parseCidr('200.1.2.3/0').subnet), '0.0.0.0/0')
    assert.equal(formatSubnet(parseCidr('200.1.2.3/32').subnet), '200.1.2.3/32')
  })

  test('parseCidr refuses what is none', () => {
    for (const text of ['172.17.0.1', '172.17.0.1/33', '172.17.0.1/x', 'a/8', '::/129', '1.2.3.4/8/9']) {
      assert.throws(() => parseCidr(text), { message: `invalid CIDR address: ${text}` })
    }
  })

  test('contains and overlap know the edges', () => {
    const block = parseCidr('10.0.0.0/24').subnet
    assert.deepEqual(
      ['10.0.0.0', '10.0.0.255', '10.0.1.0', '9.255.255.255'].map((text) => contains(block, parseAddress(text))),
      [true, true, false, false],
    )
    assert.ok(overlap(block, parseCidr('10.0.0.128/25').subnet))
    assert.ok(overlap(parseCidr('10.0.0.128/25').subnet, block))
    assert.ok(!overlap(block, parseCidr('10.0.1.0/24').subnet))
    assert.ok(!overlap(parseCidr('::/0').subnet, parseCidr('0.0.0.0/0').subnet))
  })
})
