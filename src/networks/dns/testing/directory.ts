import type { Endpoint, NameDirectory } from '../../types.ts'

/** An endpoint as far as names go; ids of networks are their names. */
export function endpointOf(given: Partial<Endpoint> & Pick<Endpoint, 'containerId' | 'networkName'>): Endpoint {
  return {
    id: `${given.containerId}@${given.networkName}`,
    networkId: given.networkName,
    interfaceName: 'eth0',
    hostInterface: '',
    macAddress: '',
    ipv4Address: '',
    ipv4PrefixLength: 0,
    ipv4Gateway: '',
    ipv6Address: '',
    ipv6PrefixLength: 0,
    ipv6Gateway: '',
    aliases: [],
    links: [],
    dnsNames: [],
    ports: [],
    ...given,
  }
}

/** Networks named `internal…` are internal. */
export function directoryOf(...endpoints: Endpoint[]): NameDirectory {
  const byNetwork = Map.groupBy(endpoints, ({ networkId }) => networkId)
  return {
    endpointsOf: (containerId) => endpoints.filter((endpoint) => endpoint.containerId === containerId),
    endpointsOn: (networkId) => byNetwork.get(networkId) ?? [],
    isInternal: (networkId) => networkId.startsWith('internal'),
  }
}
