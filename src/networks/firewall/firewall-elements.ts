/** Elements of the sets and maps: all that networks, endpoints and ports are to the firewall. Which rule reads which set is in `firewall-rules.ts`. */

import type { NftDatatype, NftElement, NftOperation } from '#kernel'
import { type Family, type IpAddress, type Subnet, addressBytes, lastOf, parseAddress } from '../ipam/ip-address.ts'
import { ANY_ADDRESS } from '../ports/port-request.ts'
import type { PortBinding, PortProtocol } from '../types.ts'

export type GatewayMode = 'nat' | 'nat-unprotected' | 'routed' | 'isolated'

/** What the firewall has to know of one network in one family. */
export interface FirewallFamily {
  subnet: Subnet
  mode: GatewayMode
  /** Source of what leaves the subnet instead of that of the outgoing interface. */
  hostAddress?: IpAddress
}

export interface FirewallNetwork {
  bridge: string
  families: Partial<Record<Family, FirewallFamily>>
  /** Source NAT for what leaves the subnet (`--ip-masq`). */
  masquerade: boolean
  /** Containers of the network may talk to each other (`--icc`). */
  icc: boolean
  /** Nothing comes in, nothing goes out. */
  internal: boolean
}

/** A published port and where it leads. */
export interface PublishedPort {
  binding: PortBinding
  containerAddress: string
  /** May be reached by the container's own address too: routed networks, `allow-direct-routing`. */
  open: boolean
  /** Host interfaces behind which it may be. */
  trusted: readonly string[]
}

/** Names as `nft list` shows them. */
export const SETS = {
  /** Bridges of ours. */
  bridges: 'bridges',
  /** Bridge twice, where containers may talk to each other. */
  talking: 'talking',
  /** Bridges of internal networks. */
  internal: 'internal',
  /** Bridges of networks whose containers are reached on all ports. */
  unprotected: 'unprotected',
  /** Bridges of networks without translation. */
  routed: 'routed',
  /** Bridge and addresses behind it. */
  own: 'own',
  /** Addresses that go into the world by one of the host's. */
  masqueraded: 'masqueraded',
  /** Addresses that go into the world by one address of the host. */
  sources: 'sources',
  publishedAddress: 'published_address',
  publishedAny: 'published_any',
  /** Container's address and port that may be reached as they are. */
  open: 'open',
  /** The same for one interface of the host. */
  openTrusted: 'open_trusted',
} as const

const PROTOCOLS: Record<PortProtocol, number> = { tcp: 6, udp: 17, sctp: 132 }

type SetOperation = Extract<NftOperation, { op: 'add-set' }>

export function addSets(family: Family): SetOperation[] {
  const address: NftDatatype = family === 4 ? 'ipv4_addr' : 'ipv6_addr'
  const target: NftDatatype[] = [address, 'inet_service']
  const byBridge = [SETS.bridges, SETS.internal, SETS.unprotected, SETS.routed]
  return [
    ...byBridge.map((set): SetOperation => ({ op: 'add-set', set, key: ['ifname'] })),
    { op: 'add-set', set: SETS.talking, key: ['ifname', 'ifname'] },
    { op: 'add-set', set: SETS.own, key: ['ifname', address], interval: true },
    { op: 'add-set', set: SETS.masqueraded, key: [address], interval: true },
    { op: 'add-set', set: SETS.sources, key: [address], data: [address], interval: true },
    { op: 'add-set', set: SETS.publishedAddress, key: [address, 'inet_proto', 'inet_service'], data: target },
    { op: 'add-set', set: SETS.publishedAny, key: ['inet_proto', 'inet_service'], data: target },
    { op: 'add-set', set: SETS.open, key: [address, 'inet_proto', 'inet_service'] },
    { op: 'add-set', set: SETS.openTrusted, key: ['ifname', address, 'inet_proto', 'inet_service'] },
  ]
}

type Change = 'add-elements' | 'delete-elements'

/** What a network costs: a handful of elements. A network without the family is known by its bridge all the same, so that nothing passes there. */
export function changeNetworks(op: Change, family: Family, networks: readonly FirewallNetwork[]): NftOperation[] {
  const named = (wanted: (network: FirewallNetwork) => boolean): NftElement[] =>
    networks.filter(wanted).map(({ bridge }) => ({ key: [interfaceName(bridge)] }))
  const mode = ({ families }: FirewallNetwork): GatewayMode | undefined => families[family]?.mode
  return changes(op, {
    [SETS.bridges]: named(() => true),
    [SETS.internal]: named(({ internal }) => internal),
    [SETS.unprotected]: named((network) => !network.internal && mode(network) === 'nat-unprotected'),
    [SETS.routed]: named((network) => !network.internal && mode(network) === 'routed'),
    [SETS.talking]: networks.filter(({ icc }) => icc).map(({ bridge }) => ({ key: [interfaceName(bridge), interfaceName(bridge)] })),
    ...changeSubnets(family, networks),
  })
}

function changeSubnets(family: Family, networks: readonly FirewallNetwork[]): Record<string, NftElement[]> {
  const own: NftElement[] = []
  const masqueraded: NftElement[] = []
  const sources: NftElement[] = []
  for (const { bridge, families, masquerade, internal } of networks) {
    const settings = families[family]
    if (settings === undefined) continue
    const { first, last } = edges(settings.subnet)
    const name = interfaceName(bridge)
    own.push({ key: [name, first], end: [name, last] })
    if (!masquerade || internal || settings.mode === 'routed') continue
    const { hostAddress } = settings
    if (hostAddress === undefined) masqueraded.push({ key: [first], end: [last] })
    else sources.push({ key: [first], end: [last], data: [addressBytes(hostAddress)] })
  }
  return { [SETS.own]: own, [SETS.masqueraded]: masqueraded, [SETS.sources]: sources }
}

/** What publishing costs: one element per port, and one more where it is open without translation. */
export function changePorts(op: Change, family: Family, ports: readonly PublishedPort[]): NftOperation[] {
  const onAny: NftElement[] = []
  const onAddress: NftElement[] = []
  const open = new Map<string, NftElement>() // two host ports may lead to one port of a container
  const openTrusted = new Map<string, NftElement>()
  const containers = new Map<string, Buffer>() // a range of ports leads to one address
  for (const port of ports) {
    const { binding } = port
    if (familyOf(binding) !== family) continue
    const protocol = Buffer.of(PROTOCOLS[binding.protocol])
    const container = containers.get(port.containerAddress) ?? addressBytes(parseAddress(port.containerAddress))
    containers.set(port.containerAddress, container)
    const target = [container, protocol, portBytes(binding.containerPort)]
    if (binding.hostPort !== 0) {
      const data = [container, portBytes(binding.containerPort)]
      const key = [protocol, portBytes(binding.hostPort)]
      if (binding.hostIp === ANY_ADDRESS[family]) onAny.push({ key, data })
      else onAddress.push({ key: [addressBytes(parseAddress(binding.hostIp)), ...key], data })
    }
    const name = `${port.containerAddress}/${binding.protocol}/${binding.containerPort}`
    if (port.open) open.set(name, { key: target })
    for (const trusted of port.trusted) openTrusted.set(`${trusted}/${name}`, { key: [interfaceName(trusted), ...target] })
  }
  return changes(op, {
    [SETS.publishedAny]: onAny,
    [SETS.publishedAddress]: onAddress,
    [SETS.open]: [...open.values()],
    [SETS.openTrusted]: [...openTrusted.values()],
  })
}

export function familyOf({ hostIp }: PortBinding): Family {
  return hostIp.includes(':') ? 6 : 4
}

function changes(op: Change, elements: Record<string, NftElement[]>): NftOperation[] {
  return Object.entries(elements).flatMap(([set, list]) => (list.length === 0 ? [] : [{ op, set, elements: list }]))
}

function edges(subnet: Subnet): { first: Buffer; last: Buffer } {
  const { family } = subnet
  return { first: addressBytes({ family, value: subnet.first }), last: addressBytes({ family, value: lastOf(subnet) }) }
}

/** Padded with zeros to IFNAMSIZ, as the kernel compares. */
function interfaceName(name: string): Buffer {
  const bytes = Buffer.alloc(16)
  bytes.write(name)
  return bytes
}

function portBytes(port: number): Buffer {
  return Buffer.of(port >> 8, port & 0xff)
}
