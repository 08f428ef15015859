/** What `readCgroupStats` returns, and the unit of the kernel's tick counters. */

/** Nanoseconds per tick of /proc/stat and cpuacct.stat: USER_HZ is 100 on every machine of ours (time(7)). */
export const NANO_PER_TICK = 10_000_000

/** One counter of one block device. */
export interface BlkioEntry {
  major: number
  minor: number
  op: string
  value: number
}

/** Shaped like the members of `StatsSample` of the same names. Bytes, nanoseconds; a limit of 0 is none. */
export interface CgroupStats {
  cgroupVersion: 1 | 2
  pids: { current: number; limit: number }
  cpu: {
    totalUsage: number
    /** Empty on v2, which does not count by CPU. */
    perCpuUsage: number[]
    kernel: number
    user: number
    throttling: { periods: number; throttledPeriods: number; throttledTime: number }
  }
  /** `limit`: the machine's memory where the container has no smaller limit. `stats`: memory.stat as it is. */
  memory: { usage: number; maxUsage: number; failcnt: number; limit: number; stats: Record<string, number> }
  /** Keys as on the wire: `io_service_bytes_recursive` and others. */
  blkio: Record<string, BlkioEntry[]>
}
