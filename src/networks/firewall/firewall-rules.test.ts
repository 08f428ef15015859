import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { NftOperation } from '#kernel'
import { type FirewallNetwork, type PublishedPort, firewallRules, publishOperations, withdrawOperations } from './firewall-rules.ts'
import { parseCidr } from '../ipam/ip-address.ts'
import type { PortBinding } from '../types.ts'

/** What the rules mean to packets is tested in test/integration/networks, what they look like is docs/generated/nftables.md. */
const NETWORK: FirewallNetwork = { bridge: 'gantry0', subnet: parseCidr('172.17.0.0/16').subnet, masquerade: true, icc: true }

function port(hostPort: number, more: Partial<PortBinding> = {}): PublishedPort {
  return { binding: { containerPort: 80, protocol: 'tcp', hostIp: '0.0.0.0', hostPort, ...more }, containerAddress: '172.17.0.2' }
}

/** `chain: comment` of every rule, `set: elements` of every change. */
function outline(operations: readonly NftOperation[]): string[] {
  return operations.flatMap((operation) => {
    if (operation.op === 'add-rule') return [`${operation.chain}: ${operation.comment ?? ''}`]
    if (operation.op === 'add-elements' || operation.op === 'delete-elements')
      return [`${operation.op} ${operation.set}: ${operation.elements.length}`]
    return []
  })
}

suite('firewall rules', () => {
  test('replace the table in one transaction', () => {
    assert.deepEqual(
      firewallRules([NETWORK], [], false, false)
        .slice(0, 3)
        .map(({ op }) => op),
      ['add-table', 'delete-table', 'add-table'],
    )
  })

  test('masquerade leaves the network only when asked for', () => {
    const leaving = 'postrouting: into the world by an address of the host'
    assert.ok(outline(firewallRules([NETWORK], [], false, false)).includes(leaving))
    assert.ok(!outline(firewallRules([{ ...NETWORK, masquerade: false }], [], false, false)).includes(leaving))
  })

  test('networks whose containers may not talk are not in the set of those that may', () => {
    assert.ok(outline(firewallRules([NETWORK], [], false, false)).includes('add-elements talking: 1'))
    assert.ok(!outline(firewallRules([{ ...NETWORK, icc: false }], [], false, false)).some((line) => line.includes('talking:')))
  })

  test('the guard of forwarding is there when asked for', () => {
    const guard = 'forward_guard: forwarding was off before: no router for others'
    assert.ok(outline(firewallRules([NETWORK], [], true, false)).includes(guard))
    assert.ok(!outline(firewallRules([NETWORK], [], false, false)).includes(guard))
  })

  test('every jump leads to a chain made before, every lookup to a set', () => {
    const known = new Set<string>()
    for (const operation of firewallRules([NETWORK], [port(8080)], true, false)) {
      if (operation.op === 'add-chain') known.add(operation.chain)
      if (operation.op === 'add-set') known.add(operation.set)
      if (operation.op !== 'add-rule') continue
      for (const step of operation.expressions) {
        if (step.expr === 'lookup') assert.ok(known.has(step.set), step.set)
        if (step.expr === 'verdict' && typeof step.verdict !== 'string') assert.ok(known.has(step.verdict.jump), step.verdict.jump)
      }
    }
  })

  test('ports go into the map of their kind of address, protocol and port as key', () => {
    const operations = publishOperations([
      port(8080),
      port(53, { protocol: 'udp' }),
      port(443, { hostIp: '127.0.0.1' }),
      port(9, { protocol: 'sctp' }),
    ])
    assert.deepEqual(
      operations.map((operation) =>
        operation.op === 'add-elements' ? [operation.set, operation.elements.map(({ key }) => Buffer.concat(key).toString('hex'))] : [],
      ),
      [
        ['published_any', ['061f90', '110035', '840009']],
        ['published_address', ['7f0000010601bb']],
      ],
    )
  })

  test('withdrawing names the same elements', () => {
    const ports = [port(8080), port(443, { hostIp: '127.0.0.1' })]
    assert.deepEqual(
      withdrawOperations(ports).map((operation) => ({ ...operation, op: 'add-elements' })),
      publishOperations(ports),
    )
    assert.deepEqual(withdrawOperations([]), [])
  })
})
