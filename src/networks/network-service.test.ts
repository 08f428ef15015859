import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { createNetworkService } from './network-service.ts'
import { endpointRows, host, OPTIONS, request, WEB } from './testing/fake-host.ts'
import type { NetworkAttachRequest } from './types.ts'

suite('network service', () => {
  test('restore makes the default networks once, with ids that stay', async () => {
    const { restart } = host()
    const first = (await restart()).list()
    assert.deepEqual(
      first.map(({ name, driver, scope }) => [name, driver, scope]),
      [
        ['bridge', 'bridge', 'local'],
        ['host', 'host', 'local'],
        ['none', 'null', 'local'],
      ],
    )
    assert.deepEqual((await restart()).list(), first)
  })

  test('restore gives the bridge its address and records it as Docker shows it', async () => {
    const { restart, route, sysctls } = host()
    const bridge = (await restart()).get('bridge')
    assert.deepEqual(bridge.ipam.config, [{ subnet: '172.17.0.0/16', gateway: '172.17.0.1' }])
    assert.equal(bridge.options['com.docker.network.bridge.name'], 'gantry0')
    assert.deepEqual(
      route.hostAddresses.map(({ address, prefixLength }) => [[...address].join('.'), prefixLength]),
      [['172.17.0.1', 16]],
    )
    assert.equal(sysctls.values.get('net/ipv4/conf/gantry0/route_localnet'), '1')
    assert.equal(sysctls.values.get('net/ipv4/ip_forward'), '1')
  })

  test('restore keeps the subnet while containers live in it, and gives way to a route of the host when none does', async () => {
    const { restart, route } = host()
    const service = await restart()
    await service.attach(request('web'))
    route.hostRoutes.push({ destination: Buffer.of(172, 17, 0, 0), prefixLength: 24, family: 4, table: 254, outLink: 99 })
    assert.equal((await restart(['web'])).get('bridge').ipam.config[0]?.subnet, '172.17.0.0/16')
    assert.equal((await restart([])).get('bridge').ipam.config[0]?.subnet, '172.18.0.0/16')
  })

  test('restore follows bip, fixed-cidr and default-gateway', async () => {
    const { restart } = host({ bip: '10.5.0.1/24', fixedCidr: '10.5.0.128/25', defaultGateway: '10.5.0.254' })
    const service = await restart()
    assert.deepEqual(service.get('bridge').ipam.config, [
      { subnet: '10.5.0.0/24', gateway: '10.5.0.1', ipRange: '10.5.0.128/25', auxAddresses: { DefaultGatewayIPv4: '10.5.0.254' } },
    ])
    const { endpoints } = await service.attach(request('web'))
    assert.deepEqual([endpoints[0]?.ipv4Address, endpoints[0]?.ipv4Gateway], ['10.5.0.128', '10.5.0.254'])
  })

  test('restore refuses settings that contradict each other', async () => {
    await assert.rejects(host({ bip: '10.5.0.0/24' }).restart(), { code: 'INVALID_ARGUMENT', message: /names the network/ })
    await assert.rejects(host({ bip: '10.5.0.1/24', fixedCidr: '10.6.0.0/25' }).restart(), /fixed-cidr 10\.6\.0\.0\/25 is not in/)
    await assert.rejects(host({ bip: '10.5.0.1/24', defaultGateway: '10.6.0.1' }).restart(), /default gateway 10\.6\.0\.1 is not in/)
  })

  test('restore refuses an interface of that name that is no bridge', async () => {
    const { restart, route } = host()
    route.hostLinks.push({ index: 9, name: 'gantry0', kind: 'dummy', up: true, master: 0, mac: '', mtu: 1500, alias: '' })
    await assert.rejects(restart(), { message: 'existing interface gantry0 is not a bridge' })
  })

  test('restore guards forwarding only when it was us who turned it on, also after a restart', async () => {
    const ours = host()
    await ours.restart()
    assert.ok(ours.nftables.chains({ family: 'ip', table: 'gantry' }).includes('forward_guard'))
    await ours.restart()
    assert.ok(ours.nftables.chains({ family: 'ip', table: 'gantry' }).includes('forward_guard'))
    const before = host()
    before.sysctls.values.set('net/ipv4/ip_forward', '1')
    await before.restart()
    assert.ok(!before.nftables.chains({ family: 'ip', table: 'gantry' }).includes('forward_guard'))
  })

  test('attach publishes with one transaction, and with none when there is no port', async () => {
    const { restart, nftables } = host()
    const service = await restart()
    const before = nftables.transactions.length
    await service.attach(request('plain'))
    assert.equal(nftables.transactions.length, before)
    const { endpoints } = await service.attach(
      request('web', { ports: [...WEB.ports, { ...WEB.ports[0]!, hostIp: '127.0.0.1', hostPort: '' }] }),
    )
    assert.equal(nftables.transactions.length, before + 1)
    assert.deepEqual(endpoints[0]?.ports, [
      { containerPort: 80, protocol: 'tcp', hostIp: '0.0.0.0', hostPort: 8080 },
      { containerPort: 80, protocol: 'tcp', hostIp: '127.0.0.1', hostPort: 32768 },
    ])
  })

  test('attach forgets old flows of UDP ports only', async () => {
    const { restart, conntrack } = host()
    const service = await restart()
    await service.attach(request('web', WEB))
    await service.attach(request('dns', { ports: [{ containerPort: 53, protocol: 'udp', hostIp: '', hostPort: '53' }] }))
    assert.deepEqual(conntrack.forgotten, [{ family: 4, protocol: 17, destinationPort: 53 }])
  })

  test('attach keeps nothing when a port is refused', async () => {
    const { restart, metadata, nftables } = host({}, [8080])
    const service = await restart()
    await assert.rejects(service.attach(request('web', WEB)), {
      code: 'INTERNAL',
      message:
        /^driver failed programming external connectivity on endpoint web \([0-9a-f]{64}\): failed to bind host port 0\.0\.0\.0:8080\/tcp: address already in use$/,
    })
    assert.deepEqual(endpointRows(metadata), [])
    assert.deepEqual(nftables.elements({ family: 'ip', table: 'gantry' }, 'published_any'), [])
  })

  test('attach again takes the place of what was not released', async () => {
    const { restart, metadata } = host()
    const service = await restart()
    await service.attach(request('web', WEB))
    await service.attach(request('web', WEB))
    assert.equal(endpointRows(metadata).length, 1)
  })

  test('attach makes the table anew when it is gone', async () => {
    const { restart, nftables } = host()
    const service = await restart()
    await service.attach(request('one', WEB))
    nftables.flushRuleset()
    await service.attach(request('two', { ports: [{ ...WEB.ports[0]!, hostPort: '8081' }] }))
    assert.equal(nftables.elements({ family: 'ip', table: 'gantry' }, 'published_any').length, 2)
  })

  test('attach refuses what default networks cannot give', async () => {
    const { restart } = host()
    const service = await restart()
    const attach = (networks: NetworkAttachRequest['networks']): Promise<unknown> => service.attach(request('web', { networks }))
    await assert.rejects(attach({}), { code: 'INVALID_ARGUMENT' })
    await assert.rejects(attach({ nowhere: {} }), { code: 'NOT_FOUND', message: 'network nowhere not found' })
    await assert.rejects(attach({ bridge: {}, none: {} }), { code: 'INVALID_ARGUMENT', message: /\(none\) mode/ })
    await assert.rejects(attach({ bridge: {}, host: {} }), { code: 'INVALID_ARGUMENT', message: /sharing network namespace/ })
    await assert.rejects(
      attach({ bridge: { ipv4Address: '172.17.0.9' } }),
      /user specified IP address is supported on user defined networks only/,
    )
    await assert.rejects(attach({ bridge: { aliases: ['db'] } }), /network-scoped aliases are only supported for user-defined networks/)
    await assert.rejects(attach({ bridge: { macAddress: 'nonsense' } }), {
      code: 'INVALID_ARGUMENT',
      message: /invalid MAC address: nonsense/,
    })
    await assert.rejects(attach({ bridge: { driverOpts: { 'com.docker.network.endpoint.sysctls': 'net.ipv4.ip_forward=1' } } }), {
      code: 'INVALID_ARGUMENT',
      message: /unrecognised network interface sysctl 'net\.ipv4\.ip_forward=1'/,
    })
  })

  test('attach uses the MAC address asked for', async () => {
    const { restart } = host()
    const { endpoints } = await (await restart()).attach(request('web', { networks: { bridge: { macAddress: '02-00-00-00-0A-07' } } }))
    assert.equal(endpoints[0]?.macAddress, '02:00:00:00:0a:07')
  })

  test('attach to host and none gives an endpoint in name', async () => {
    const { restart } = host()
    const service = await restart()
    const onHost = await service.attach(request('h', { networks: { host: {} }, ...WEB }))
    const alone = await service.attach(request('n', { networks: { none: {} } }))
    assert.deepEqual(onHost.plan, { mode: 'host' })
    assert.equal(alone.plan.mode, 'new')
    assert.deepEqual(
      [onHost, alone].map(({ endpoints: [endpoint] }) => [endpoint?.networkName, endpoint?.ipv4Address, endpoint?.ports]),
      [
        ['host', '', []],
        ['none', '', []],
      ],
    )
  })

  test('release undoes everything, twice without harm', async () => {
    const { restart, metadata, nftables } = host()
    const service = await restart()
    await service.attach(request('web', WEB))
    await service.release('web')
    await service.release('web')
    assert.deepEqual(endpointRows(metadata), [])
    assert.deepEqual(nftables.elements({ family: 'ip', table: 'gantry' }, 'published_any'), [])
    await service.attach(request('again', WEB))
  })

  test('a restart keeps the endpoints of the living and drops the others', async () => {
    const { restart, metadata, nftables } = host()
    const service = await restart()
    const { endpoints } = await service.attach(request('alive', WEB))
    await service.attach(request('dead', { ports: [{ ...WEB.ports[0]!, hostPort: '8081' }] }))
    const next = await restart(['alive'])
    assert.deepEqual(next.endpoints(next.get('bridge').id), endpoints)
    assert.equal(endpointRows(metadata).length, 1)
    assert.equal(nftables.elements({ family: 'ip', table: 'gantry' }, 'published_any').length, 1)
    await assert.rejects(next.attach(request('other', WEB)), /Bind for 0\.0\.0\.0:8080 failed: port is already allocated/)
  })

  test('nothing is written to the firewall when it is off', async () => {
    const { restart, nftables, sysctls } = host({ firewall: false })
    const service = await restart()
    await service.attach(request('web', WEB))
    await service.release('web')
    assert.deepEqual(nftables.transactions, [])
    assert.equal(sysctls.values.get('net/ipv4/conf/gantry0/route_localnet'), '0')
  })

  test('get finds by id, name and unique prefix', async () => {
    const { restart } = host()
    const service = await restart()
    const { id } = service.get('none')
    assert.equal(service.get(id).name, 'none')
    assert.equal(service.get(id.slice(0, 16)).name, 'none')
    assert.throws(() => service.get(''), { code: 'NOT_FOUND' })
    assert.throws(() => service.get('nope'), { code: 'NOT_FOUND', message: 'network nope not found' })
  })

  test('attach before restore is refused', async () => {
    const { restart: _, ...deps } = host()
    const service = createNetworkService({ ...deps, options: OPTIONS })
    await assert.rejects(service.attach(request('web')), { code: 'NOT_FOUND' })
  })
})
