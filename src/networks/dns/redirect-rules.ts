import type { NftExpression, NftOperation, NftTable } from '#kernel'
import { addressBytes, parseAddress } from '../ipam/ip-address.ts'
import { RESOLVER_ADDRESS } from '../resolv-conf.ts'
import type { NameServerPorts } from '../types.ts'

/** In the container's namespace. */
export const RESOLVER_TABLE: NftTable = { family: 'ip', table: 'gantry_resolver' }

const DNS_PORT = 53
const ADDRESS = addressBytes(parseAddress(RESOLVER_ADDRESS))
const UDP = 17
const TCP = 6
const ICMP = 1
const ICMP_UNREACHABLE = 3
const TCP_RST = 0x04

/**
 * Port 53 of the resolver's address leads to where the resolver listens; so a server of the container's own may listen on port 53 of all addresses.
 * While no daemon is there nobody is told so: a refused question would be a failed one for most clients, an unanswered one is asked again.
 * The same operations again change nothing but the ports.
 */
export function redirectRules(ports: NameServerPorts): NftOperation[] {
  return [
    { op: 'add-table', comment: 'questions to 127.0.0.11 go to the container engine' },
    { op: 'add-set', set: 'listening', key: ['inet_proto', 'ipv4_addr', 'inet_service'], data: ['ipv4_addr', 'inet_service'] },
    ...moveRedirect(ports),
    { op: 'add-chain', chain: 'output', hook: { type: 'nat', hook: 'output', priority: -100 } },
    {
      op: 'add-rule',
      chain: 'output',
      expressions: [
        ...protocol(0),
        { expr: 'payload', base: 'network', offset: 16, length: 4, to: 1 },
        { expr: 'payload', base: 'transport', offset: 2, length: 2, to: 2 },
        { expr: 'lookup', set: 'listening', from: 0, to: 0 },
        { expr: 'dnat', family: 4, address: 0, port: 1 },
      ],
    },
    { op: 'add-chain', chain: 'silence', hook: { type: 'filter', hook: 'output', priority: 0 } },
    silence(ICMP, [
      { expr: 'payload', base: 'transport', offset: 0, length: 1, to: 0 },
      { expr: 'compare', from: 0, is: 'equal', value: Buffer.of(ICMP_UNREACHABLE) },
    ]),
    silence(TCP, [
      { expr: 'payload', base: 'transport', offset: 13, length: 1, to: 0 },
      { expr: 'mask', from: 0, to: 0, mask: Buffer.of(TCP_RST) },
      { expr: 'compare', from: 0, is: 'equal', value: Buffer.of(TCP_RST) },
    ]),
  ]
}

/** For a namespace that has the rules: the resolver listens elsewhere now. */
export function moveRedirect(ports: NameServerPorts): NftOperation[] {
  const element = (number: number, port: number): { key: Buffer[]; data: Buffer[] } => ({
    key: [Buffer.of(number), ADDRESS, portBytes(DNS_PORT)],
    data: [ADDRESS, portBytes(port)],
  })
  return [
    { op: 'flush-set', set: 'listening' },
    { op: 'add-elements', set: 'listening', elements: [element(UDP, ports.udp), element(TCP, ports.tcp)] },
  ]
}

/** The address comes first: every packet of the container passes here, and hardly any is from there. */
function silence(number: number, expressions: NftExpression[]): NftOperation {
  return {
    op: 'add-rule',
    chain: 'silence',
    expressions: [
      { expr: 'payload', base: 'network', offset: 12, length: 4, to: 0 },
      { expr: 'compare', from: 0, is: 'equal', value: ADDRESS },
      ...protocol(0),
      { expr: 'compare', from: 0, is: 'equal', value: Buffer.of(number) },
      ...expressions,
      { expr: 'verdict', verdict: 'drop' },
    ],
  }
}

function protocol(to: number): NftExpression[] {
  return [{ expr: 'meta', key: 'l4proto', to }]
}

function portBytes(port: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(port)
  return bytes
}
