import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type CreateContext, planNetwork } from './create-network.ts'
import { parseCidr } from './ipam/ip-address.ts'
import { create } from './testing/fake-host.ts'
import type { IpamConfig, NetworkCreateRequest, NetworkRecord } from './types.ts'

const CONTEXT: CreateContext = {
  networks: [],
  hostSubnets: [],
  pools: [
    { base: '10.0.0.0/16', size: 24 },
    { base: 'fd00::/48', size: 64 },
  ],
  defaultOptions: {},
  id: 'ab'.repeat(32),
  created: '2026-01-02T03:04:05.000000000Z',
}

function plan(request: Partial<NetworkCreateRequest>, context: Partial<CreateContext> = {}): NetworkRecord {
  return planNetwork({ ...create('app'), ...request }, { ...CONTEXT, ...context })
}

function withSubnets(...config: IpamConfig[]): Pick<NetworkCreateRequest, 'ipam'> {
  return { ipam: { driver: 'default', options: {}, config } }
}

suite('planNetwork', () => {
  test('takes free blocks of the pools and the first address in them', () => {
    assert.deepEqual(plan({ enableIPv6: true }).ipam.config, [
      { subnet: '10.0.0.0/24', gateway: '10.0.0.1', automatic: true },
      { subnet: 'fd00::/64', gateway: 'fd00::1', automatic: true },
    ])
    const context = { networks: [plan({ name: 'first' })], hostSubnets: [parseCidr('10.0.1.0/24').subnet] }
    assert.equal(plan({}, context).ipam.config[0]?.subnet, '10.0.2.0/24')
    assert.deepEqual(
      plan({ enableIPv4: false, enableIPv6: true }).ipam.config.map(({ subnet }) => subnet),
      ['fd00::/64'],
    )
  })

  test('keeps to what is asked for, and takes the gateway where containers get their addresses', () => {
    const asked = { subnet: '10.9.0.0/24', ipRange: '10.9.0.128/25', auxAddresses: { printer: '10.9.0.128' } }
    assert.deepEqual(plan(withSubnets(asked)).ipam.config, [{ ...asked, gateway: '10.9.0.129' }])
    assert.equal(plan(withSubnets({ subnet: '10.9.0.0/24', gateway: '10.9.0.7' })).ipam.config[0]?.gateway, '10.9.0.7')
  })

  test('gives no gateway to a network that leads nowhere', () => {
    const isolated = { internal: true, options: { 'com.docker.network.bridge.gateway_mode_ipv4': 'isolated' } }
    assert.equal(plan(isolated).ipam.config[0]?.gateway, undefined)
    assert.equal(plan({ internal: true }).ipam.config[0]?.gateway, '10.0.0.1')
    assert.equal(plan({ driver: 'macvlan' }).ipam.config[0]?.gateway, undefined)
    assert.equal(plan({ driver: 'macvlan', options: { parent: 'eth0' } }).ipam.config[0]?.gateway, '10.0.0.1')
  })

  test('refuses names that are taken or not to be had', () => {
    const networks = [plan({})]
    assert.throws(() => plan({}, { networks }), { code: 'CONFLICT', message: 'network with name app already exists' })
    assert.throws(() => plan({ name: 'bridge' }), {
      code: 'FORBIDDEN',
      message: 'operation is not permitted on predefined bridge network ',
    })
    assert.throws(() => plan({ name: ' ' }), { code: 'INVALID_ARGUMENT', message: 'invalid name: name is empty' })
  })

  test('refuses subnets that overlap, are malformed, or too many', () => {
    const networks = [plan({ name: 'first', ...withSubnets({ subnet: '10.9.0.0/24' }) })]
    assert.throws(() => plan(withSubnets({ subnet: '10.9.0.0/16' }), { networks }), {
      code: 'FORBIDDEN',
      message: 'invalid pool request: Pool overlaps with other one on this address space',
    })
    assert.throws(() => plan(withSubnets({ subnet: '10.9.0.0/24' }, { subnet: '10.8.0.0/24' })), {
      code: 'FORBIDDEN',
      message: "bridge driver doesn't support multiple subnets",
    })
    assert.throws(() => plan(withSubnets({ subnet: '10.9.0.1/24', gateway: '10.8.0.1' })), {
      code: 'INVALID_ARGUMENT',
      message:
        "invalid network config:\ninvalid subnet 10.9.0.1/24: it should be 10.9.0.0/24\ninvalid gateway 10.8.0.1: parent subnet 10.9.0.0/24 doesn't contain this address",
    })
    assert.throws(() => plan({ enableIPv6: true, ...withSubnets({ subnet: 'ff02::/64' }) }), /multicast subnet 'ff02::\/64' is not allowed/)
    assert.throws(() => plan({ enableIPv6: true, ...withSubnets({ subnet: 'fe80::/80' }) }), /clashes with the Link-Local prefix/)
    assert.throws(() => plan({}, { pools: [{ base: '10.0.0.0/24', size: 24 }], hostSubnets: [parseCidr('10.0.0.0/8').subnet] }), {
      message: 'all predefined address pools have been fully subnetted',
    })
  })

  test('refuses drivers that are not there', () => {
    assert.throws(() => plan({ driver: 'host' }), { code: 'FORBIDDEN', message: 'only one instance of "host" network is allowed' })
    assert.throws(() => plan({ driver: 'weave' }), { code: 'NOT_FOUND', message: /plugin not found/ })
    assert.throws(() => plan({ driver: 'overlay' }), { code: 'FORBIDDEN', message: /not a swarm manager/ })
    assert.throws(() => plan({ enableIPv4: false }), { code: 'INVALID_ARGUMENT', message: 'IPv4 or IPv6 must be enabled' })
  })

  test('refuses options that make no sense, with Docker’s texts', () => {
    const refused = (name: string, value: string): string => {
      try {
        plan({ options: { [`com.docker.network.${name}`]: value } })
      } catch (error) {
        return (error as Error).message
      }
      return ''
    }
    assert.equal(
      refused('driver.mtu', 'big'),
      'failed to parse com.docker.network.driver.mtu value: big (strconv.Atoi: parsing "big": invalid syntax)',
    )
    assert.match(refused('bridge.enable_icc', 'maybe'), /strconv\.ParseBool: parsing "maybe": invalid syntax/)
    assert.match(refused('bridge.gateway_mode_ipv4', 'tunnel'), /\(unknown gateway mode tunnel\)/)
    assert.match(refused('bridge.gateway_mode_ipv6', 'isolated'), /can only be used for an internal network/)
    assert.match(refused('bridge.host_binding_ipv4', 'here'), /\(nil ip\)/)
    assert.match(refused('bridge.name', 'far too long for linux'), /invalid bridge name/)
    assert.equal(refused('whatever', 'unknown options are kept'), '')
  })

  test('default options of the daemon are those of new networks of that driver', () => {
    const defaultOptions = { bridge: { 'com.docker.network.driver.mtu': '1400', 'com.docker.network.enable_ipv6': 'true' } }
    const record = plan({ options: { 'com.docker.network.driver.mtu': '1300' } }, { defaultOptions })
    assert.equal(record.options['com.docker.network.driver.mtu'], '1300')
    assert.equal(record.enableIPv6, true)
    assert.equal(plan({ enableIPv6: false }, { defaultOptions }).options['com.docker.network.enable_ipv6'], undefined)
  })

  test('a configuration is a network for others to be made of', () => {
    const template = plan({
      name: 'template',
      configOnly: true,
      enableIPv6: true,
      options: { a: 'b' },
      ...withSubnets({ subnet: '10.9.0.0/24' }),
    })
    assert.deepEqual([template.driver, template.configOnly], ['null', true])
    const made = plan({ configFrom: 'template' }, { networks: [template] })
    assert.deepEqual([made.driver, made.enableIPv6, made.options, made.configFrom], ['bridge', true, { a: 'b' }, 'template'])
    assert.equal(made.ipam.config[0]?.subnet, '10.9.0.0/24')
    assert.throws(() => plan({ configFrom: 'nowhere' }), { code: 'NOT_FOUND' })
    assert.throws(() => plan({ configFrom: 'template', options: { c: 'd' } }, { networks: [template] }), { code: 'FORBIDDEN' })
    assert.throws(() => plan({ configOnly: true, internal: true }), { code: 'FORBIDDEN', message: /network operator fields/i })
  })
})
