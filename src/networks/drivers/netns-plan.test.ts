import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { parseIpv4 } from '../ipam/ip-address.ts'
import { type BridgedNamespace, bridgedNamespace, joinedNamespace, loopbackNamespace } from './netns-plan.ts'

const WANTED: BridgedNamespace = {
  hostLink: { index: 0x1234567, name: 'veth1234567' },
  bridgeIndex: 3,
  interfaceName: 'eth0',
  mac: '02:42:ac:11:00:02',
  mtu: 1500,
  address: parseIpv4('172.17.0.2'),
  prefixLength: 16,
  gateway: parseIpv4('172.17.0.1'),
  isolated: false,
  hairpin: false,
  disableIPv6: true,
  reserve: [{ containerPort: 80, protocol: 'tcp', hostIp: '0.0.0.0', hostPort: 8080 }],
}

/** Message types of a buffer: RTM_NEWLINK 16, RTM_SETLINK 19, RTM_NEWADDR 20, RTM_NEWROUTE 24. */
function types(bytes: Buffer): number[] {
  const found: number[] = []
  for (let at = 0; at < bytes.length; at += bytes.readUInt32LE(at)) found.push(bytes.readUInt16LE(at + 4))
  return found
}

suite('namespace plans', () => {
  test('bridgedNamespace makes the pair in one message and the inside in one send', () => {
    const plan = bridgedNamespace(WANTED)
    assert.deepEqual(
      plan.host.map(({ bytes }) => types(bytes)),
      [[16]],
    )
    assert.deepEqual(plan.inside.map(types), [[16, 20, 16, 24]])
    assert.deepEqual(plan.sysctls, [{ path: '/proc/sys/net/ipv6/conf/eth0/disable_ipv6', value: '1' }])
    assert.deepEqual(plan.reserve, [{ family: 4, protocol: 'tcp', address: '0.0.0.0', port: 8080 }])
  })

  test('bridgedNamespace says where the pid goes', () => {
    const [host] = bridgedNamespace(WANTED).host
    assert.deepEqual(
      host?.pidOffsets.map((offset) => [host.bytes.readUInt32LE(offset - 4), host.bytes.readUInt32LE(offset)]),
      [[8 | (19 << 16), 0]], // IFLA_NET_NS_PID, not filled in
    )
  })

  test('bridgedNamespace leaves out what is not wanted', () => {
    const plan = bridgedNamespace({ ...WANTED, gateway: 0, disableIPv6: false, reserve: [] })
    assert.deepEqual(plan.inside.map(types), [[16, 20, 16]])
    assert.deepEqual([plan.sysctls, plan.reserve], [[], []])
  })

  test('bridgedNamespace sets the port of the bridge when it must differ', () => {
    for (const change of [{ isolated: true }, { hairpin: true }]) {
      assert.deepEqual(
        bridgedNamespace({ ...WANTED, ...change }).host.map(({ bytes }) => types(bytes)),
        [[16, 19]],
      )
    }
  })

  test('loopbackNamespace brings lo up and no more', () => {
    const plan = loopbackNamespace()
    assert.deepEqual([plan.host, plan.sysctls, plan.reserve], [[], [], []])
    assert.deepEqual(plan.inside.map(types), [[16]])
  })

  test('joinedNamespace is that of the process', () => {
    assert.deepEqual(joinedNamespace(7), { mode: 'join', path: '/proc/7/ns/net' })
  })
})
