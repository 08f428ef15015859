/**
 * The firewall as data: tables `ip gantry` and `ip6 gantry` as a pure function of the networks and the published ports. The rules are the same whatever
 * there is; networks and ports are elements of sets. What it does, chain by chain with the reasons, is drawn in docs/networking.md;
 * docs/generated/nftables.md shows the result.
 */

import type { NftExpression, NftOperation, NftTable } from '#kernel'
import type { Family } from '../ipam/ip-address.ts'
import { type FirewallNetwork, type PublishedPort, SETS, addSets, changeNetworks, changePorts } from './firewall-elements.ts'

export const FIREWALL_TABLES: Record<Family, NftTable> = { 4: { family: 'ip', table: 'gantry' }, 6: { family: 'ip6', table: 'gantry' } }

/** Chain that exists while we are the ones who turned forwarding on; see {@link firewallRules}. */
export const FORWARD_GUARD = 'forward_guard'

/** Where a header has its addresses, and how many of the 4-byte registers one takes. */
const LAYOUT = {
  4: { source: 12, destination: 16, length: 4, registers: 1, icmp: 1 },
  6: { source: 8, destination: 24, length: 16, registers: 4, icmp: 58 },
} as const
const NAME_REGISTERS = 4

// include/uapi/linux/netfilter/nf_conntrack_common.h; rtnetlink.h. Values of ct and fib are in the machine's byte order.
const CT_ESTABLISHED_RELATED = Buffer.of(0x06, 0, 0, 0)
const CT_STATUS_DNAT = Buffer.of(0x20, 0, 0, 0)
const ZERO = Buffer.alloc(4)
const RTN_LOCAL = Buffer.of(2, 0, 0, 0)

/**
 * Replaces the table: one transaction, so no packet meets a half-built one, and connections that stand keep their translation (conntrack has it).
 *
 * `guardForwarding`: we turned forwarding on, which makes the host a router for everybody. As dockerd does with its DROP policy, everything that has
 * nothing to do with our bridges is dropped then; a host that forwarded before is left as it was.
 *
 * `owned`: nobody else can change the table as long as the daemon lives.
 */
export function firewallRules(
  family: Family,
  networks: readonly FirewallNetwork[],
  published: readonly PublishedPort[],
  guardForwarding: boolean,
  owned: boolean,
): NftOperation[] {
  return [
    { op: 'add-table' }, // deleting a table that is not there would fail
    { op: 'delete-table' },
    { op: 'add-table', comment: 'gantry: made anew at every start of the daemon', owned },
    ...addSets(family),
    ...changeNetworks('add-elements', family, networks),
    ...changePorts('add-elements', family, published),
    ...(family === 4 ? loopbackProtection() : []),
    ...destinationTranslation(family),
    ...sourceTranslation(family),
    ...forwarding(family),
    ...(guardForwarding ? forwardGuard() : []),
  ]
}

/**
 * route_localnet on a bridge lets 127.0.0.1 of the host reach containers, and would let containers reach 127.0.0.1 of the host. Before conntrack,
 * because afterwards answers to the host have 127.0.0.1 as destination too. IPv6 has no such setting: the kernel itself drops ::1 from outside.
 */
function loopbackProtection(): NftOperation[] {
  const fromBridge = [interfaceName('iifname'), lookup(SETS.bridges)]
  return [
    { op: 'add-chain', chain: 'loopback_guard', hook: { type: 'filter', hook: 'prerouting', priority: -300 } },
    rule('loopback_guard', 'the services of the host on 127.0.0.1 are its own', [
      ...fromBridge,
      ...loopback(LAYOUT[4].destination),
      verdict('drop'),
    ]),
    rule('loopback_guard', 'nobody out there is 127.0.0.1', [...fromBridge, ...loopback(LAYOUT[4].source), verdict('drop')]),
  ]
}

/** The same for packets that arrive and packets of the host itself. */
function destinationTranslation(family: Family): NftOperation[] {
  const { registers } = LAYOUT[family]
  const toHost: NftExpression[] = [
    { expr: 'fib-daddr-type', to: 0 },
    { expr: 'compare', from: 0, is: 'equal', value: RTN_LOCAL },
    { expr: 'verdict', verdict: { jump: 'publish' } },
  ]
  const dnat: NftExpression = { expr: 'dnat', family, address: 0, port: registers }
  return [
    { op: 'add-chain', chain: 'publish' },
    rule('publish', 'ports published on one address', [
      address(family, 'destination', 0),
      ...protocolAndPort(registers),
      lookup(SETS.publishedAddress, 0),
      dnat,
    ]),
    rule('publish', 'ports published on all addresses', [...protocolAndPort(0), lookup(SETS.publishedAny, 0), dnat]),
    { op: 'add-chain', chain: 'prerouting', hook: { type: 'nat', hook: 'prerouting', priority: -100 } },
    family === 4
      ? rule('prerouting', 'a neighbour could send to 127.0.0.1 here', [...loopback(LAYOUT[4].destination, 'different'), ...toHost])
      : rule('prerouting', undefined, toHost),
    { op: 'add-chain', chain: 'output', hook: { type: 'nat', hook: 'output', priority: -100 } },
    rule('output', 'the host calls itself', toHost),
  ]
}

/** Where the answer would go astray otherwise. */
function sourceTranslation(family: Family): NftOperation[] {
  const overOwnBridge = (inverted: boolean): NftExpression[] => [
    interfaceName('oifname'),
    address(family, 'source', NAME_REGISTERS),
    { ...lookup(SETS.own), inverted },
  ]
  const fromHost = rule('postrouting', 'from 127.0.0.1 into a container', [
    interfaceName('oifname'),
    lookup(SETS.bridges),
    ...loopback(LAYOUT[4].source),
    { expr: 'masquerade' },
  ])
  return [
    { op: 'add-chain', chain: 'postrouting', hook: { type: 'nat', hook: 'postrouting', priority: 100 } },
    ...(family === 4 ? [fromHost] : []),
    // Answered directly over the bridge otherwise, past the translation.
    rule('postrouting', 'container to container by a published port', [
      ...overOwnBridge(false),
      ...wasTranslated(),
      { expr: 'masquerade' },
    ]),
    rule('postrouting', 'into the world by one address of the host', [
      ...overOwnBridge(true),
      address(family, 'source', 0),
      lookup(SETS.sources, 0),
      { expr: 'snat', family, address: 0 },
    ]),
    rule('postrouting', 'into the world by an address of the host', [
      ...overOwnBridge(true),
      address(family, 'source', 0),
      lookup(SETS.masqueraded),
      { expr: 'masquerade' },
    ]),
  ]
}

function forwarding(family: Family): NftOperation[] {
  const { registers, icmp } = LAYOUT[family]
  const incoming = 'to_containers'
  const destination = (from: number): NftExpression[] => [address(family, 'destination', from), ...protocolAndPort(from + registers)]
  return [
    { op: 'add-chain', chain: incoming },
    rule(incoming, 'internal networks are not reached', [interfaceName('oifname'), lookup(SETS.internal), verdict('drop')]),
    rule(incoming, undefined, [
      { expr: 'ct', key: 'state', to: 0 },
      { expr: 'mask', from: 0, to: 0, mask: CT_ESTABLISHED_RELATED },
      { expr: 'compare', from: 0, is: 'different', value: ZERO },
      verdict('accept'),
    ]),
    rule(incoming, 'came by a published port', [...wasTranslated(), verdict('accept')]),
    rule(incoming, 'networks that are open (nat-unprotected)', [interfaceName('oifname'), lookup(SETS.unprotected), verdict('accept')]),
    rule(incoming, 'networks without translation answer pings', [
      interfaceName('oifname'),
      lookup(SETS.routed),
      { expr: 'meta', key: 'l4proto', to: 0 },
      { expr: 'compare', from: 0, is: 'equal', value: Buffer.of(icmp) },
      verdict('accept'),
    ]),
    rule(incoming, 'ports that are open without translation', [...destination(0), lookup(SETS.open), verdict('accept')]),
    rule(incoming, 'the same, behind trusted interfaces', [
      interfaceName('iifname'),
      ...destination(NAME_REGISTERS),
      lookup(SETS.openTrusted),
      verdict('accept'),
    ]),
    rule(incoming, 'ports that are not published, other networks', [verdict('drop')]),
    { op: 'add-chain', chain: 'forward', hook: { type: 'filter', hook: 'forward', priority: 0 } },
    rule('forward', 'seen here only with bridge-nf-call-iptables', [
      interfaceName('iifname'),
      interfaceName('oifname', NAME_REGISTERS),
      lookup(SETS.talking),
      verdict('accept'),
    ]),
    rule('forward', 'internal networks lead nowhere', [interfaceName('iifname'), lookup(SETS.internal), verdict('drop')]),
    rule('forward', undefined, [interfaceName('oifname'), lookup(SETS.bridges), { expr: 'verdict', verdict: { jump: incoming } }]),
  ]
}

function forwardGuard(): NftOperation[] {
  const neither = (key: 'iifname' | 'oifname'): NftExpression[] => [interfaceName(key), { ...lookup(SETS.bridges), inverted: true }]
  return [
    { op: 'add-chain', chain: FORWARD_GUARD, hook: { type: 'filter', hook: 'forward', priority: 0 } },
    rule(FORWARD_GUARD, 'forwarding was off before: no router for others', [...neither('iifname'), ...neither('oifname'), verdict('drop')]),
  ]
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

function interfaceName(key: 'iifname' | 'oifname', to = 0): NftExpression {
  return { expr: 'meta', key, to }
}

function address(family: Family, which: 'source' | 'destination', to: number): NftExpression {
  const layout = LAYOUT[family]
  return { expr: 'payload', base: 'network', offset: layout[which], length: layout.length, to }
}

function protocolAndPort(to: number): NftExpression[] {
  return [
    { expr: 'meta', key: 'l4proto', to },
    { expr: 'payload', base: 'transport', offset: 2, length: 2, to: to + 1 }, // destination port of TCP, UDP and SCTP alike
  ]
}

/** 127.0.0.0/8 by its first byte. */
function loopback(offset: number, is: 'equal' | 'different' = 'equal'): NftExpression[] {
  return [
    { expr: 'payload', base: 'network', offset, length: 1, to: 0 },
    { expr: 'compare', from: 0, is, value: Buffer.of(127) },
  ]
}

function wasTranslated(): NftExpression[] {
  return [
    { expr: 'ct', key: 'status', to: 0 },
    { expr: 'mask', from: 0, to: 0, mask: CT_STATUS_DNAT },
    { expr: 'compare', from: 0, is: 'different', value: ZERO },
  ]
}
