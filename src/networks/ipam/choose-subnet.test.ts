import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { DEFAULT_ADDRESS_POOLS, chooseSubnet, poolsOf } from './choose-subnet.ts'
import { formatSubnet, parseCidr } from './ip-address.ts'

suite('chooseSubnet', () => {
  const choose = (taken: string[], pools = DEFAULT_ADDRESS_POOLS): string =>
    formatSubnet(
      chooseSubnet(
        4,
        pools,
        taken.map((text) => parseCidr(text).subnet),
      ),
    )

  test('takes the first block when nothing is in the way', () => {
    assert.equal(choose([]), '172.17.0.0/16')
  })

  test('goes past what overlaps, larger or smaller', () => {
    assert.equal(choose(['172.17.5.0/24', '172.18.0.0/15', '172.20.0.1/32']), '172.21.0.0/16')
    assert.equal(choose(['172.16.0.0/12']), '192.168.0.0/20')
  })

  test('takes blocks of the family asked for, and a unique local prefix that stays with the host where the pools have none', () => {
    const pools = poolsOf([], 'this host')
    const subnet = formatSubnet(chooseSubnet(6, pools, []))
    assert.match(subnet, /^fd[0-9a-f]{2}:[0-9a-f:]+::\/64$/)
    assert.equal(formatSubnet(chooseSubnet(6, poolsOf([], 'this host'), [])), subnet)
    assert.notEqual(formatSubnet(chooseSubnet(6, poolsOf([], 'another'), [])), subnet)
    const given = poolsOf([{ base: '2001:db8::/32', size: 64 }], 'this host')
    assert.equal(formatSubnet(chooseSubnet(6, given, [parseCidr('2001:db8::/64').subnet])), '2001:db8:0:1::/64')
  })

  test('fails when the pools are used up', () => {
    const pools = [{ base: '10.0.0.0/30', size: 31 }]
    assert.equal(choose(['10.0.0.0/31'], pools), '10.0.0.2/31')
    assert.throws(() => choose(['10.0.0.0/30'], pools), { message: 'all predefined address pools have been fully subnetted' })
  })
})
