import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newDefaultNetwork } from './default-networks.ts'
import { createPlainDriver, NOWHERE } from './drivers/plain-driver.ts'
import { byGatewayOrder, gatewayEndpoints, type OrderedEndpoint } from './endpoint-order.ts'
import type { Endpoint } from './types.ts'

function endpoint(networkName: string, more: Partial<Endpoint> = {}, internal = false): OrderedEndpoint {
  const own = {
    id: networkName,
    networkId: networkName,
    networkName,
    containerId: 'c',
    interfaceName: '',
    aliases: [],
    links: [],
    dnsNames: [],
    ports: [],
  }
  return {
    endpoint: { ...NOWHERE, ...own, ...more },
    driver: createPlainDriver({ ...newDefaultNetwork('bridge', ''), internal }),
  }
}

test('byGatewayOrder looks at priority, internal, families and name, in this order', () => {
  const dual = { ipv4Gateway: '10.0.0.1', ipv6Gateway: 'fd00::1' }
  const ordered = [
    endpoint('z', { ipv4Gateway: '10.0.0.1' }),
    endpoint('a', { ipv4Gateway: '10.0.0.1' }),
    endpoint('dual', dual),
    endpoint('internal', dual, true),
    endpoint('low', { ...dual, gwPriority: -1 }),
    endpoint('high', { gwPriority: 1 }),
  ].toSorted(byGatewayOrder)
  assert.deepEqual(
    ordered.map((item) => item.endpoint.networkName),
    ['high', 'dual', 'a', 'z', 'internal', 'low'],
  )
  const gateways = gatewayEndpoints(ordered)
  assert.deepEqual([gateways[4]?.endpoint.networkName, gateways[6]?.endpoint.networkName], ['dual', 'dual'])
})

test('gatewayEndpoints finds the first of each family', () => {
  const ordered = [endpoint('four', { ipv4Gateway: '10.0.0.1' }), endpoint('six', { ipv6Gateway: 'fd00::1' })]
  const gateways = gatewayEndpoints(ordered)
  assert.deepEqual([gateways[4]?.endpoint.networkName, gateways[6]?.endpoint.networkName], ['four', 'six'])
  assert.deepEqual(gatewayEndpoints([endpoint('none')]), {})
})
