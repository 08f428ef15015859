/** Counters of cgroup v2. Source: cgroup-v2.rst, "Controllers". */

import { join } from 'node:path'
import type { CgroupLocation } from './layout.ts'
import { readIfThere, readKeyed, readNumber } from './read-file.ts'
import type { BlkioEntry, CgroupStats } from './stats-types.ts'

const NANO_PER_MICRO = 1000

export function statsV2({ directory }: Extract<CgroupLocation, { version: 2 }>): CgroupStats {
  const cpu = readKeyed(join(directory, 'cpu.stat'))
  const events = readKeyed(join(directory, 'memory.events'))
  const nano = (key: string): number => (cpu[key] ?? 0) * NANO_PER_MICRO
  return {
    cgroupVersion: 2,
    pids: { current: readNumber(join(directory, 'pids.current')), limit: readNumber(join(directory, 'pids.max')) },
    cpu: {
      totalUsage: nano('usage_usec'),
      perCpuUsage: [],
      kernel: nano('system_usec'),
      user: nano('user_usec'),
      throttling: {
        periods: cpu['nr_periods'] ?? 0,
        throttledPeriods: cpu['nr_throttled'] ?? 0,
        throttledTime: nano('throttled_usec'),
      },
    },
    memory: {
      usage: readNumber(join(directory, 'memory.current')),
      maxUsage: readNumber(join(directory, 'memory.peak')),
      failcnt: events['max'] ?? 0,
      limit: readNumber(join(directory, 'memory.max')),
      stats: readKeyed(join(directory, 'memory.stat')),
    },
    blkio: { io_service_bytes_recursive: serviceBytes(readIfThere(join(directory, 'io.stat')) ?? '') },
  }
}

/** `8:0 rbytes=1 wbytes=2 rios=…` lines. */
function serviceBytes(text: string): BlkioEntry[] {
  return text.split('\n').flatMap((line) => {
    const device = /^(\d+):(\d+) /.exec(line)
    if (device === null) return []
    const entry = (op: string, key: string): BlkioEntry => ({
      major: Number(device[1]),
      minor: Number(device[2]),
      op,
      value: Number(new RegExp(` ${key}=(\\d+)`).exec(line)?.[1] ?? 0),
    })
    return [entry('read', 'rbytes'), entry('write', 'wbytes')]
  })
}
