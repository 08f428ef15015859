import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { directoryOf, endpointOf } from './testing/directory.ts'
import { createZone } from './zone.ts'

const ID = '0123456789ab'.padEnd(64, 'c')

const ZONE = createZone(
  directoryOf(
    endpointOf({ containerId: 'me', networkName: 'one', dnsNames: ['me'], ipv4Address: '10.0.1.2', links: ['db:store', `${ID}:other`] }),
    endpointOf({ containerId: 'me', networkName: 'two.x', dnsNames: ['me'], ipv4Address: '10.0.2.2' }),
    endpointOf({ containerId: 'db', networkName: 'one', dnsNames: ['db', 'DATA'], ipv4Address: '10.0.1.3', ipv6Address: 'fd00::3' }),
    endpointOf({ containerId: 'x', networkName: 'one', dnsNames: ['store'], ipv4Address: '10.0.1.4' }),
    endpointOf({ containerId: ID, networkName: 'one', dnsNames: ['c', '0123456789ab', 'data'], ipv4Address: '10.0.1.5' }),
    endpointOf({ containerId: 'z', networkName: 'two.x', dnsNames: ['db'], ipv4Address: '10.0.2.3' }),
    endpointOf({ containerId: 'stranger', networkName: 'three', dnsNames: ['stranger'], ipv4Address: '10.0.3.2' }),
  ),
)

function addresses(name: string): string[] | undefined {
  const found = ZONE.addressesOf('me', name)
  return found && [...found.ipv4, ...found.ipv6]
}

suite('zone', () => {
  test('a name is that of the first network, unless the network is named too', () => {
    assert.deepEqual(addresses('db'), ['10.0.1.3', 'fd00::3'])
    assert.deepEqual(addresses('db.one'), ['10.0.1.3', 'fd00::3'])
    assert.deepEqual(addresses('db.two.x'), ['10.0.2.3'])
    assert.equal(addresses('db.x'), undefined)
    assert.equal(addresses('db.three'), undefined)
  })

  test('names given in any case are found in lower case, and shared', () => {
    assert.deepEqual(addresses('data'), ['10.0.1.3', '10.0.1.5', 'fd00::3'])
  })

  test('a link hides the name it is like, and may name its container by id', () => {
    assert.deepEqual(addresses('store'), ['10.0.1.3', 'fd00::3'])
    assert.deepEqual(addresses('other'), ['10.0.1.5'])
  })

  test('names of other networks are none', () => {
    assert.equal(addresses('stranger'), undefined)
    assert.equal(addresses('stranger.three'), undefined)
    assert.equal(ZONE.addressesOf('nobody', 'db'), undefined)
    assert.equal(ZONE.nameOf('me', '2.3.0.10.in-addr.arpa'), undefined)
  })

  test('a name too long for an answer gives way to the next', () => {
    const long = { containerId: 'l', networkName: 'n', ipv4Address: '10.0.9.2', dnsNames: ['x'.repeat(64), 'short'] }
    assert.equal(createZone(directoryOf(endpointOf(long))).nameOf('l', '2.9.0.10.in-addr.arpa'), 'short.n')
    const none = createZone(directoryOf(endpointOf({ ...long, dnsNames: ['x'.repeat(64)] })))
    assert.equal(none.nameOf('l', '2.9.0.10.in-addr.arpa'), undefined)
  })

  test('addresses lead back to the container name and its network', () => {
    assert.equal(ZONE.nameOf('me', '5.1.0.10.in-addr.arpa'), 'c.one')
    assert.equal(ZONE.nameOf('me', `3.${'0.'.repeat(27)}0.0.d.f.ip6.arpa`), 'db.one')
    assert.equal(ZONE.nameOf('me', '2.2.0.10.in-addr.arpa'), 'me.two.x')
  })
})
