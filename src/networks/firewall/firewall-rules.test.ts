import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { NftOperation } from '#kernel'
import { type Family, parseAddress, parseCidr } from '../ipam/ip-address.ts'
import type { PortBinding } from '../types.ts'
import { type FirewallNetwork, type GatewayMode, type PublishedPort, changeNetworks, changePorts } from './firewall-elements.ts'
import { firewallRules } from './firewall-rules.ts'

/** What the rules mean to packets is tested in test/integration/networks, what they look like is docs/generated/nftables.md. */
const NETWORK: FirewallNetwork = {
  bridge: 'gantry0',
  families: {
    4: { subnet: parseCidr('172.17.0.0/16').subnet, mode: 'nat' },
    6: { subnet: parseCidr('fd00::/64').subnet, mode: 'nat' },
  },
  masquerade: true,
  icc: true,
  internal: false,
}

function withMode(mode: GatewayMode): FirewallNetwork {
  return { ...NETWORK, families: { 4: { subnet: parseCidr('172.17.0.0/16').subnet, mode } } }
}

function port(hostPort: number, more: Partial<PortBinding> = {}, open = false): PublishedPort {
  const binding: PortBinding = { containerPort: 80, protocol: 'tcp', hostIp: '0.0.0.0', hostPort, ...more }
  return { binding, containerAddress: binding.hostIp.includes(':') ? 'fd00::2' : '172.17.0.2', open, trusted: [] }
}

function publish(ports: PublishedPort[], family: Family = 4): NftOperation[] {
  return changePorts('add-elements', family, ports)
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
      firewallRules(4, [NETWORK], [], false, false)
        .slice(0, 3)
        .map(({ op }) => op),
      ['add-table', 'delete-table', 'add-table'],
    )
  })

  test('are the same for any number of networks and ports', () => {
    const rules = (networks: FirewallNetwork[], ports: PublishedPort[]): NftOperation[] =>
      firewallRules(4, networks, ports, false, false).filter(({ op }) => op === 'add-rule')
    assert.deepEqual(rules([NETWORK, { ...NETWORK, bridge: 'br-1' }], [port(8080)]), rules([], []))
  })

  test('masquerade leaves the network only when asked for, and where there is translation', () => {
    const sets = (network: FirewallNetwork): string[] => outline(changeNetworks('add-elements', 4, [network]))
    const masqueraded = 'add-elements masqueraded: 1'
    assert.ok(sets(NETWORK).includes(masqueraded))
    for (const other of [{ ...NETWORK, masquerade: false }, { ...NETWORK, internal: true }, withMode('routed')]) {
      assert.ok(!sets(other).includes(masqueraded))
    }
    const subnet = parseCidr('172.17.0.0/16').subnet
    const one = { ...NETWORK, families: { 4: { subnet, mode: 'nat' as const, hostAddress: parseAddress('192.0.2.1') } } }
    assert.ok(sets(one).includes('add-elements sources: 1') && !sets(one).includes(masqueraded))
  })

  test('networks are in the sets of what is allowed there', () => {
    const sets = (network: FirewallNetwork): string[] => outline(changeNetworks('add-elements', 4, [network]))
    assert.ok(sets(NETWORK).includes('add-elements talking: 1'))
    assert.ok(!sets({ ...NETWORK, icc: false }).includes('add-elements talking: 1'))
    assert.ok(sets({ ...NETWORK, internal: true }).includes('add-elements internal: 1'))
    assert.ok(sets(withMode('nat-unprotected')).includes('add-elements unprotected: 1'))
    assert.ok(sets(withMode('routed')).includes('add-elements routed: 1'))
  })

  test('a network is known by its bridge in a family it has not', () => {
    assert.deepEqual(outline(changeNetworks('add-elements', 6, [withMode('nat')])), ['add-elements bridges: 1', 'add-elements talking: 1'])
  })

  test('the guard of forwarding is there when asked for', () => {
    const guard = 'forward_guard: forwarding was off before: no router for others'
    assert.ok(outline(firewallRules(6, [NETWORK], [], true, false)).includes(guard))
    assert.ok(!outline(firewallRules(6, [NETWORK], [], false, false)).includes(guard))
  })

  test('every jump leads to a chain made before, every lookup to a set', () => {
    for (const family of [4, 6] as const) checkReferences(firewallRules(family, [NETWORK], [port(8080)], true, false))
  })

  function checkReferences(operations: readonly NftOperation[]): void {
    const known = new Set<string>()
    for (const operation of operations) {
      if (operation.op === 'add-chain') known.add(operation.chain)
      if (operation.op === 'add-set') known.add(operation.set)
      if (operation.op !== 'add-rule') continue
      for (const step of operation.expressions) {
        if (step.expr === 'lookup') assert.ok(known.has(step.set), step.set)
        if (step.expr === 'verdict' && typeof step.verdict !== 'string') assert.ok(known.has(step.verdict.jump), step.verdict.jump)
      }
    }
  }

  test('ports go into the map of their kind of address, protocol and port as key', () => {
    const operations = publish([
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

  test('ports of the other family are left to its table', () => {
    const ports = [port(8080), port(8080, { hostIp: '::' }), port(443, { hostIp: '::1' })]
    assert.deepEqual(outline(publish(ports)), ['add-elements published_any: 1'])
    assert.deepEqual(outline(publish(ports, 6)), ['add-elements published_any: 1', 'add-elements published_address: 1'])
  })

  test('a port without translation is only open; two that lead to one are open once', () => {
    assert.deepEqual(outline(publish([port(0, {}, true)])), ['add-elements open: 1'])
    assert.deepEqual(outline(publish([port(8080, {}, true), port(8081, {}, true)])), [
      'add-elements published_any: 2',
      'add-elements open: 1',
    ])
    assert.deepEqual(outline(publish([{ ...port(8080), trusted: ['lan0', 'lan1'] }])), [
      'add-elements published_any: 1',
      'add-elements open_trusted: 2',
    ])
  })

  test('withdrawing names the same elements', () => {
    const ports = [port(8080), port(443, { hostIp: '127.0.0.1' })]
    assert.deepEqual(
      changePorts('delete-elements', 4, ports).map((operation) => ({ ...operation, op: 'add-elements' })),
      publish(ports),
    )
    assert.deepEqual(publish([]), [])
  })
})
