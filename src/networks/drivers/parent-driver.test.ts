import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { create, host, request } from '../testing/fake-host.ts'
import { parentSettings, parseVlanName } from './parent-settings.ts'

const ETH0 = { index: 7, name: 'eth0', kind: '', up: true, master: 0, mac: '02:00:00:00:00:01', mtu: 1500, alias: '' }

suite('macvlan and ipvlan', () => {
  test('parentSettings understands the options, and refuses the others as Docker does', () => {
    const settings = (driver: string, options: Record<string, string>): unknown =>
      parentSettings({ id: 'ab'.repeat(32), driver, options }).link
    assert.deepEqual(settings('macvlan', { parent: 'eth0' }), { kind: 'macvlan', mode: 'bridge' })
    assert.deepEqual(settings('ipvlan', { ipvlan_mode: 'l3' }), { kind: 'ipvlan', mode: 'l3', flag: 'bridge' })
    assert.throws(() => settings('macvlan', { macvlan_mode: 'x' }), /requested macvlan mode 'x' is not valid/)
    assert.throws(() => settings('ipvlan', { ipvlan_flag: 'x' }), /requested ipvlan flag 'x' is not valid/)
    assert.throws(() => settings('macvlan', { parent: 'lo' }), /loopback interface is not a valid macvlan parent link/)
  })

  test('parseVlanName takes one dot and a VLAN that there can be', () => {
    assert.deepEqual(parseVlanName('eth0.10'), { parent: 'eth0', id: 10 })
    for (const name of ['eth0', 'eth0.1.2', 'eth0.x', 'eth0.0', 'eth0.4095'])
      assert.throws(() => parseVlanName(name), { code: 'INVALID_ARGUMENT' })
  })

  test('a missing VLAN link is made, and goes with the last network on it', async () => {
    const { restart, route } = host()
    const service = await restart()
    route.hostLinks.push(ETH0)
    const options = { parent: 'eth0.10' }
    for (const name of ['one', 'two']) await service.create({ ...create(name), driver: 'macvlan', options })
    assert.equal(route.link({ name: 'eth0.10' })?.kind, 'vlan')
    await service.remove('one')
    assert.ok(route.link({ name: 'eth0.10' }))
    assert.ok(route.link({ name: 'eth0' }))
  })

  test('without a parent the network is internal, on a dummy of its own', async () => {
    const { restart, route } = host()
    const service = await restart()
    const network = await service.create({ ...create('alone'), driver: 'macvlan' })
    assert.equal(network.internal, true)
    assert.equal(route.link({ name: `dm-${network.id.slice(0, 12)}` })?.kind, 'dummy')
    const { endpoints } = await service.attach(request('web', { networks: { alone: {} } }))
    assert.deepEqual([endpoints[0]?.ipv4Gateway, endpoints[0]?.hostInterface], ['', ''])
  })

  test('a routed ipvlan network has a default route by its link, and no MAC of its own', async () => {
    const { restart, route } = host()
    const service = await restart()
    route.hostLinks.push(ETH0)
    await service.create({ ...create('l3'), driver: 'ipvlan', options: { parent: 'eth0', ipvlan_mode: 'l3' } })
    const { endpoints } = await service.attach(request('web', { networks: { l3: {} } }))
    assert.deepEqual([endpoints[0]?.macAddress, endpoints[0]?.ipv4Gateway], ['', ''])
    await assert.rejects(service.attach(request('mac', { networks: { l3: { macAddress: '02:00:00:00:00:07' } } })), {
      message: 'ipvlan interfaces do not support custom mac address assignment',
    })
  })
})
