/**
 * The firewall as data: all of table `ip gantry` as a pure function of the networks and the published ports. What it does, chain by chain with the
 * reasons, is drawn in docs/networking.md; docs/generated/nftables.md shows the result.
 */

import type { NftElement, NftExpression, NftOperation, NftTable } from '#kernel'
import { type Subnet, ipv4Bytes, parseIpv4, subnetSize } from '../ipam/ip-address.ts'
import type { PortBinding, PortProtocol } from '../types.ts'

export const FIREWALL_TABLE: NftTable = { family: 'ip', table: 'gantry' }

/** Chain that exists while we are the ones who turned forwarding on; see {@link firewallRules}. */
export const FORWARD_GUARD = 'forward_guard'

const BRIDGES = 'bridges'
const TALKING = 'talking'
const PUBLISHED_ADDRESS = 'published_address'
const PUBLISHED_ANY = 'published_any'

export interface FirewallNetwork {
  bridge: string
  subnet: Subnet
  /** Source NAT for what leaves the subnet (`--ip-masq`). */
  masquerade: boolean
  /** Containers of the network may talk to each other (`--icc`). */
  icc: boolean
}

/** A published port and where it leads. */
export interface PublishedPort {
  binding: PortBinding
  containerAddress: string
}

const PROTOCOLS: Record<PortProtocol, number> = { tcp: 6, udp: 17, sctp: 132 }
const ANY_ADDRESS = '0.0.0.0'

// include/uapi/linux/netfilter/nf_conntrack_common.h; rtnetlink.h. Values of ct and fib are in the machine's byte order.
const CT_ESTABLISHED_RELATED = Buffer.of(0x06, 0, 0, 0)
const CT_STATUS_DNAT = Buffer.of(0x20, 0, 0, 0)
const ZERO = Buffer.alloc(4)
const RTN_LOCAL = Buffer.of(2, 0, 0, 0)
const SOURCE_OFFSET = 12
const DESTINATION_OFFSET = 16

/**
 * Replaces the table: one transaction, so no packet meets a half-built one, and connections that stand keep their translation (conntrack has it).
 *
 * `guardForwarding`: we turned ip_forward on, which makes the host a router for everybody. As dockerd does with its DROP policy, everything that
 * has nothing to do with our bridges is dropped then; a host that forwarded before is left as it was.
 *
 * `owned`: nobody else can change the table as long as the daemon lives.
 */
export function firewallRules(
  networks: readonly FirewallNetwork[],
  published: readonly PublishedPort[],
  guardForwarding: boolean,
  owned: boolean,
): NftOperation[] {
  const bridges = networks.map(({ bridge }) => ({ key: [interfaceName(bridge)] }))
  const talking = networks.filter(({ icc }) => icc).map(({ bridge }) => ({ key: [interfaceName(bridge), interfaceName(bridge)] }))
  return [
    { op: 'add-table' }, // deleting a table that is not there would fail
    { op: 'delete-table' },
    { op: 'add-table', comment: 'gantry: made anew at every start of the daemon', owned },
    { op: 'add-set', set: BRIDGES, key: ['ifname'] },
    { op: 'add-set', set: TALKING, key: ['ifname', 'ifname'] },
    { op: 'add-set', set: PUBLISHED_ADDRESS, key: ['ipv4_addr', 'inet_proto', 'inet_service'], data: ['ipv4_addr', 'inet_service'] },
    { op: 'add-set', set: PUBLISHED_ANY, key: ['inet_proto', 'inet_service'], data: ['ipv4_addr', 'inet_service'] },
    ...addElements(BRIDGES, bridges),
    ...addElements(TALKING, talking),
    ...publishOperations(published),
    ...loopbackProtection(),
    ...translation(),
    ...forwarding(guardForwarding),
    ...networks.flatMap(leavingNetwork),
  ]
}

/** What publishing costs: one element per port. */
export function publishOperations(published: readonly PublishedPort[]): NftOperation[] {
  return changeElements('add-elements', published)
}

export function withdrawOperations(published: readonly PublishedPort[]): NftOperation[] {
  return changeElements('delete-elements', published)
}

/**
 * route_localnet on a bridge lets 127.0.0.1 of the host reach containers, and would let containers reach 127.0.0.1 of the host. Before conntrack,
 * because afterwards answers to the host have 127.0.0.1 as destination too.
 */
function loopbackProtection(): NftOperation[] {
  const fromBridge: NftExpression[] = [{ expr: 'meta', key: 'iifname', to: 0 }, lookup(BRIDGES)]
  return [
    { op: 'add-chain', chain: 'loopback_guard', hook: { type: 'filter', hook: 'prerouting', priority: -300 } },
    rule('loopback_guard', 'the services of the host on 127.0.0.1 are its own', [
      ...fromBridge,
      ...loopback(DESTINATION_OFFSET),
      verdict('drop'),
    ]),
    rule('loopback_guard', 'nobody out there is 127.0.0.1', [...fromBridge, ...loopback(SOURCE_OFFSET), verdict('drop')]),
  ]
}

/** Destination NAT, the same for packets that arrive and packets of the host itself; then source NAT where the answer would go astray. */
function translation(): NftOperation[] {
  const toHost: NftExpression[] = [
    { expr: 'fib-daddr-type', to: 0 },
    { expr: 'compare', from: 0, is: 'equal', value: RTN_LOCAL },
  ]
  const dnat: NftExpression = { expr: 'dnat', family: 4, address: 0, port: 1 }
  const protocolAndPort = (register: number): NftExpression[] => [
    { expr: 'meta', key: 'l4proto', to: register },
    { expr: 'payload', base: 'transport', offset: 2, length: 2, to: register + 1 }, // destination port of TCP, UDP and SCTP alike
  ]
  return [
    { op: 'add-chain', chain: 'publish' },
    rule('publish', 'ports published on one address', [
      address(DESTINATION_OFFSET),
      ...protocolAndPort(1),
      lookup(PUBLISHED_ADDRESS, 0),
      dnat,
    ]),
    rule('publish', 'ports published on all addresses', [...protocolAndPort(0), lookup(PUBLISHED_ANY, 0), dnat]),
    { op: 'add-chain', chain: 'prerouting', hook: { type: 'nat', hook: 'prerouting', priority: -100 } },
    rule('prerouting', 'a neighbour could send to 127.0.0.1 here', [
      ...loopback(DESTINATION_OFFSET, 'different'),
      ...toHost,
      { expr: 'verdict', verdict: { jump: 'publish' } },
    ]),
    { op: 'add-chain', chain: 'output', hook: { type: 'nat', hook: 'output', priority: -100 } },
    rule('output', 'the host calls itself', [...toHost, { expr: 'verdict', verdict: { jump: 'publish' } }]),
    { op: 'add-chain', chain: 'postrouting', hook: { type: 'nat', hook: 'postrouting', priority: 100 } },
    rule('postrouting', 'from 127.0.0.1 into a container', [
      { expr: 'meta', key: 'oifname', to: 0 },
      lookup(BRIDGES),
      ...loopback(SOURCE_OFFSET),
      { expr: 'masquerade' },
    ]),
  ]
}

function forwarding(guardForwarding: boolean): NftOperation[] {
  const operations: NftOperation[] = [
    { op: 'add-chain', chain: 'to_containers' },
    rule('to_containers', undefined, [
      { expr: 'ct', key: 'state', to: 0 },
      { expr: 'mask', from: 0, to: 0, mask: CT_ESTABLISHED_RELATED },
      { expr: 'compare', from: 0, is: 'different', value: ZERO },
      verdict('accept'),
    ]),
    rule('to_containers', 'came by a published port', [...wasTranslated(), verdict('accept')]),
    rule('to_containers', 'seen here only with bridge-nf-call-iptables', [
      { expr: 'meta', key: 'iifname', to: 0 },
      { expr: 'meta', key: 'oifname', to: 4 },
      lookup(TALKING),
      verdict('accept'),
    ]),
    rule('to_containers', 'ports that are not published, other networks', [verdict('drop')]),
    { op: 'add-chain', chain: 'forward', hook: { type: 'filter', hook: 'forward', priority: 0 } },
    rule('forward', undefined, [
      { expr: 'meta', key: 'oifname', to: 0 },
      lookup(BRIDGES),
      { expr: 'verdict', verdict: { jump: 'to_containers' } },
    ]),
  ]
  if (!guardForwarding) return operations
  const neither = (key: 'iifname' | 'oifname'): NftExpression[] => [
    { expr: 'meta', key, to: 0 },
    { ...lookup(BRIDGES), inverted: true },
  ]
  operations.push(
    { op: 'add-chain', chain: FORWARD_GUARD, hook: { type: 'filter', hook: 'forward', priority: 0 } },
    rule(FORWARD_GUARD, 'forwarding was off before: no router for others', [...neither('iifname'), ...neither('oifname'), verdict('drop')]),
  )
  return operations
}

function leavingNetwork({ bridge, subnet, masquerade }: FirewallNetwork): NftOperation[] {
  const fromSubnet = inSubnet(SOURCE_OFFSET, subnet)
  const outBy = (is: 'equal' | 'different'): NftExpression[] => [
    { expr: 'meta', key: 'oifname', to: 0 },
    { expr: 'compare', from: 0, is, value: interfaceName(bridge) },
  ]
  const operations = [
    // Answered directly over the bridge otherwise, past the translation.
    rule('postrouting', 'container to container by a published port', [
      ...fromSubnet,
      ...outBy('equal'),
      ...wasTranslated(),
      { expr: 'masquerade' },
    ]),
  ]
  if (masquerade)
    operations.push(
      rule('postrouting', 'into the world by an address of the host', [...fromSubnet, ...outBy('different'), { expr: 'masquerade' }]),
    )
  return operations
}

function changeElements(op: 'add-elements' | 'delete-elements', published: readonly PublishedPort[]): NftOperation[] {
  const onAny = published.filter(({ binding }) => binding.hostIp === ANY_ADDRESS)
  const onAddress = published.filter(({ binding }) => binding.hostIp !== ANY_ADDRESS)
  const element = ({ binding, containerAddress }: PublishedPort): NftElement => {
    const portKey = [Buffer.of(PROTOCOLS[binding.protocol]), portBytes(binding.hostPort)]
    const key = binding.hostIp === ANY_ADDRESS ? portKey : [ipv4Bytes(parseIpv4(binding.hostIp)), ...portKey]
    return { key, data: [ipv4Bytes(parseIpv4(containerAddress)), portBytes(binding.containerPort)] }
  }
  const elements: { set: string; elements: NftElement[] }[] = [
    { set: PUBLISHED_ANY, elements: onAny.map(element) },
    { set: PUBLISHED_ADDRESS, elements: onAddress.map(element) },
  ]
  return elements.filter((change) => change.elements.length > 0).map((change) => ({ op, ...change }))
}

function addElements(set: string, elements: NftElement[]): NftOperation[] {
  return elements.length === 0 ? [] : [{ op: 'add-elements', set, elements }]
}

function rule(chain: string, comment: string | undefined, expressions: NftExpression[]): NftOperation {
  return { op: 'add-rule', chain, expressions, ...(comment !== undefined && { comment }) }
}

function lookup(set: string, to?: number): Extract<NftExpression, { expr: 'lookup' }> {
  return { expr: 'lookup', set, from: 0, ...(to !== undefined && { to }) }
}

function verdict(what: 'accept' | 'drop'): NftExpression {
  return { expr: 'verdict', verdict: what }
}

function address(offset: number): NftExpression {
  return { expr: 'payload', base: 'network', offset, length: 4, to: 0 }
}

/** 127.0.0.0/8 by its first byte. */
function loopback(offset: number, is: 'equal' | 'different' = 'equal'): NftExpression[] {
  return [
    { expr: 'payload', base: 'network', offset, length: 1, to: 0 },
    { expr: 'compare', from: 0, is, value: Buffer.of(127) },
  ]
}

function inSubnet(offset: number, subnet: Subnet): NftExpression[] {
  return [
    address(offset),
    { expr: 'mask', from: 0, to: 0, mask: ipv4Bytes(2 ** 32 - subnetSize(subnet)) },
    { expr: 'compare', from: 0, is: 'equal', value: ipv4Bytes(subnet.address) },
  ]
}

function wasTranslated(): NftExpression[] {
  return [
    { expr: 'ct', key: 'status', to: 0 },
    { expr: 'mask', from: 0, to: 0, mask: CT_STATUS_DNAT },
    { expr: 'compare', from: 0, is: 'different', value: ZERO },
  ]
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
