/** Counters of cgroup v1. Sources: cgroup-v1/memory.rst, cpuacct.rst, blkio-controller.rst, pids.rst; scheduler/sched-bwc.rst. */

import { join } from 'node:path'
import type { CgroupLocation } from './layout.ts'
import { readIfThere, readKeyed, readNumber } from './read-file.ts'
import { NANO_PER_TICK, type BlkioEntry, type CgroupStats } from './stats-types.ts'

/** Name on the wire, file with BFQ, file without. */
const BLKIO_FILES = [
  ['io_service_bytes_recursive', 'blkio.bfq.io_service_bytes_recursive', 'blkio.throttle.io_service_bytes_recursive'],
  ['io_serviced_recursive', 'blkio.bfq.io_serviced_recursive', 'blkio.throttle.io_serviced_recursive'],
  ['io_queue_recursive', 'blkio.bfq.io_queued_recursive'],
  ['io_service_time_recursive', 'blkio.bfq.io_service_time_recursive'],
  ['io_wait_time_recursive', 'blkio.bfq.io_wait_time_recursive'],
  ['io_merged_recursive', 'blkio.bfq.io_merged_recursive'],
  ['io_time_recursive', 'blkio.bfq.time_recursive'],
  ['sectors_recursive', 'blkio.bfq.sectors_recursive'],
] as const

export function statsV1(location: Extract<CgroupLocation, { version: 1 }>): CgroupStats {
  const { cpuacct = '', cpu = '', memory = '', pids = '', blkio = '' } = location.directories
  const ticks = readKeyed(join(cpuacct, 'cpuacct.stat'))
  const throttling = readKeyed(join(cpu, 'cpu.stat'))
  return {
    cgroupVersion: 1,
    pids: { current: readNumber(join(pids, 'pids.current')), limit: readNumber(join(pids, 'pids.max')) },
    cpu: {
      totalUsage: readNumber(join(cpuacct, 'cpuacct.usage')),
      perCpuUsage: (readIfThere(join(cpuacct, 'cpuacct.usage_percpu')) ?? '').split(' ').filter(isFilled).map(Number),
      kernel: (ticks['system'] ?? 0) * NANO_PER_TICK,
      user: (ticks['user'] ?? 0) * NANO_PER_TICK,
      throttling: {
        periods: throttling['nr_periods'] ?? 0,
        throttledPeriods: throttling['nr_throttled'] ?? 0,
        throttledTime: throttling['throttled_time'] ?? 0,
      },
    },
    memory: {
      usage: readNumber(join(memory, 'memory.usage_in_bytes')),
      maxUsage: readNumber(join(memory, 'memory.max_usage_in_bytes')),
      failcnt: readNumber(join(memory, 'memory.failcnt')),
      limit: readNumber(join(memory, 'memory.limit_in_bytes')),
      stats: readKeyed(join(memory, 'memory.stat')),
    },
    blkio: Object.fromEntries(BLKIO_FILES.map(([name, ...files]) => [name, firstFilled(files.map((file) => join(blkio, file)))])),
  }
}

/** `8:0 Read 4096` lines (without a word where only one thing is counted); the `Total` line at the end counts no device. */
function firstFilled(paths: readonly string[]): BlkioEntry[] {
  for (const path of paths) {
    const entries = (readIfThere(path) ?? '')
      .split('\n')
      .map((line) => /^(\d+):(\d+) (?:(\w+) )?(\d+)$/.exec(line))
      .filter((match) => match !== null)
      .map(([, major, minor, op = '', value]) => ({
        major: Number(major),
        minor: Number(minor),
        op: op.toLowerCase(),
        value: Number(value),
      }))
    if (entries.length > 0) return entries
  }
  return []
}

function isFilled(text: string): boolean {
  return text.trim() !== ''
}
