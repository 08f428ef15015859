import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Endpoint, IpamConfig } from '#networks'
import { fakeContainer, fakeNetwork } from '../testing/fake-services.ts'
import { encodeNetworkStatus } from './network-status.ts'

/** The status of one subnet as it goes over the wire. */
function status(pool: IpamConfig, endpoints: Partial<Endpoint>[] = []): string {
  const [like] = fakeContainer().endpoints
  assert.ok(like)
  const network = fakeNetwork({ ipam: { driver: 'default', options: {}, config: [pool] } })
  const { IPAM } = encodeNetworkStatus(
    network,
    endpoints.map((endpoint) => ({ ...like, ipv4Address: '', ipv6Address: '', ...endpoint })),
  )
  return JSON.stringify(IPAM?.Subnets?.[pool.subnet])
}

test('encodeNetworkStatus counts network, broadcast, gateway and containers', () => {
  const pool = { subnet: '172.18.0.0/16', gateway: '172.18.0.1' }
  assert.equal(status(pool, [{ ipv4Address: '172.18.0.2' }]), '{"IPsInUse":4,"DynamicIPsAvailable":65532}')
})

test('encodeNetworkStatus counts in an address range only what lies in it', () => {
  const pool = { subnet: '10.0.0.0/24', ipRange: '10.0.0.128/30', gateway: '10.0.0.1', auxAddresses: { in: '10.0.0.129', out: '10.0.0.9' } }
  assert.equal(status(pool, [{ ipv4Address: '10.0.0.128' }]), '{"IPsInUse":6,"DynamicIPsAvailable":2}')
})

test('encodeNetworkStatus of an IPv6 subnet has no broadcast address, and saturates', () => {
  const container = { ipv6Address: 'fd00:1::2' }
  assert.equal(status({ subnet: 'fd00:1::/120' }, [container]), '{"IPsInUse":2,"DynamicIPsAvailable":254}')
  assert.equal(status({ subnet: 'fd00:1::/64' }, [container]), '{"IPsInUse":2,"DynamicIPsAvailable":18446744073709551614}')
  assert.equal(status({ subnet: 'fd00:1::/48' }), '{"IPsInUse":1,"DynamicIPsAvailable":18446744073709551615}')
})
