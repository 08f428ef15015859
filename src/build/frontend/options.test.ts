import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseExtraHosts, parseNetwork, parseUlimits } from './option-values.ts'
import { checkSupported, decodeOptions } from './options.ts'

const HOST = { os: 'linux', architecture: 'amd64' }
const decode = (options: Record<string, string>): ReturnType<typeof decodeOptions> => decodeOptions(options, HOST)

describe('decodeOptions', () => {
  test('gives what goes without saying', () => {
    const { all, buildArgs, labels, ...options } = decode({})
    assert.deepEqual(options, {
      filename: 'Dockerfile',
      target: '',
      platforms: [],
      multiPlatform: false,
      resolveMode: 'local',
      run: {
        network: 'default',
        extraHosts: [],
        ulimits: [],
        cgroupParent: '',
        hostname: '',
        limits: { memory: 0, memorySwap: 0, cpuShares: 0, cpuPeriod: 0, cpuQuota: 0, cpusetCpus: '', cpusetMems: '', shmSize: 0 },
        proxyEnv: [],
      },
      noCache: new Set(['']),
      cacheNamespace: '',
      check: undefined,
      request: undefined,
      scanner: undefined,
      history: 'buildkit',
    })
    assert.deepEqual([all, buildArgs.size, labels.size], [{}, 0, 0])
  })

  test('reads several platforms, and that several are meant though it is one', () => {
    assert.deepEqual(decode({ platform: 'linux/arm64/v8,linux/arm' }).platforms, [
      { os: 'linux', architecture: 'arm64' },
      { os: 'linux', architecture: 'arm', variant: 'v7' },
    ])
    assert.equal(decode({ platform: 'linux/amd64,linux/arm64' }).multiPlatform, true)
    assert.equal(decode({ platform: 'linux/amd64' }).multiPlatform, false)
    assert.equal(decode({ platform: 'linux/amd64', 'multi-platform': 'true' }).multiPlatform, true)
    assert.equal(decode({ 'build-arg:BUILDKIT_MULTI_PLATFORM': '1' }).multiPlatform, true)
  })

  test('refuses what makes no sense, with its name', () => {
    const cases: [Record<string, string>, string][] = [
      [
        { platform: 'linux/amd64,linux/arm64', 'multi-platform': 'false' },
        'conflicting config: returning multiple target platforms is not allowed',
      ],
      [{ 'multi-platform': 'x' }, 'invalid boolean value for multi-platform: x'],
      [{ 'image-resolve-mode': 'x' }, 'invalid image-resolve-mode: x'],
      [{ 'add-hosts': 'x' }, 'failed to parse additional hosts: invalid key-value pair x'],
      [{ 'add-hosts': 'x=y' }, 'failed to parse additional hosts: failed to parse IP y'],
      [{ ulimit: 'nofile=1,"' }, 'failed to parse ulimit: parse error on line 1, column 11: extraneous or missing " in quoted-field'],
      [{ ulimit: 'nofile' }, 'failed to parse ulimit: invalid ulimit argument: nofile'],
      [{ ulimit: 'nofile=2:1' }, 'failed to parse ulimit: ulimit soft limit must be less than or equal to hard limit: 2 > 1'],
      [{ 'cpu-shares': '-1' }, 'failed to parse cpu-shares: invalid value "-1"'],
      [{ 'force-network-mode': 'container:x' }, 'invalid netmode container:x'],
    ]
    for (const [options, message] of cases) assert.throws(() => decode(options), { message }, JSON.stringify(options))
  })

  test('refuses what the frontend has not, once it is known that no other one reads the Dockerfile', () => {
    const check = (options: Record<string, string>): void => checkSupported(decode(options))
    check({ 'frontend.caps': 'moby.buildkit.frontend.inputs,moby.buildkit.frontend.contexts+forward' })
    const caps = { 'frontend.caps': 'moby.buildkit.frontend.inputs,moby.x+forward' }
    assert.throws(() => check(caps), { message: 'unsupported frontend capability moby.x' })
    const message = 'automount:a: automatic mounts are not implemented in Gantry yet'
    assert.throws(() => check({ 'automount:a': 'type=tmpfs' }), { message })
  })

  test('reads limits in bytes, with units too, and none as -1', () => {
    const { limits } = decode({ memory: '512m', 'memory-swap': '-1', 'shm-size': '134217728', 'cpu-quota': '-1', 'cpuset-cpus': '0,1' }).run
    assert.deepEqual(
      [limits.memory, limits.memorySwap, limits.shmSize, limits.cpuQuota, limits.cpusetCpus],
      [512 << 20, -1, 128 << 20, -1, '0,1'],
    )
  })

  test('refuses limits that no container may have', () => {
    assert.throws(() => decode({ memory: '5m' }), { message: 'Minimum memory limit allowed is 6MB' })
    assert.throws(() => decode({ memory: '64m', 'memory-swap': '32m' }), /Minimum memoryswap limit should be larger/)
    assert.throws(() => decode({ 'cpu-period': '10' }), /CPU cfs period can not be less than 1ms/)
  })

  test('tells all stages from some', () => {
    assert.equal(decode({ 'no-cache': '' }).noCache, 'all')
    assert.deepEqual(decode({ 'no-cache': 'Build,test' }).noCache, new Set(['build', 'test']))
  })
})

describe('parseNetwork', () => {
  test('takes any other name for a network of the user', () => {
    assert.deepEqual(['', 'sandbox', 'none', 'host', 'mine'].map(parseNetwork), ['default', 'default', 'none', 'host', { name: 'mine' }])
  })
})

describe('parseExtraHosts', () => {
  test('takes addresses of both families, and what the engine knows', () => {
    assert.deepEqual(parseExtraHosts('DB=10.0.0.1,six=fd00::1,up=host-gateway'), [
      { host: 'db', address: '10.0.0.1' },
      { host: 'six', address: 'fd00::1' },
      { host: 'up', address: 'host-gateway' },
    ])
  })
})

describe('parseUlimits', () => {
  test('has the soft limit for both when there is one', () => {
    assert.deepEqual(parseUlimits('nofile=5,core=0:-1'), [
      { name: 'nofile', soft: 5, hard: 5 },
      { name: 'core', soft: 0, hard: -1 },
    ])
  })
})
