import type { CgroupSupport } from '../cgroups/support.ts'

/** A kernel that can limit everything, on four processors. */
export const FULL_CGROUP_SUPPORT: CgroupSupport = {
  memory: true,
  swap: true,
  memoryReservation: true,
  swappiness: true,
  oomKillDisable: true,
  pids: true,
  cpuShares: true,
  cpuCfs: true,
  cpuRealtime: true,
  cpuset: true,
  cpus: '0-3',
  mems: '0',
  blkioWeight: true,
  blkioWeightDevice: true,
  blkioThrottle: true,
  cgroupNamespaces: true,
}
