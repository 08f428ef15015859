import { hostPlatform } from '#oci'
import type { ExecOp } from './types.ts'

/** A step of which nothing is known but its file systems. */
export const PLAIN_EXEC: ExecOp = {
  kind: 'exec',
  args: [],
  env: [],
  cwd: '/',
  user: '',
  hostname: '',
  network: 'default',
  security: 'sandbox',
  mounts: [],
  secretEnv: [],
  proxyEnv: [],
  extraHosts: [],
  ulimits: [],
  cgroupParent: '',
  limits: { memory: 0, memorySwap: 0, cpuShares: 0, cpuPeriod: 0, cpuQuota: 0, cpusetCpus: '', cpusetMems: '', shmSize: 0 },
  platform: hostPlatform(),
}
