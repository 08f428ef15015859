import type { ContainerDefaults } from '../context.ts'

/** Settings of a daemon that was told nothing, for tests. */
export const SAMPLE_DEFAULTS: ContainerDefaults = {
  logConfig: { type: 'json-file', config: {} },
  cgroupParent: '/gantry-test',
  cgroupVersion: 2,
  cgroupnsMode: 'private',
  ipcMode: 'private',
  shmSize: 64 << 20,
  init: false,
  noNewPrivileges: false,
  ulimits: [],
  dns: [],
  dnsOptions: [],
  dnsSearch: [],
  hostGatewayIps: [],
  runtime: 'gantry',
  runtimes: ['gantry'],
  defaultSeccomp: undefined,
  cpus: 4,
}
