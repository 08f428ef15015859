import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkDnsSearch, checkExtraHost, checkIp, checkLink, isMacAddress } from './addresses.ts'
import { isCdiName, parseBpsDevice, parseDevice, parseGpus, parseIopsDevice, parseWeightDevice } from './devices.ts'
import { parseCpus, parseMemorySwap, parseRestartPolicy, parseUlimit } from './limits.ts'
import { parseMount } from './mount.ts'
import { isUserDefined, parseNetwork } from './network.ts'
import { parseExpose, parsePublish } from './ports.ts'
import { timeArgument } from './time-argument.ts'
import { parseVolumes } from './volumes.ts'

describe('parsePublish', () => {
  const one = (spec: string): Record<string, unknown> => parsePublish([spec]).bindings
  it('reads every form', () => {
    assert.deepEqual(one('80'), { '80/tcp': [{ HostIp: '', HostPort: '' }] })
    assert.deepEqual(one('8080:80/udp'), { '80/udp': [{ HostIp: '', HostPort: '8080' }] })
    assert.deepEqual(one('127.0.0.1:8080:80'), { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }] })
    assert.deepEqual(one('127.0.0.1::80'), { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] })
    assert.deepEqual(one('[::1]:8080:80'), { '80/tcp': [{ HostIp: '::1', HostPort: '8080' }] })
    assert.deepEqual(one('published=8080,target=80,protocol=udp'), { '80/udp': [{ HostIp: '', HostPort: '8080' }] })
  })

  it('pairs ranges, and leaves the choice from a range for one port', () => {
    assert.deepEqual(one('8000-8001:80-81'), { '80/tcp': [{ HostIp: '', HostPort: '8000' }], '81/tcp': [{ HostIp: '', HostPort: '8001' }] })
    assert.deepEqual(one('8000-8010:80'), { '80/tcp': [{ HostIp: '', HostPort: '8000-8010' }] })
  })

  it('refuses what is no port', () => {
    const failures: [string, string][] = [
      ['abc', 'invalid containerPort: abc'],
      ['70000', 'invalid containerPort: 70000'],
      ['x:80', 'invalid hostPort: x'],
      ['80-82:90-91', 'invalid ranges specified for container and host Ports: 90-91 and 80-82'],
      ['80/foo', 'invalid proto: foo'],
      ['1.2.3:80:80', 'invalid IP address: 1.2.3'],
      ['8080:', 'no port specified: 8080:<empty>'],
    ]
    for (const [spec, message] of failures) assert.throws(() => one(spec), { message }, spec)
  })
})

it('parseExpose reads ranges and protocols', () => {
  assert.deepEqual(parseExpose(['80', '90-91/udp']), ['80/tcp', '90/udp', '91/udp'])
  assert.throws(() => parseExpose(['80:90']), { message: 'invalid port format for --expose: 80:90' })
})

describe('parseVolumes', () => {
  it('tells sources from anonymous volumes and makes relative paths absolute', () => {
    assert.deepEqual(parseVolumes(['/data', 'named:/x:ro', './a:/b', '../c:/d', '/e:/f', '/data'], '/work/dir'), {
      binds: ['named:/x:ro', '/work/dir/a:/b', '/work/c:/d', '/e:/f'],
      anonymous: { '/data': {} },
    })
  })

  it('refuses malformed specifications', () => {
    assert.throws(() => parseVolumes([''], '/'), { message: 'invalid empty volume spec' })
    assert.throws(() => parseVolumes(['/a::/b'], '/'), { message: 'invalid spec: /a::/b: empty section between colons' })
  })
})

describe('parseMount', () => {
  const parse = (text: string): object => parseMount(text, '/cwd')
  it('reads the options of each type', () => {
    assert.deepEqual(parse('type=bind,src=./a,dst=/b,ro,bind-propagation=rprivate,bind-recursive=readonly'), {
      Type: 'bind',
      Source: '/cwd/a',
      Target: '/b',
      ReadOnly: true,
      BindOptions: { Propagation: 'rprivate', ReadOnlyForceRecursive: true },
    })
    assert.deepEqual(parse('src=v,dst=/b,volume-nocopy,volume-label=a=1,volume-driver=d,"volume-opt=o=x,y"'), {
      Type: 'volume',
      Source: 'v',
      Target: '/b',
      VolumeOptions: { NoCopy: true, Labels: { a: '1' }, DriverConfig: { Name: 'd', Options: { o: 'x,y' } } },
    })
    assert.deepEqual(parse('type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=1777'), {
      Type: 'tmpfs',
      Target: '/t',
      TmpfsOptions: { SizeBytes: 1048576, Mode: 0o1777 },
    })
  })

  it('refuses what does not go together', () => {
    const failures: [string, string][] = [
      ['dst', "invalid field 'dst' must be a key=value pair"],
      ['type=bind', 'target is required'],
      ['type=bind,src=/a,dst=/b,volume-nocopy', "cannot mix 'volume-*' options with mount type 'bind'"],
      ['type=bind,src=/a,dst=/b,foo=1', "unexpected key 'foo' in 'foo=1'"],
      [
        'type=bind,src=/a,dst=/b,bind-recursive=writable',
        "option 'bind-recursive=writable' requires 'readonly' to be specified in conjunction",
      ],
      ['type=tmpfs,dst=/a,tmpfs-size=x', 'invalid value for tmpfs-size: x'],
    ]
    for (const [text, message] of failures) assert.throws(() => parse(text), { message }, text)
  })
})

describe('parseNetwork', () => {
  it('reads the short and the long form', () => {
    assert.partialDeepStrictEqual(parseNetwork('host'), { target: 'host' })
    assert.partialDeepStrictEqual(
      parseNetwork('name=web,alias=a,alias=b,ip=10.0.0.5,driver-opt=k=v,gw-priority=-3,mac-address=02:42:0:0:0:1'),
      {
        target: 'web',
        aliases: ['a', 'b'],
        ipv4: '10.0.0.5',
        driverOpts: { k: 'v' },
        gatewayPriority: -3,
      },
    )
    assert.throws(() => parseNetwork('alias=a'), { message: 'network name/id is not specified' })
    assert.throws(() => parseNetwork('name=a,foo=b'), { message: 'invalid field key foo' })
  })

  it('isUserDefined knows the built-in modes', () => {
    assert.deepEqual(['default', 'bridge', 'host', 'none', 'container:x', 'web'].map(isUserDefined), [
      false,
      false,
      false,
      false,
      false,
      true,
    ])
  })
})

describe('devices', () => {
  it('parseDevice reads host, container path and permissions', () => {
    assert.deepEqual(parseDevice('/dev/a'), { PathOnHost: '/dev/a', PathInContainer: '/dev/a', CgroupPermissions: 'rwm' })
    assert.deepEqual(parseDevice('/dev/a:r'), { PathOnHost: '/dev/a', PathInContainer: '/dev/a', CgroupPermissions: 'r' })
    assert.deepEqual(parseDevice('/dev/a:/dev/b:rw'), { PathOnHost: '/dev/a', PathInContainer: '/dev/b', CgroupPermissions: 'rw' })
    assert.throws(() => parseDevice('/dev/a:/dev/b:rr'), { message: 'bad mode specified: rr' })
    assert.throws(() => parseDevice('a:b'), { message: 'b is not an absolute path' })
  })

  it('isCdiName knows vendor, class and name', () => {
    assert.ok(isCdiName('vendor.com/gpu=0'))
    assert.equal(isCdiName('/dev/a'), false)
  })

  it('rates and weights', () => {
    assert.deepEqual(parseBpsDevice('/dev/sda:1mb'), { Path: '/dev/sda', Rate: 1048576 })
    assert.deepEqual(parseIopsDevice('/dev/sda:5'), { Path: '/dev/sda', Rate: 5 })
    assert.throws(() => parseWeightDevice('/dev/sda:5'), { message: 'invalid weight for device: /dev/sda:5' })
    assert.throws(() => parseBpsDevice('sda:1'), { message: 'bad format for device path: sda:1' })
  })

  it('parseGpus', () => {
    assert.deepEqual(parseGpus('all'), { Driver: '', Count: -1, DeviceIDs: null, Capabilities: [['gpu']], Options: {} })
    assert.partialDeepStrictEqual(parseGpus('"device=0,1",capabilities=utility'), {
      Count: 0,
      DeviceIDs: ['0', '1'],
      Capabilities: [['utility', 'gpu']],
    })
  })
})

describe('limits', () => {
  it('parseUlimit', () => {
    assert.deepEqual(parseUlimit('nofile=5:10'), { Name: 'nofile', Soft: 5, Hard: 10 })
    assert.deepEqual(parseUlimit('core=-1'), { Name: 'core', Soft: -1, Hard: -1 })
    assert.throws(() => parseUlimit('nofile=5:3'), { message: 'ulimit soft limit must be less than or equal to hard limit: 5 > 3' })
    assert.throws(() => parseUlimit('foo=1'), { message: 'invalid ulimit type: foo' })
  })

  it('parseCpus is exact', () => {
    assert.equal(parseCpus('1.5'), 1_500_000_000)
    assert.equal(parseCpus('.1'), 100_000_000)
    assert.equal(parseCpus('1/4'), 250_000_000)
    assert.throws(() => parseCpus('1/3'), { message: 'value is too precise' })
    assert.throws(() => parseCpus('x'), { message: 'failed to parse x as a rational number' })
  })

  it('parseMemorySwap and parseRestartPolicy', () => {
    assert.equal(parseMemorySwap('-1'), -1)
    assert.equal(parseMemorySwap('1g'), 2 ** 30)
    assert.deepEqual(parseRestartPolicy('on-failure:5'), { Name: 'on-failure', MaximumRetryCount: 5 })
    assert.throws(() => parseRestartPolicy(':5'), /no policy provided before colon/)
  })
})

describe('addresses', () => {
  it('checkExtraHost takes colon, equals sign, brackets and host-gateway', () => {
    assert.equal(checkExtraHost('a:1.2.3.4'), 'a:1.2.3.4')
    assert.equal(checkExtraHost('a=::1'), 'a:::1')
    assert.equal(checkExtraHost('a:[::1]'), 'a:::1')
    assert.equal(checkExtraHost('a:host-gateway'), 'a:host-gateway')
    assert.throws(() => checkExtraHost('a'), { message: 'bad format for add-host: "a"' })
    assert.throws(() => checkExtraHost('a:b'), { message: 'invalid IP address in add-host: "b"' })
  })

  it('checkIp, checkDnsSearch, checkLink, isMacAddress', () => {
    assert.equal(checkIp(' 0:0::1 '), '::1')
    assert.equal(checkDnsSearch('example.com.'), 'example.com')
    assert.equal(checkDnsSearch('.'), '.')
    assert.throws(() => checkDnsSearch('-'), { message: '- is not a valid domain' })
    assert.throws(() => checkLink('a:b:c'), { message: 'bad format for links: a:b:c' })
    assert.deepEqual(['02:42:ac:11:00:02', '02-42-ac-11-00-02', '0242.ac11.0002', '02:42', 'x'].map(isMacAddress), [
      true,
      true,
      true,
      false,
      false,
    ])
  })
})

it('timeArgument reads seconds, durations and times with parts left out', () => {
  const now = Date.UTC(2024, 0, 2)
  assert.equal(timeArgument('1.5', 'since', now), '1.5')
  assert.equal(timeArgument('1h', 'since', now), `${now / 1000 - 3600}.000000000`)
  assert.equal(timeArgument('2024-01-01T00:00:00.25Z', 'since', now), `${now / 1000 - 86400}.250000000`)
  assert.equal(timeArgument('2024-01-01T01:00:00+01:00', 'since', now), `${now / 1000 - 86400}.000000000`)
  assert.throws(() => timeArgument('foo', 'until', now), {
    message: 'invalid value for "until": failed to parse value as time or duration: "foo"',
  })
})
