/** Networks: requests, list and inspect. */

import type { IpamPool, NetworkContainer, NetworkSummary } from '#api'
import type { Endpoint, EndpointRequest, IpamConfig, NetworkCreateRequest, NetworkRecord } from '#networks'
import { field, flag, list, struct, text, textMap, type StructCodec } from './codec.ts'
import { endpointRequest } from './endpoint.ts'

/** `automatic` is how the network service remembers which pools it chose itself. */
const pool = struct<Omit<IpamConfig, 'automatic'>>('network.IPAMConfig', {
  subnet: field('Subnet', text),
  ipRange: field('IPRange', text),
  gateway: field('Gateway', text),
  auxAddresses: field('AuxiliaryAddresses', textMap),
}).complete({ subnet: '' })

const NO_IPAM: NetworkRecord['ipam'] = { driver: '', options: {}, config: [] }

const ipam = struct<NetworkRecord['ipam']>('network.IPAM', {
  driver: field('Driver', text),
  options: field('Options', textMap),
  config: field('Config', list<IpamConfig>(pool, '[]network.IPAMConfig')),
}).complete(NO_IPAM)

const configReference = struct<{ network: string }>('network.ConfigReference', { network: field('Network', text) }).complete({
  network: '',
})

type CreateBody = Omit<NetworkCreateRequest, 'configFrom'> & { configFrom: { network: string } }

/** Body of `POST /networks/create`. What older versions say with `CheckDuplicate` is always so. */
export const networkCreate: StructCodec<CreateBody> = struct<CreateBody>('network.CreateRequest', {
  name: field('Name', text),
  driver: field('Driver', text),
  scope: field('Scope', text),
  enableIPv4: field('EnableIPv4', flag, { since: 48 }),
  enableIPv6: field('EnableIPv6', flag),
  ipam: field('IPAM', ipam),
  internal: field('Internal', flag),
  attachable: field('Attachable', flag),
  ingress: field('Ingress', flag),
  configOnly: field('ConfigOnly', flag),
  configFrom: field('ConfigFrom', configReference),
  options: field('Options', textMap),
  labels: field('Labels', textMap),
})

/** What was not said is what an empty field says. */
export function toCreateRequest({ configFrom, ...body }: Partial<CreateBody>): NetworkCreateRequest {
  return {
    name: '',
    driver: '',
    scope: '',
    ipam: NO_IPAM,
    internal: false,
    attachable: false,
    ingress: false,
    configOnly: false,
    options: {},
    labels: {},
    ...body,
    configFrom: configFrom?.network ?? '',
  }
}

interface ConnectBody {
  container: string
  endpoint: EndpointRequest
}

/** Body of `POST /networks/{id}/connect`. */
export const networkConnect: StructCodec<ConnectBody> = struct<ConnectBody>('network.ConnectRequest', {
  container: field('Container', text),
  endpoint: field('EndpointConfig', endpointRequest),
})

/** Body of `POST /networks/{id}/disconnect`. */
export const networkDisconnect: StructCodec<{ container: string; force: boolean }> = struct<{ container: string; force: boolean }>(
  'network.DisconnectRequest',
  { container: field('Container', text), force: field('Force', flag) },
)

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
    ConfigFrom: { Network: network.configFrom ?? '' },
    ConfigOnly: network.configOnly ?? false,
    Options: network.options,
    Labels: network.labels,
  }
}

function encodePool({ subnet, ipRange, gateway, auxAddresses }: IpamConfig): IpamPool {
  return {
    Subnet: subnet,
    ...(ipRange ? { IPRange: ipRange } : {}),
    ...(gateway ? { Gateway: gateway } : {}),
    ...(auxAddresses && Object.keys(auxAddresses).length > 0 ? { AuxiliaryAddresses: auxAddresses } : {}),
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
