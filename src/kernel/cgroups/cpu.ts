/** CPU time. Sources: scheduler/sched-bwc.rst; cgroup-v2.rst "CPU Interface Files"; runtime-spec v1.2.1 config-linux.md#cpu. */

import type { ResourcesSpec } from '#oci'
import type { Setting } from './setting.ts'

type Cpu = NonNullable<ResourcesSpec['cpu']>

/** Microseconds; the kernel's default for `cpu.max` and `cpu.cfs_period_us`. */
const DEFAULT_PERIOD = 100_000

const MIN_SHARES = 2
const MAX_SHARES = 262_144
const MAX_WEIGHT = 10_000

export function cpuV1(cpu: Cpu | undefined): Setting[] {
  if (cpu === undefined) return []
  const settings: Setting[] = []
  const number = (file: string, value: number | undefined): void => {
    if (value !== undefined && value !== 0) settings.push({ file, value: String(value) })
  }
  number('cpu.shares', cpu.shares)
  number('cpu.cfs_period_us', cpu.period)
  number('cpu.cfs_quota_us', cpu.quota)
  number('cpu.rt_period_us', cpu.realtimePeriod)
  number('cpu.rt_runtime_us', cpu.realtimeRuntime)
  return settings
}

export function cpuV2(cpu: Cpu | undefined): Setting[] {
  if (cpu === undefined) return []
  const settings: Setting[] = []
  if ((cpu.shares ?? 0) !== 0) settings.push({ file: 'cpu.weight', value: String(weightOfShares(cpu.shares ?? 0)) })
  const quota = cpu.quota ?? 0
  const period = cpu.period ?? 0
  if (quota !== 0 || period !== 0) {
    settings.push({ file: 'cpu.max', value: `${quota > 0 ? quota : 'max'} ${period === 0 ? DEFAULT_PERIOD : period}` })
  }
  return settings
}

/**
 * v1 shares (2 to 262144, default 1024) as v2 weight (1 to 10000, default 100): a curve through the three pairs of minimum, default and maximum.
 * The older linear formula turned the default of 1024 into 39, less than half of what a cgroup without a setting gets.
 * Same values as runc 1.3.2 and crun 1.23.
 */
export function weightOfShares(shares: number): number {
  if (shares <= MIN_SHARES) return 1
  if (shares >= MAX_SHARES) return MAX_WEIGHT
  const log = Math.log2(shares)
  return Math.ceil(10 ** ((log * log + 125 * log) / 612 - 7 / 34))
}
