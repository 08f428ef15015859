/**
 * Raw counters of a container for `docker stats`, in the units of Docker's API.
 *
 * Signatures:
 *   readCgroupStats(location: CgroupLocation): CgroupStats | undefined
 *   readHostCpu(): { systemUsage: number; onlineCpus: number }
 */

import { existsSync, readFileSync } from 'node:fs'
import { directoriesOf, type CgroupLocation } from './layout.ts'
import { NANO_PER_TICK, type CgroupStats } from './stats-types.ts'
import { statsV1 } from './stats-v1.ts'
import { statsV2 } from './stats-v2.ts'

/** undefined when the cgroup does not exist (any more). Source: cgroup-v1/*.rst, cgroup-v2.rst; moby daemon/daemon_unix.go, statsV1 and statsV2. */
export function readCgroupStats(location: CgroupLocation): CgroupStats | undefined {
  const [first] = directoriesOf(location)
  if (first === undefined || !existsSync(first)) return undefined
  const stats = location.version === 1 ? statsV1(location) : statsV2(location)
  const machine = machineMemory()
  if (stats.memory.limit === 0 || stats.memory.limit > machine) stats.memory.limit = machine
  return stats
}

/** MemTotal in bytes. */
function machineMemory(): number {
  return Number(/^MemTotal:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? 0) * 1024
}

/** All CPUs' time since boot in nanoseconds, user to softirq without guests (which user includes). Source: proc_stat(5). */
export function readHostCpu(stat: string = readFileSync('/proc/stat', 'utf8')): { systemUsage: number; onlineCpus: number } {
  const [, ...ticks] = (/^cpu .*$/m.exec(stat)?.[0] ?? '').split(/\s+/)
  const total = ticks.slice(0, 7).reduce((sum, field) => sum + Number(field), 0)
  return { systemUsage: total * NANO_PER_TICK, onlineCpus: stat.match(/^cpu\d+ /gm)?.length ?? 0 }
}
