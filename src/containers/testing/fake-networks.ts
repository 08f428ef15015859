import { invalidArgument, notFound } from '#errors'
import { randomId } from '#lib'
import type { Endpoint, EndpointChange, EndpointRequest, NetworkRecord, NetworkService } from '#networks'

/** Networks that exist by name alone: an address is made of the network's place in the list and of the container's. */
export class FakeNetworks {
  readonly records: NetworkRecord[] = ['bridge', 'host', 'none'].map((name) => record(name))
  /** Containers with a network. */
  readonly attached: Set<string> = new Set()
  /** Containers whose names are answered. */
  readonly served: Set<string> = new Set()
  readonly #endpoints = new Map<string, Endpoint[]>()

  add(name: string): NetworkRecord {
    const made = record(name)
    this.records.push(made)
    return made
  }

  remove(name: string): void {
    this.records.splice(this.records.indexOf(this.#get(name)), 1)
  }

  readonly service: NetworkService = {
    list: () => this.records,
    get: (ref: string) => this.#get(ref),
    endpoints: (id: string) => [...this.#endpoints.values()].flat().filter(({ networkId }) => networkId === id),
    endpointsOf: (id: string) => this.#endpoints.get(id) ?? [],
    rename: (id: string, { containerName }: { containerName: string }) => {
      this.#endpoints.set(
        id,
        (this.#endpoints.get(id) ?? []).map((endpoint) => ({ ...endpoint, dnsNames: [containerName] })),
      )
      return this.#endpoints.get(id)
    },
    validateEndpoint: (_ref: string, { ipv4Address }: EndpointRequest) => {
      if (ipv4Address === 'bad') throw invalidArgument('invalid endpoint settings:\ninvalid IPv4 address: bad')
    },
    serveNames: async ({ containerId }: { containerId: string }) => void this.served.add(containerId),
    stopNames: async (id: string) => void this.served.delete(id),
    attach: async ({ containerId, networks }: { containerId: string; networks: Record<string, EndpointRequest> }) => {
      const endpoints = Object.keys(networks).map((ref) => this.#endpoint(containerId, this.#get(ref)))
      this.#endpoints.set(containerId, endpoints)
      this.attached.add(containerId)
      return { plan: { mode: 'new', host: [], inside: [], sysctls: [], reserve: [] }, endpoints }
    },
    connect: async ({ containerId, network: ref }: { containerId: string; network: string }): Promise<EndpointChange> => {
      const network = this.#get(ref)
      const endpoint = this.#endpoint(containerId, network)
      const endpoints = [...(this.#endpoints.get(containerId) ?? []), endpoint]
      this.#endpoints.set(containerId, endpoints)
      return { network, endpoint, endpoints }
    },
    disconnect: async ({ containerId, network: ref }: { containerId: string; network: string }): Promise<EndpointChange> => {
      const network = this.#get(ref)
      const endpoint = this.#endpoint(containerId, network)
      const endpoints = (this.#endpoints.get(containerId) ?? []).filter(({ networkId }) => networkId !== network.id)
      this.#endpoints.set(containerId, endpoints)
      return { network, endpoint, endpoints }
    },
    release: async (id: string) => this.#release(id),
    restore: async (alive: ReadonlySet<string>) => {
      for (const id of this.attached) if (!alive.has(id)) this.#release(id)
    },
  } as unknown as NetworkService

  /** Containers in the order they came have .2, .3 … */
  #numberOf(containerId: string): number {
    const known = [...this.#endpoints.keys()].indexOf(containerId)
    return 2 + (known < 0 ? this.#endpoints.size : known)
  }

  #release(id: string): void {
    this.attached.delete(id)
    this.#endpoints.delete(id)
  }

  #get(ref: string): NetworkRecord {
    const found = this.records.find(({ id, name }) => id === ref || name === ref)
    if (found === undefined) throw notFound(`network ${ref} not found`)
    return found
  }

  #endpoint(containerId: string, network: NetworkRecord): Endpoint {
    return {
      id: `${network.id.slice(0, 32)}${containerId.slice(0, 32)}`,
      networkId: network.id,
      networkName: network.name,
      containerId,
      interfaceName: 'eth0',
      hostInterface: 'veth0',
      macAddress: '02:42:ac:11:00:02',
      ipv4Address: `172.${17 + this.records.indexOf(network)}.0.${this.#numberOf(containerId)}`,
      ipv4PrefixLength: 16,
      ipv4Gateway: `172.${17 + this.records.indexOf(network)}.0.1`,
      ipv6Address: '',
      ipv6PrefixLength: 0,
      ipv6Gateway: '',
      aliases: [],
      links: [],
      dnsNames: [],
      ports: [],
    }
  }
}

function record(name: string): NetworkRecord {
  return {
    id: randomId(),
    name,
    driver: name === 'host' ? 'host' : name === 'none' ? 'null' : 'bridge',
    scope: 'local',
    internal: false,
    attachable: false,
    enableIPv4: true,
    enableIPv6: false,
    ipam: { driver: 'default', options: {}, config: [] },
    options: {},
    labels: {},
    created: '2026-01-02T03:04:05Z',
  }
}
