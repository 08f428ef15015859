/** Statistics: counters as they are; the reader computes percentages from two samples. */

import type { BlkioEntry, BlkioStats, ContainerStats, CpuStats, NetworkStats } from '#api'
import type { StatsSample } from '#containers'
import { ZERO_TIME } from './time.ts'

const BLKIO_FIELDS = [
  'io_service_bytes_recursive',
  'io_serviced_recursive',
  'io_queue_recursive',
  'io_service_time_recursive',
  'io_wait_time_recursive',
  'io_merged_recursive',
  'io_time_recursive',
  'sectors_recursive',
] as const satisfies readonly (keyof BlkioStats)[]

const NO_CPU: CpuStats = {
  cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
}

/** `previous` becomes `precpu_stats`, zeros without it. A container that does not run has zeros and no limits. */
export function encodeStats(current: StatsSample, previous: StatsSample | undefined): ContainerStats {
  return {
    id: current.id,
    name: `/${current.name}`,
    os_type: current.osType,
    read: current.running ? current.read : ZERO_TIME,
    preread: previous?.read ?? ZERO_TIME,
    pids_stats: current.running ? current.pids : {},
    blkio_stats: encodeBlkio(current),
    num_procs: 0,
    storage_stats: {},
    cpu_stats: current.running ? encodeCpu(current.cpu) : NO_CPU,
    precpu_stats: previous === undefined ? NO_CPU : encodeCpu(previous.cpu),
    memory_stats: current.running ? encodeMemory(current) : {},
    ...(Object.keys(current.networks).length > 0 ? { networks: encodeNetworks(current) } : {}),
  }
}

function encodeCpu(cpu: StatsSample['cpu']): CpuStats {
  return {
    cpu_usage: {
      total_usage: cpu.totalUsage,
      ...(cpu.perCpuUsage.length > 0 ? { percpu_usage: cpu.perCpuUsage } : {}),
      usage_in_kernelmode: cpu.kernel,
      usage_in_usermode: cpu.user,
    },
    system_cpu_usage: cpu.systemUsage,
    online_cpus: cpu.onlineCpus,
    throttling_data: {
      periods: cpu.throttling.periods,
      throttled_periods: cpu.throttling.throttledPeriods,
      throttled_time: cpu.throttling.throttledTime,
    },
  }
}

/** Peak and fail count exist on cgroup v1 only. */
function encodeMemory({ memory, cgroupVersion }: StatsSample): ContainerStats['memory_stats'] {
  const { usage, limit, stats, maxUsage, failcnt } = memory
  return cgroupVersion === 1 ? { usage, max_usage: maxUsage, stats, failcnt, limit } : { usage, stats, limit }
}

function encodeBlkio(sample: StatsSample): BlkioStats {
  return Object.fromEntries(
    BLKIO_FIELDS.map((name) => {
      const entries: BlkioEntry[] | undefined = sample.blkio[name]
      return [name, entries === undefined || (entries.length === 0 && sample.cgroupVersion === 2) ? null : entries]
    }),
  ) as unknown as BlkioStats
}

function encodeNetworks(sample: StatsSample): Record<string, NetworkStats> {
  return Object.fromEntries(
    Object.entries(sample.networks).map(([name, counters]) => [
      name,
      {
        rx_bytes: counters.rxBytes,
        rx_packets: counters.rxPackets,
        rx_errors: counters.rxErrors,
        rx_dropped: counters.rxDropped,
        tx_bytes: counters.txBytes,
        tx_packets: counters.txPackets,
        tx_errors: counters.txErrors,
        tx_dropped: counters.txDropped,
      },
    ]),
  )
}
