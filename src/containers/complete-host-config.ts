import type { ContainerDefaults } from './context.ts'
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
  const config: HostConfig = { ...EMPTY, ...withoutUndefined(given) }
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

const EMPTY: HostConfig = {
  cpuShares: 0,
  memory: 0,
  nanoCpus: 0,
  cgroupParent: '',
  blkioWeight: 0,
  blkioWeightDevice: [],
  blkioDeviceReadBps: [],
  blkioDeviceWriteBps: [],
  blkioDeviceReadIOps: [],
  blkioDeviceWriteIOps: [],
  cpuPeriod: 0,
  cpuQuota: 0,
  cpuRealtimePeriod: 0,
  cpuRealtimeRuntime: 0,
  cpusetCpus: '',
  cpusetMems: '',
  devices: [],
  deviceCgroupRules: [],
  deviceRequests: [],
  memoryReservation: 0,
  memorySwap: 0,
  ulimits: [],
  binds: [],
  containerIDFile: '',
  logConfig: { type: '', config: {} },
  networkMode: 'default',
  portBindings: [],
  restartPolicy: { name: 'no', maximumRetryCount: 0 },
  autoRemove: false,
  volumeDriver: '',
  volumesFrom: [],
  mounts: [],
  consoleSize: [0, 0],
  annotations: {},
  capAdd: [],
  capDrop: [],
  cgroupnsMode: '',
  dns: [],
  dnsOptions: [],
  dnsSearch: [],
  extraHosts: [],
  groupAdd: [],
  ipcMode: '',
  cgroup: '',
  links: [],
  oomScoreAdj: 0,
  pidMode: '',
  privileged: false,
  publishAllPorts: false,
  readonlyRootfs: false,
  securityOpt: [],
  storageOpt: {},
  tmpfs: {},
  utsMode: '',
  usernsMode: '',
  shmSize: 0,
  sysctls: {},
  runtime: '',
  isolation: '',
}
