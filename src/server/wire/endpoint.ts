/** `EndpointSettings`: what is asked of a network, and what came of it. */

import type { ApiVersion, EndpointSettings } from '#api'
import type { Container, ContainerNetwork } from '#containers'
import type { Endpoint, EndpointRequest } from '#networks'
import { convert, field, integer, mapOf, struct, text, textList, textMap, type Codec } from './codec.ts'

type Addresses = Pick<EndpointRequest, 'ipv4Address' | 'ipv6Address' | 'linkLocalIPs'>

const ipam = struct<Addresses>('network.EndpointIPAMConfig', {
  ipv4Address: field('IPv4Address', text, { zero: 'omit' }),
  ipv6Address: field('IPv6Address', text, { zero: 'omit' }),
  linkLocalIPs: field('LinkLocalIPs', textList, { zero: 'omit' }),
})

type WireRequest = Omit<EndpointRequest, keyof Addresses> & { addresses?: Addresses }

/** The wire nests the addresses, the domain does not. */
export const endpointRequest: Codec<EndpointRequest> = convert(
  struct<WireRequest>('network.EndpointSettings', {
    addresses: field('IPAMConfig', ipam.complete({}), { absent: null }),
    links: field('Links', textList, { zero: 'null', absent: null }),
    aliases: field('Aliases', textList, { zero: 'null', absent: null }),
    macAddress: field('MacAddress', text, { absent: '' }),
    driverOpts: field('DriverOpts', textMap, { zero: 'null', absent: null }),
    gwPriority: field('GwPriority', integer('int'), { since: 48, absent: 0 }),
  }).complete({}),
  ({ addresses, ...rest }) => ({ ...rest, ...addresses }),
  ({ ipv4Address, ipv6Address, linkLocalIPs, ...rest }) => {
    const addresses: Addresses = {}
    if (ipv4Address) addresses.ipv4Address = ipv4Address
    if (ipv6Address) addresses.ipv6Address = ipv6Address
    if (linkLocalIPs !== undefined && linkLocalIPs.length > 0) addresses.linkLocalIPs = linkLocalIPs
    return Object.keys(addresses).length > 0 ? { ...rest, addresses } : rest
  },
)

/** Body member `NetworkingConfig`. */
export const networkingConfig: Codec<{ endpoints: Record<string, EndpointRequest> }> = struct<{
  endpoints: Record<string, EndpointRequest>
}>('network.NetworkingConfig', {
  endpoints: field(
    'EndpointsConfig',
    mapOf(endpointRequest, 'map[string]*network.EndpointSettings', () => ({})),
  ),
}).complete({ endpoints: {} })

/** All networks of a container by name: those asked for, filled with what the running endpoint has. */
export function encodeEndpoints(container: Container, version: ApiVersion): Record<string, EndpointSettings> {
  const result: Record<string, EndpointSettings> = {}
  for (const [name, request] of Object.entries(requestedNetworks(container))) {
    const endpoint = container.endpoints.find((candidate) => candidate.networkName === name || candidate.networkId === name)
    result[endpoint?.networkName ?? name] = encodeEndpoint(name, request, endpoint, container, version)
  }
  for (const endpoint of container.endpoints) {
    result[endpoint.networkName] ??= encodeEndpoint(endpoint.networkName, {}, endpoint, container, version)
  }
  return result
}

function encodeEndpoint(
  name: string,
  request: ContainerNetwork,
  endpoint: Endpoint | undefined,
  container: Container,
  version: ApiVersion,
): EndpointSettings {
  const asked = endpointRequest.encode(request, version) as EndpointSettings
  const settings: EndpointSettings = {
    ...asked,
    MacAddress: endpoint?.macAddress ?? asked.MacAddress,
    NetworkID: endpoint?.networkId ?? request.networkId ?? '',
    EndpointID: endpoint?.id ?? '',
    Gateway: endpoint?.ipv4Gateway ?? '',
    IPAddress: endpoint?.ipv4Address ?? '',
    IPPrefixLen: endpoint?.ipv4PrefixLength ?? 0,
    IPv6Gateway: endpoint?.ipv6Gateway ?? '',
    GlobalIPv6Address: endpoint?.ipv6Address ?? '',
    GlobalIPv6PrefixLen: endpoint?.ipv6PrefixLength ?? 0,
    DNSNames: isUserDefined(name) ? dnsNames(container, request, endpoint) : null,
  }
  // Up to 1.44 the short id and the host name were shown among the aliases. Source: moby `getContainersByName`.
  if (version < 45 && endpoint !== undefined && isUserDefined(endpoint.networkName)) {
    settings.Aliases = [...new Set([...(settings.Aliases ?? []), container.id.slice(0, 12), container.config.hostname])]
  }
  return settings
}

/** What answers for the container: as it is while it runs, as it was or will be once it has been on the network. */
function dnsNames(container: Container, request: ContainerNetwork, endpoint: Endpoint | undefined): string[] | null {
  if (endpoint !== undefined) return endpoint.dnsNames
  if (request.networkId === undefined) return null
  return [...new Set([container.name, ...(request.aliases ?? []), container.id.slice(0, 12), container.config.hostname])]
}

/** A container made with nothing but a network mode is on that network. */
function requestedNetworks(container: Container): Record<string, ContainerNetwork> {
  const { networkMode } = container.hostConfig
  if (Object.keys(container.networks).length > 0 || container.endpoints.length > 0) return container.networks
  if (networkMode.startsWith('container:')) return {}
  return { [networkMode === 'default' || networkMode === '' ? 'bridge' : networkMode]: {} }
}

function isUserDefined(network: string): boolean {
  return network !== 'bridge' && network !== 'host' && network !== 'none'
}
