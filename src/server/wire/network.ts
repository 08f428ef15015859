/** Networks: list and inspect. */

import { isIPv4 } from 'node:net'
import type { IpamPool, NetworkContainer, NetworkInspect, NetworkSummary } from '#api'
import type { Endpoint, IpamConfig, NetworkRecord } from '#networks'

export function encodeNetwork(network: NetworkRecord): NetworkSummary {
  return {
    Name: network.name,
    Id: network.id,
    Created: network.created,
    Scope: network.scope,
    Driver: network.driver,
    EnableIPv4: network.enableIPv4,
    EnableIPv6: network.enableIPv6,
    IPAM: {
      Driver: network.ipam.driver,
      Options: Object.keys(network.ipam.options).length > 0 ? network.ipam.options : null,
      Config: network.ipam.config.length > 0 ? network.ipam.config.map(encodePool) : null,
    },
    Internal: network.internal,
    Attachable: network.attachable,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Options: network.options,
    Labels: network.labels,
  }
}

function encodePool(pool: IpamConfig): IpamPool {
  return {
    Subnet: pool.subnet,
    ...(pool.ipRange ? { IPRange: pool.ipRange } : {}),
    ...(pool.gateway ? { Gateway: pool.gateway } : {}),
    ...(pool.auxAddresses && Object.keys(pool.auxAddresses).length > 0 ? { AuxiliaryAddresses: pool.auxAddresses } : {}),
  }
}

export function encodeNetworkContainer(endpoint: Endpoint, containerName: string): NetworkContainer {
  return {
    Name: containerName,
    EndpointID: endpoint.id,
    MacAddress: endpoint.macAddress,
    IPv4Address: endpoint.ipv4Address === '' ? '' : `${endpoint.ipv4Address}/${endpoint.ipv4PrefixLength}`,
    IPv6Address: endpoint.ipv6Address === '' ? '' : `${endpoint.ipv6Address}/${endpoint.ipv6PrefixLength}`,
  }
}

/** Addresses that nobody can have: the network's, the gateway's, and the broadcast address. */
const RESERVED_ADDRESSES = 3

/** Use of each IPv4 subnet, since 1.52. */
export function encodeNetworkStatus(network: NetworkRecord, endpoints: Endpoint[]): NonNullable<NetworkInspect['Status']> {
  const subnets = network.ipam.config.flatMap(({ subnet }) => {
    const [base = '', prefix = '32'] = subnet.split('/')
    if (!isIPv4(base)) return []
    const inUse = endpoints.length + RESERVED_ADDRESSES
    return [[subnet, { IPsInUse: inUse, DynamicIPsAvailable: Math.max(2 ** (32 - Number(prefix)) - inUse, 0) }] as const]
  })
  return { IPAM: { Subnets: Object.fromEntries(subnets) } }
}
