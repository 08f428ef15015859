import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CreateRequest } from '#containers'
import { decodeCreateRequest } from './create-request.ts'

const QUERY = { name: 'web', platform: '' }

function decode(body: object, version = 55): CreateRequest {
  return decodeCreateRequest(body, QUERY, version).request
}

test('decodeCreateRequest maps the flat body to config, host config and networks', () => {
  const request = decode({
    Image: 'nginx:1',
    Cmd: ['a', 'b'],
    ExposedPorts: { '80/tcp': {} },
    Healthcheck: { Test: ['CMD', 'true'], Interval: 1_000_000_000 },
    HostConfig: {
      Memory: 1024,
      PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }, { HostPort: '9000-9010' }], '53/udp': [{}] },
      Mounts: [
        {
          Type: 'volume',
          Source: 'v',
          Target: '/v',
          VolumeOptions: { NoCopy: true, DriverConfig: { Name: 'local', Options: { o: '1' } } },
        },
      ],
      RestartPolicy: { Name: 'always' },
      Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 2 }],
      ConsoleSize: [24, 80],
    },
    NetworkingConfig: { EndpointsConfig: { back: { IPAMConfig: { IPv4Address: '10.0.0.5' }, Aliases: ['db'] } } },
  })
  assert.equal(request.name, 'web')
  assert.deepEqual(request.config, {
    image: 'nginx:1',
    cmd: ['a', 'b'],
    exposedPorts: ['80/tcp'],
    healthcheck: { test: ['CMD', 'true'], interval: 1_000_000_000, timeout: 0, startPeriod: 0, startInterval: 0, retries: 0 },
  })
  assert.deepEqual(request.hostConfig, {
    memory: 1024,
    portBindings: [
      { containerPort: 80, protocol: 'tcp', hostIp: '127.0.0.1', hostPort: '8080' },
      { containerPort: 80, protocol: 'tcp', hostIp: '', hostPort: '9000-9010' },
      { containerPort: 53, protocol: 'udp', hostIp: '', hostPort: '' },
    ],
    mounts: [
      {
        type: 'volume',
        source: 'v',
        target: '/v',
        readOnly: false,
        consistency: '',
        volume: { noCopy: true, labels: {}, subpath: '', driver: 'local', driverOptions: { o: '1' } },
      },
    ],
    restartPolicy: { name: 'always', maximumRetryCount: 0 },
    ulimits: [{ name: 'nofile', soft: 1, hard: 2 }],
    consoleSize: [24, 80],
    networkMode: 'bridge',
  })
  assert.deepEqual(request.networks, { back: { ipv4Address: '10.0.0.5', aliases: ['db'] } })
})

test('decodeCreateRequest takes the many spellings of the default network', () => {
  for (const mode of [null, '', 'default']) {
    const request = decode({ HostConfig: { NetworkMode: mode }, NetworkingConfig: { EndpointsConfig: { default: { Aliases: ['x'] } } } })
    assert.equal(request.hostConfig.networkMode, 'bridge')
    assert.deepEqual(request.networks, { bridge: { aliases: ['x'] } })
  }
})

test('decodeCreateRequest leaves out limits that mean none', () => {
  const { hostConfig } = decode({ HostConfig: { PidsLimit: -1, MemorySwappiness: -1 } })
  assert.deepEqual(hostConfig, { networkMode: 'bridge' })
})

test('decodeCreateRequest names the field of a wrong type', () => {
  assert.throws(() => decode({ HostConfig: { Memory: '1g' } }), {
    message: 'invalid JSON: json: cannot unmarshal string into Go struct field HostConfig.HostConfig.Memory of type int64',
  })
  assert.throws(() => decodeCreateRequest(undefined, QUERY, 55), { message: 'invalid JSON: got EOF while reading request body' })
})

test('decodeCreateRequest refuses ports that are none', () => {
  for (const [port, host] of [
    ['http', '1'],
    ['0/tcp', '1'],
    ['80/icmp', '1'],
    ['70000/tcp', '1'],
    ['80/tcp', 'x'],
    ['80/tcp', '9-8'],
    ['80/tcp', '-5'],
    ['80/tcp', '65536'],
  ] as const) {
    assert.throws(
      () => decode({ HostConfig: { PortBindings: { [port]: [{ HostPort: host }] } } }),
      /invalid port specification/,
      `${port} ${host}`,
    )
  }
})

test('an empty list of bindings publishes up to 1.52 and not after', () => {
  const body = { HostConfig: { PortBindings: { '80/tcp': [] } } }
  assert.deepEqual(decode(body, 52).hostConfig.portBindings, [{ containerPort: 80, protocol: 'tcp', hostIp: '', hostPort: '' }])
  assert.deepEqual(decode(body, 53).hostConfig.portBindings, [])
})

test('options of another mount type are ignored before 1.42 and refused since', () => {
  const body = { HostConfig: { Mounts: [{ Type: 'bind', Source: '/a', Target: '/b', TmpfsOptions: { SizeBytes: 1 } }] } }
  assert.equal(decode(body, 41).hostConfig.mounts?.[0]?.tmpfs, undefined)
  assert.throws(() => decode(body, 42), { message: 'TmpfsOptions must not be specified on mount type "bind"' })
})

test('older versions lack what came later', () => {
  const mount = (options: object): object => ({ HostConfig: { Mounts: [{ Source: 's', Target: '/t', ...options }] } })
  assert.throws(() => decode(mount({ Type: 'image' }), 47), { message: 'Mount type "Image" needs API v1.48 or newer' })
  assert.throws(() => decode(mount({ Type: 'volume', VolumeOptions: { Subpath: 'x' } }), 44), {
    message: 'VolumeOptions.Subpath needs API v1.45 or newer',
  })
  assert.equal(decode(mount({ Type: 'bind' }), 43).hostConfig.mounts?.[0]?.bind?.readOnlyNonRecursive, true)
  assert.equal(decode({}, 39).hostConfig.ipcMode, 'shareable')
  assert.equal(decode({ HostConfig: { AutoRemove: true } }, 24).hostConfig.autoRemove, undefined)
  assert.throws(() => decode({ NetworkingConfig: { EndpointsConfig: { a: {}, b: {} } } }, 43), {
    message: 'Container cannot be created with multiple network endpoints: a, b',
  })
})

test('the container-wide MAC address moves to the main endpoint', () => {
  const old = decode({ MacAddress: '02:00:00:00:00:01' }, 43)
  assert.deepEqual(old.networks, { bridge: { macAddress: '02:00:00:00:00:01' } })
  const { request, warnings } = decodeCreateRequest({ MacAddress: '02:00:00:00:00:01' }, QUERY, 44)
  assert.deepEqual(request.networks, { bridge: { macAddress: '02:00:00:00:00:01' } })
  assert.deepEqual(warnings, ['The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead.'])
  assert.deepEqual(decode({ MacAddress: '02:00:00:00:00:01' }, 52).networks, {})
  assert.throws(() => decode({ MacAddress: '02:00:00:00:00:01', HostConfig: { NetworkMode: 'host' } }, 43), {
    message: 'conflicting options: mac-address and the network mode',
  })
  assert.throws(
    () =>
      decode(
        { MacAddress: '02:00:00:00:00:01', NetworkingConfig: { EndpointsConfig: { bridge: { MacAddress: '02:00:00:00:00:02' } } } },
        44,
      ),
    /must match the endpoint-specific MAC address/,
  )
})

test('a volume driver beside --mount volumes is warned about', () => {
  const body = { HostConfig: { VolumeDriver: 'x', Mounts: [{ Type: 'volume', Target: '/v' }] } }
  assert.equal(decodeCreateRequest(body, QUERY, 48).warnings.length, 1)
  assert.equal(decodeCreateRequest(body, QUERY, 47).warnings.length, 0)
})

test('sysctls of eth0 move to the main endpoint before 1.48 and are refused since', () => {
  const body = { HostConfig: { Sysctls: { 'net.ipv4.conf.eth0.forwarding': '1', 'net.core.somaxconn': '5' } } }
  const { request, warnings } = decodeCreateRequest(structuredClone(body), QUERY, 47)
  assert.deepEqual(request.hostConfig.sysctls, { 'net.core.somaxconn': '5' })
  assert.deepEqual(request.networks, {
    bridge: { driverOpts: { 'com.docker.network.endpoint.sysctls': 'net.ipv4.conf.IFNAME.forwarding=1' } },
  })
  assert.match(warnings[0] ?? '', /^Migrated sysctl "net\.ipv4\.conf\.eth0\.forwarding" to DriverOpts/)
  assert.throws(
    () => decode(body, 48),
    /interface specific sysctl setting "net.ipv4.conf.eth0.forwarding" must be supplied using driver option/,
  )
  assert.throws(
    () => decode({ HostConfig: { Sysctls: { 'net.ipv4.conf.eth1.forwarding': '1' } } }, 47),
    /unable to determine network endpoint/,
  )
})
