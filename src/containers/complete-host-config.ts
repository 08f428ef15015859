import type { ContainerDefaults } from './context.ts'
import { EMPTY_HOST_CONFIG } from './empty-host-config.ts'
import { withoutUndefined } from './merge-config.ts'
import { DEFAULT_READONLY_PATHS, defaultMaskedPaths, type HostFacts } from './spec/index.ts'
import type { HostConfig } from './configuration.ts'

/** cpu.shares the kernel takes. */
const LEAST_SHARES = 2
const MOST_SHARES = 262144

/** What the user gave, with Docker's and the daemon's defaults for the rest. Pure. */
export function completeHostConfig(
  given: Partial<HostConfig>,
  defaults: ContainerDefaults,
  facts: Pick<HostFacts, 'thermalThrottlePaths'>,
): HostConfig {
  const config: HostConfig = { ...EMPTY_HOST_CONFIG, ...withoutUndefined(given) }
  if (config.networkMode === '') config.networkMode = 'default'
  if (config.restartPolicy.name === ('' as never)) config.restartPolicy = { ...config.restartPolicy, name: 'no' }
  if (config.shmSize === 0) config.shmSize = defaults.shmSize
  if (config.runtime === '') config.runtime = defaults.runtime
  if (config.ipcMode === '') config.ipcMode = defaults.ipcMode
  // A private namespace would hide the very hierarchy that a privileged container is there to manage.
  if (config.cgroupnsMode === '') config.cgroupnsMode = config.privileged && defaults.cgroupVersion === 1 ? 'host' : defaults.cgroupnsMode
  if (config.cpuShares !== 0) config.cpuShares = Math.min(Math.max(config.cpuShares, LEAST_SHARES), MOST_SHARES)
  // As much swap as memory, unless told otherwise.
  if (config.memory > 0 && config.memorySwap === 0) config.memorySwap = config.memory * 2
  if (config.logConfig.type === '') {
    config.logConfig = { type: defaults.logConfig.type, config: { ...defaults.logConfig.config, ...config.logConfig.config } }
  } else if (config.logConfig.type === defaults.logConfig.type) {
    config.logConfig = { type: config.logConfig.type, config: { ...defaults.logConfig.config, ...config.logConfig.config } }
  }
  if (!config.privileged) {
    config.maskedPaths ??= defaultMaskedPaths(facts)
    config.readonlyPaths ??= [...DEFAULT_READONLY_PATHS]
  }
  return config
}
