import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { parseAddress } from '../ipam/ip-address.ts'
import type { LinkConfiguration } from './driver.ts'
import { type NamespaceRequest, joinedNamespace, newNamespace } from './netns-plan.ts'

const ETH0: LinkConfiguration = {
  index: 64,
  name: 'eth0',
  addresses: [{ address: parseAddress('172.17.0.2'), prefixLength: 16 }],
  disableIPv6: true,
  sysctls: [{ path: 'net/ipv4/conf/eth0/log_martians', value: '1' }],
}

const WANTED: NamespaceRequest = {
  links: [{ host: [{ bytes: Buffer.of(1), pidOffsets: [0] }], configuration: ETH0 }],
  routes: [{ family: 4, linkIndex: 64, gateway: parseAddress('172.17.0.1') }],
  reserve: [{ containerPort: 80, protocol: 'tcp', hostIp: '0.0.0.0', hostPort: 8080 }],
}

/** Message types of a buffer: RTM_NEWLINK 16, RTM_NEWADDR 20, RTM_NEWROUTE 24. */
function types(bytes: Buffer): number[] {
  const found: number[] = []
  for (let at = 0; at < bytes.length; at += bytes.readUInt32LE(at)) found.push(bytes.readUInt16LE(at + 4))
  return found
}

suite('namespace plans', () => {
  test('newNamespace makes the inside in one send: lo, address, up, route', () => {
    const plan = newNamespace(WANTED)
    assert.deepEqual(plan.host, WANTED.links[0]?.host)
    assert.deepEqual(plan.inside.map(types), [[16, 20, 16, 24]])
    assert.deepEqual(plan.sysctls, [
      { path: '/proc/sys/net/ipv6/conf/eth0/disable_ipv6', value: '1' },
      { path: '/proc/sys/net/ipv4/conf/eth0/log_martians', value: '1' },
    ])
    assert.deepEqual(plan.reserve, [{ family: 4, protocol: 'tcp', address: '0.0.0.0', port: 8080 }])
  })

  test('newNamespace makes all links before the routes', () => {
    const address = { address: parseAddress('fd00::2'), prefixLength: 64 }
    const eth1 = { ...ETH0, index: 65, name: 'eth1', addresses: [...ETH0.addresses, address], disableIPv6: false, sysctls: [] }
    const plan = newNamespace({
      links: [...WANTED.links, { host: [], configuration: eth1 }],
      routes: [...WANTED.routes, { family: 6, linkIndex: 65, gateway: parseAddress('fd00::1') }],
      reserve: [{ containerPort: 80, protocol: 'tcp', hostIp: '::', hostPort: 8080 }],
    })
    assert.deepEqual(plan.inside.map(types), [[16, 20, 16, 20, 20, 16, 24, 24]])
    assert.deepEqual(plan.reserve, [{ family: 6, protocol: 'tcp', address: '::', port: 8080 }])
  })

  test('newNamespace without links is lo and no more, and ports that are only open need no socket', () => {
    const plan = newNamespace({ links: [], routes: [], reserve: [{ containerPort: 80, protocol: 'tcp', hostIp: '::', hostPort: 0 }] })
    assert.deepEqual([plan.host, plan.sysctls, plan.reserve], [[], [], []])
    assert.deepEqual(plan.inside.map(types), [[16]])
  })

  test('joinedNamespace is that of the process', () => {
    assert.deepEqual(joinedNamespace(7), { mode: 'join', path: '/proc/7/ns/net' })
  })
})
