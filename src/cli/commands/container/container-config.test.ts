import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseFlags } from '../../parser/parse-flags.ts'
import { createBody, type CreateBody } from './container-config.ts'
import { CREATE_FLAGS } from './create-flags.ts'

/** The body for a command line behind `create`. */
function body(...line: string[]): CreateBody {
  const { values, changed, args } = parseFlags(CREATE_FLAGS, line, { interspersed: false })
  const [image = '', ...command] = args
  return createBody({ flags: values, changed, image, command, env: {}, workingDirectory: '/cwd' })
}

describe('createBody', () => {
  it('attaches output by default, and input with -i', () => {
    assert.partialDeepStrictEqual(body('img', 'sh', '-c', 'x'), {
      Image: 'img',
      Cmd: ['sh', '-c', 'x'],
      AttachStdin: false,
      AttachStdout: true,
      AttachStderr: true,
    })
    assert.partialDeepStrictEqual(body('-it', 'img'), { AttachStdin: true, OpenStdin: true, StdinOnce: true, Tty: true, Cmd: null })
    assert.partialDeepStrictEqual(body('-a', 'STDERR', 'img'), { AttachStdin: false, AttachStdout: false, AttachStderr: true })
  })

  it('leaves to the daemon what was not given', () => {
    const { HostConfig, ...config } = body('img')
    assert.equal(HostConfig.Binds, null)
    assert.equal(HostConfig.MemorySwappiness, -1)
    assert.equal('Init' in HostConfig, false)
    assert.equal('StopTimeout' in config, false)
    assert.equal('Healthcheck' in config, false)
    assert.equal(config.Entrypoint, null)
    assert.deepEqual(config.NetworkingConfig, { EndpointsConfig: { default: {} } })
  })

  it('fills in limits, ports, volumes and devices', () => {
    const { HostConfig, ExposedPorts, Volumes } = body(
      '-m',
      '64m',
      '--cpus',
      '1.5',
      '-p',
      '8080:80',
      '--expose',
      '90',
      '-v',
      '/anon',
      '-v',
      'x:/y',
      '--device',
      '/dev/a',
      '--device',
      'v.com/c=d',
      '--init',
      'img',
    )
    assert.partialDeepStrictEqual(HostConfig, {
      Memory: 67108864,
      NanoCpus: 1_500_000_000,
      PortBindings: { '80/tcp': [{ HostIp: '', HostPort: '8080' }] },
      Binds: ['x:/y'],
      Devices: [{ PathOnHost: '/dev/a', PathInContainer: '/dev/a', CgroupPermissions: 'rwm' }],
      DeviceRequests: [{ Driver: 'cdi', DeviceIDs: ['v.com/c=d'] }],
      Init: true,
    })
    assert.deepEqual(ExposedPorts, { '80/tcp': {}, '90/tcp': {} })
    assert.deepEqual(Volumes, { '/anon': {} })
  })

  it('takes the entry point away with --entrypoint=', () => {
    assert.deepEqual(body('--entrypoint=', 'img').Entrypoint, [''])
    assert.deepEqual(body('--entrypoint', 'sh', 'img').Entrypoint, ['sh'])
  })

  it('makes a health check of its flags', () => {
    assert.deepEqual(body('--health-cmd', 'true', '--health-interval', '1m30s', 'img').Healthcheck, {
      Test: ['CMD-SHELL', 'true'],
      Interval: 90e9,
      Timeout: 0,
      StartPeriod: 0,
      StartInterval: 0,
      Retries: 0,
    })
    assert.deepEqual(body('--no-healthcheck', 'img').Healthcheck, { Test: ['NONE'] })
  })

  it('puts endpoint options on the first network', () => {
    const { NetworkingConfig, HostConfig } = body(
      '--network',
      'a',
      '--network',
      'name=b,alias=x',
      '--ip',
      '10.0.0.5',
      '--network-alias',
      'y',
      'img',
    )
    assert.equal(HostConfig.NetworkMode, 'a')
    assert.deepEqual(NetworkingConfig?.EndpointsConfig, {
      a: { Aliases: ['y'], IPAMConfig: { IPv4Address: '10.0.0.5' } },
      b: { Aliases: ['x'] },
    })
  })

  it('leaves a single plain network to the daemon', () => {
    assert.deepEqual(body('--network', 'host', 'img').NetworkingConfig, { EndpointsConfig: {} })
  })

  const refusals: [string[], string][] = [
    [['--rm', '--restart', 'always'], 'conflicting options: cannot specify both --restart and --rm'],
    [['--no-healthcheck', '--health-cmd', 'x'], '--no-healthcheck conflicts with --health-* options'],
    [['--health-retries', '-1'], '--health-retries cannot be negative'],
    [['--memory-swappiness', '101'], 'invalid value: 101. Valid memory swappiness range is 0-100'],
    [['--mac-address', 'x'], 'x is not a valid mac address'],
    [['--pid', 'x'], '--pid: invalid PID mode'],
    [['--log-driver', 'none', '--log-opt', 'a=b'], 'invalid logging opts for driver none'],
    [['--network', 'host', '--network', 'a'], 'conflicting options: cannot attach both user-defined and non-user-defined network-modes'],
    [['--network', 'a', '--network', 'a'], 'network "a" is specified multiple times'],
    [['--network', 'host', '--network-alias', 'x'], 'network-scoped aliases are only supported for user-defined networks'],
    [
      ['--network', 'name=a,alias=b', '--network-alias', 'c'],
      'conflicting options: cannot specify both --network-alias and per-network alias',
    ],
    [['--storage-opt', 'x'], 'invalid storage option'],
  ]
  for (const [line, message] of refusals) {
    it(`refuses ${line.join(' ')}`, () => assert.throws(() => body(...line, 'img'), { message }))
  }
})
