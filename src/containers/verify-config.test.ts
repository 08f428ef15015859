import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { completeHostConfig } from './complete-host-config.ts'
import { mergeConfig } from './merge-config.ts'
import { testBench } from './testing/fake-deps.ts'
import type { ContainerConfig, HostConfig } from './configuration.ts'
import { verifyCreate } from './verify-config.ts'

function verify(config: Partial<ContainerConfig>, host: Partial<HostConfig> = {}): string[] {
  using bench = testBench()
  const defaults = bench.deps.defaults()
  return verifyCreate(mergeConfig({ cmd: ['sh'], ...config }, undefined), completeHostConfig(host, defaults, bench.deps.host), defaults)
}

describe('verifyCreate', () => {
  const policy = (name: string, maximumRetryCount = 0) => ({ restartPolicy: { name, maximumRetryCount } as HostConfig['restartPolicy'] })
  const refused: [string, Partial<ContainerConfig>, Partial<HostConfig>][] = [
    ['no command specified', { cmd: null }, {}],
    ["the working directory 'a' is invalid, it needs to be an absolute path", { workingDir: 'a' }, {}],
    ['invalid environment variable: =x', { env: ['=x'] }, {}],
    ['invalid signal: NOPE', { stopSignal: 'NOPE' }, {}],
    ['Minimum memory limit allowed is 6MB', {}, { memory: 1024 }],
    ['Minimum memoryswap limit should be larger than memory limit, see usage', {}, { memory: 64 << 20, memorySwap: 32 << 20 }],
    ['You should always set the Memory limit when using Memoryswap limit, see usage', {}, { memorySwap: 64 << 20 }],
    ['Conflicting options: Nano CPUs and CPU Quota cannot both be set', {}, { nanoCpus: 1e9, cpuQuota: 5000 }],
    ['range of CPUs is from 0.01 to 4.00, as there are only 4 CPUs available', {}, { nanoCpus: 5e9 }],
    [
      "invalid restart policy: unknown policy 'sometimes'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
      {},
      policy('sometimes'),
    ],
    ["invalid restart policy: maximum retry count can only be used with 'on-failure'", {}, policy('always', 3)],
    ["can't create 'AutoRemove' container with restart policy", {}, { ...policy('always'), autoRemove: true }],
    ['conflicting options: hostname and the network mode', { hostname: 'a' }, { networkMode: 'container:x' }],
    ['Invalid value 2000, range for oom score adj is [-1000, 1000]', {}, { oomScoreAdj: 2000 }],
    ['unknown or invalid runtime name: runsc', {}, { runtime: 'runsc' }],
    ['invalid IPC mode: nope', {}, { ipcMode: 'nope' }],
    [
      'Interval in Healthcheck cannot be less than 1ms',
      { healthcheck: { test: ['CMD', 'a'], interval: 5, timeout: 0, startPeriod: 0, startInterval: 0, retries: 0 } },
      {},
    ],
  ]
  for (const [message, config, host] of refused) {
    it(`refuses: ${message}`, () => assert.throws(() => verify(config, host), { code: 'INVALID_ARGUMENT', message }))
  }

  it('names what is not there yet', () => {
    assert.throws(() => verify({}, { cgroup: 'a' }), { code: 'NOT_IMPLEMENTED', message: /Cgroup/ })
  })

  it('refuses links of a container without a network of its own', () => {
    const text = "networking can't be used with links. This would result in undefined behavior"
    assert.throws(() => verify({}, { networkMode: 'host', links: ['a'] }), { message: `conflicting options: host type ${text}` })
    assert.throws(() => verify({}, { networkMode: 'container:b', links: ['a'] }), {
      message: "conflicting options: container type network can't be used with links. This would result in undefined behavior",
    })
  })

  it('warns of ports that host networking does not publish', () => {
    const portBindings = [{ containerPort: 80, protocol: 'tcp' as const, hostIp: '', hostPort: '80' }]
    assert.deepEqual(verify({}, { networkMode: 'host', portBindings }), ['Published ports are discarded when using host network mode'])
  })
})
